"""Import from the browser: upload, see what would happen, then decide. The same reader and verbs as the command."""

from __future__ import annotations

import hashlib
import re
import time
from contextlib import suppress
from pathlib import Path

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from trajectories.importers import FORMATS, read_problems
from trajectories.problems import Stored, store_all

MAX_MB = 512
KEPT_S = 24 * 3600.0  # how long a dry run can still be confirmed
KEPT = re.compile(r"^[0-9a-f]{64}$")
SUFFIX = re.compile(r"(\.(jsonl|json|ndjson)(\.gz)?|\.zip)$", re.IGNORECASE)


class UploadForm(forms.Form):
    """Either a new file, or the digest of one that was uploaded a moment ago and shown as a dry run."""

    file = forms.FileField(required=False)
    kept = forms.CharField(required=False, max_length=80)
    name = forms.CharField(required=False, max_length=200)
    format = forms.ChoiceField(
        required=False, choices=[("", "recognise it"), *((known.name, known.name) for known in FORMATS)]
    )
    all_or_nothing = forms.BooleanField(required=False)

    def clean_file(self) -> UploadedFile[bytes] | None:
        file: UploadedFile[bytes] | None = self.cleaned_data["file"]
        if file is not None and not SUFFIX.search(file.name or ""):
            raise forms.ValidationError("Choose a .jsonl, .json (both also .gz) or .zip file.")
        if file is not None and (file.size or 0) > MAX_MB * 2**20:
            raise forms.ValidationError(
                f"The file is over {MAX_MB} MB; use manage.py import_problems on the server."
            )
        return file


def import_problems(request: HttpRequest) -> HttpResponse:
    """GET: the form. POST with a file: a dry run. POST with `kept` and `do=import`: the import."""
    if request.method != "POST":
        return _page(request, UploadForm())
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, form, status=400)
    asked = form.cleaned_data
    name, path = (
        _kept(asked["file"]) if asked["file"] else (asked["name"], _folder() / _checked(asked["kept"]))
    )
    if not path.is_file():
        form.add_error("file", "Choose a file.")
        return _page(request, form, status=400)
    doing = request.POST.get("do") == "import"
    report = read_problems(path, asked["format"] or None, shown_as=name)
    stored = store_all(
        report.problems, report.faults, dry_run=not doing, all_or_nothing=asked["all_or_nothing"]
    )
    if doing and not stored.refused:
        path.unlink(missing_ok=True)
        counts = ", ".join(f"{number} {outcome}" for outcome, number in stored.counts.items() if number)
        messages.success(request, f"{name}: {counts or 'nothing'} stored, {len(stored.faults)} rows refused.")
        return redirect(reverse("problems"))
    shown = {
        "kept": path.name,
        "name": name,
        "format": asked["format"],
        "all_or_nothing": asked["all_or_nothing"],
    }
    return _page(request, form, stored=stored, shown=shown, formats=report.formats)


def _page(request: HttpRequest, form: UploadForm, status: int = 200, **more: object) -> HttpResponse:
    context = {"form": form, "known": [known.name for known in FORMATS], "shown": {}, **more}
    stored = more.get("stored")
    if isinstance(stored, Stored):
        context["faults"] = stored.faults[:100]
        context["storable"] = sum(stored.counts.values())
    return render(request, "lab/import.html", context, status=status)


def _folder() -> Path:
    folder: Path = settings.VAR_DIR / "uploads"
    folder.mkdir(exist_ok=True)
    return folder


def _kept(file: UploadedFile[bytes]) -> tuple[str, Path]:
    """Keep the upload under its digest; the reader tells formats by content and suffix."""
    _forget_old()
    name = Path(file.name or "upload").name
    suffix = SUFFIX.search(name)
    digest = hashlib.sha256()
    partial = _folder() / f"partial-{id(file)}"
    with partial.open("wb") as sink:
        for chunk in file.chunks():
            digest.update(chunk)
            sink.write(chunk)
    target = _folder() / (digest.hexdigest() + (suffix.group(0).lower() if suffix else ""))
    partial.replace(target)
    return name, target


def _forget_old() -> None:
    """Uploads that nobody confirmed, and what an aborted one left."""
    oldest = time.time() - KEPT_S
    for file in _folder().iterdir():
        with suppress(FileNotFoundError):  # confirmed meanwhile
            if file.stat().st_mtime < oldest:
                file.unlink()


def _checked(kept: str) -> str:
    """A name that `_kept` made, or one that is no file: nothing else may be read from the server's disk."""
    digest, dot, suffix = kept.partition(".")
    known = KEPT.match(digest) and (not dot or SUFFIX.fullmatch("." + suffix))
    return kept if known else "no such upload"
