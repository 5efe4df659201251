"""The pages of dataset versions: the list by role, a new one, one with its rows and its report, and two compared."""

from __future__ import annotations

import tempfile
import uuid
from functools import partial
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from solver.campaigns.models import Campaign
from solver.engines.base_model import BadBase
from training import tasks as celery_tasks
from training.datasets import files, lifecycle, tokens
from training.datasets.compare import compare
from training.datasets.formats import FORMATS
from training.datasets.spec import DatasetSpec
from training.encoding import CannotEncode
from training.models import DatasetRow, DatasetVersion, Example, Way
from training.spec_text import BadJob, read_data, read_yaml, to_yaml
from trajectories.agents import AGENTS
from trajectories.exporters.streamed import streamed
from trajectories.sent_once import key_of_form

PAGE = 50
LARGEST_UPLOAD = 512 << 20
FILE_PIECE = 1 << 18


def whole(text: str, default: int = 0) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else default


@require_safe
def versions(request: HttpRequest) -> HttpResponse:
    found = lifecycle.with_taint(DatasetVersion.objects.defer("report", "spec"))
    pool = Example.objects.values("role", "state").annotate(n=Count("pk")).order_by()
    counts: dict[str, dict[str, int]] = {role: {} for role in AGENTS}
    for row in pool:
        counts.setdefault(row["role"], {})[row["state"]] = row["n"]
    by_role = [(role, counts[role], [v for v in found if v.role == role]) for role in AGENTS]
    return render(request, "data/datasets.html", {"roles": by_role, "formats": FORMATS.values()})


def new(request: HttpRequest) -> HttpResponse:
    """GET fills the form from `role`, or from a version (`from`); POST builds what the YAML, or the form, says."""
    if request.method != "POST":
        return _form(request, _first(request))
    by_form = request.POST.get("do") == "form"
    try:
        spec = (
            read_data(DatasetSpec, _given(request.POST))
            if by_form
            else read_yaml(DatasetSpec, request.POST.get("yaml", ""))
        )
        version = lifecycle.start(
            spec, request_id=key_of_form(request.POST), created_by=request.user.get_username()
        )
    except BadJob as error:
        shown = request.POST.dict() | {"yaml": request.POST.get("yaml", "")}
        return _form(request, shown, error.faults, status=422)
    celery_tasks.ring_build(version.pk)
    return redirect("dataset", version.role, version.number)


def _first(request: HttpRequest) -> dict[str, Any]:
    if source := DatasetVersion.objects.filter(pk=whole(request.GET.get("from", ""))).first():
        spec = DatasetSpec.model_validate(source.spec)
    else:
        role = request.GET.get("role", "planning")
        spec = read_data(DatasetSpec, {"role": role if role in AGENTS else "planning"})
    return {
        "role": spec.role,
        "ways": list(spec.ways),
        "reviewed": spec.reviewed,
        "per_problem": spec.per_problem or "",
        "near_duplicates": spec.near_duplicates,
        "eval_share": spec.eval_share,
        "campaigns": ", ".join(map(str, spec.against.campaigns)),
        "yaml": to_yaml(spec),
    }


def _given(post: QueryDict) -> dict[str, Any]:
    campaigns = [whole(word.strip(), -1) for word in post.get("campaigns", "").split(",") if word.strip()]
    numbers = {
        name: post.get(name, "").strip()
        for name in ("near_duplicates", "eval_share", "limit", "seed")
        if post.get(name, "").strip()
    }
    return {
        "role": post.get("role", ""),
        "ways": post.getlist("ways"),
        "reviewed": bool(post.get("reviewed")),
        "per_problem": post.get("per_problem", "").strip() or None,
        **numbers,
        **({"against": {"campaigns": campaigns}} if campaigns else {}),
    }


def _form(
    request: HttpRequest, values: dict[str, Any], faults: tuple[Any, ...] = (), status: int = 200
) -> HttpResponse:
    context = {
        "values": values,
        "faults": faults,
        "all_roles": AGENTS,
        "ways": Way.choices,
        "recent": Campaign.objects.only("pk", "name")[:20],
        "request_id": uuid.uuid4().hex,
    }
    return render(request, "data/dataset_new.html", context, status=status)


def _version(role: str, number: int) -> DatasetVersion:
    found: DatasetVersion = get_object_or_404(
        lifecycle.with_taint(DatasetVersion.objects.select_related("parent")), role=role, number=number
    )
    return found


@require_safe
def detail(request: HttpRequest, role: str, number: int) -> HttpResponse:
    version = _version(role, number)
    after, split = whole(request.GET.get("after", "")), request.GET.get("split", "")
    rows = DatasetRow.objects.filter(version=version, position__gte=after).select_related("example__problem")
    if split in ("train", "eval"):
        rows = rows.filter(split=split)
    shown = list(rows.defer("example__messages")[: PAGE + 1])
    others = DatasetVersion.objects.filter(role=role, state="ready").exclude(pk=version.pk)
    context = {
        "version": version,
        "rows": shown[:PAGE],
        "next": shown[PAGE].position if len(shown) > PAGE else None,
        "split": split,
        "others": others.only("pk", "role", "number")[:50],
        "same": others.filter(digest=version.digest).first() if version.digest else None,
        "yaml": to_yaml(DatasetSpec.model_validate(version.spec)),
        "formats": FORMATS.values(),
        "pairs": version.rows.exclude(example__refused="").count(),
        "ways": version.rows.values_list("example__way").annotate(n=Count("pk")).order_by("-n"),
    }
    return render(request, "data/dataset.html", context)


@require_safe
def tokens_page(request: HttpRequest, role: str, number: int) -> HttpResponse:
    """The rows as tokens under a base's chat template: `base` names an engine, `length` the cut-off."""
    version = _version(role, number)
    bases = tokens.bases()
    chosen = request.GET.get("base", "") or (bases[0].name if bases else "")
    length = min(max(whole(request.GET.get("length", ""), 4096), 1), 1_000_000)
    context: dict[str, Any] = {"version": version, "bases": bases, "chosen": chosen, "length": length}
    try:
        context["found"] = tokens.count(version, tokens.folder_of(chosen), length)
    except (LookupError, CannotEncode, BadBase) as error:
        context["problem"] = str(error)
    return render(request, "data/dataset_tokens.html", context)


@require_safe
def progress_part(request: HttpRequest, role: str, number: int) -> HttpResponse:
    return render(request, "data/_version_progress.html", {"version": _version(role, number)})


@require_POST
def act(request: HttpRequest, role: str, number: int, verb: str) -> HttpResponse:
    version = _version(role, number)
    verbs = {"rebuild": lifecycle.without_withdrawn, "without-overlap": lifecycle.without_overlap}
    if verb not in verbs:
        raise Http404(f"there is nothing called {verb!r} to do with a version")
    try:
        made = verbs[verb](
            version,
            request_id=request.POST.get("request_id", "")[:64] or f"{verb}-{version.pk}",
            created_by=request.user.get_username(),
        )
    except BadJob as error:
        messages.error(request, str(error))
        return redirect("dataset", role, number)
    celery_tasks.ring_build(made.pk)
    return redirect("dataset", made.role, made.number)


@require_safe
def difference(request: HttpRequest) -> HttpResponse:
    before, after = (
        get_object_or_404(DatasetVersion, pk=whole(request.GET.get(name, ""))) for name in ("a", "b")
    )
    return render(request, "data/dataset_diff.html", {"found": compare(before, after)})


# -- files


@require_safe
def export(request: HttpRequest, role: str, number: int, form: str) -> HttpResponseBase:
    version = _version(role, number)
    split = request.GET.get("split", "")
    if version.state != "ready" or split not in ("", "train", "eval"):
        raise Http404(f"{version} has no such file")
    name = f"{version.role}-v{version.number}{f'-{split}' if split else ''}"
    if form == "provenance":
        return streamed(request, files.provenance(version), f"{name}-provenance.jsonl")
    if form not in FORMATS:
        raise Http404(f"there is no format {form!r}; there are {', '.join(FORMATS)}")
    known = FORMATS[form]
    if known.suffix == "parquet":
        whole_file = iter(partial(files.parquet(version, split).read, FILE_PIECE), b"")
        return streamed(request, whole_file, f"{name}.parquet", "application/vnd.apache.parquet")
    return streamed(request, files.lines(version, known, split), f"{name}-{form}.{known.suffix}")


def import_examples(request: HttpRequest) -> HttpResponse:
    """A file in any of the export formats becomes candidates of a role."""
    context: dict[str, Any] = {"all_roles": AGENTS, "found": None, "problem": ""}
    file = request.FILES.get("file") if request.method == "POST" else None
    if request.method != "POST":
        return render(request, "data/import.html", context)
    licence = request.POST.get("licence", "").strip()
    if file is None or not licence or request.POST.get("role") not in AGENTS:
        context["problem"] = (
            "Choose a file and a role, and write the licence of the data: without one nobody can train on it."
        )
        return render(request, "data/import.html", context, status=422)
    if (file.size or 0) > LARGEST_UPLOAD:
        context["problem"] = f"The file has {file.size:,} bytes; at most {LARGEST_UPLOAD:,} are read."
        return render(request, "data/import.html", context, status=422)
    with tempfile.NamedTemporaryFile(prefix="mcl-import-") as copy:
        for piece in file.chunks():
            copy.write(piece)
        copy.flush()
        author = request.POST.get("author", "").strip() or Path(file.name or "file").name
        found = files.import_file(Path(copy.name), request.POST["role"], author=author, licence=licence)
    return render(request, "data/import.html", {**context, "found": found})
