"""What a reader keeps: named addresses, and keys of their own. In a lab without sign-in all readers are one."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from trajectories.desk.models import KeyMap, StarredView

MOST_VIEWS = 200
MOST_KEYS = 100
LONGEST_KEY = 24
FIXED = ("Escape", "Tab", "Enter")  # keys that keep their meaning everywhere


def owner_of(request: HttpRequest) -> str:
    return request.user.get_username()


# -- starred views


@require_safe
def views(request: HttpRequest) -> HttpResponse:
    """The reader's starred views, and with `?path=` the form that names one more."""
    mine = StarredView.objects.filter(owner=owner_of(request))
    path = request.GET.get("path", "")
    return render(request, "lab/views.html", {"views": mine, "path": path if _inside(path) else ""})


@require_POST
def star(request: HttpRequest) -> HttpResponse:
    name, path = request.POST.get("name", "").strip()[:80], request.POST.get("path", "")
    error = ""
    if not name:
        error = "A view needs a name."
    elif not _inside(path):
        error = "Only pages of this lab can be starred: open one and press its star."
    elif StarredView.objects.filter(owner=owner_of(request)).count() >= MOST_VIEWS:
        error = f"You have {MOST_VIEWS} starred views; remove one first."
    if error:
        mine = StarredView.objects.filter(owner=owner_of(request))
        return render(request, "lab/views.html", {"views": mine, "path": path, "error": error}, status=422)
    StarredView.objects.update_or_create(owner=owner_of(request), name=name, defaults={"path": path})
    return redirect("views")


@require_POST
def unstar(request: HttpRequest, pk: int) -> HttpResponse:
    StarredView.objects.filter(pk=pk, owner=owner_of(request)).delete()
    return redirect("views")


def _inside(path: str) -> bool:
    """An address of a page of this lab, and of nowhere else."""
    parts = urlsplit(path)
    if len(path) > 1000 or parts.scheme or parts.netloc or not path.startswith("/") or path.startswith("//"):
        return False
    try:
        resolve(parts.path)
    except Resolver404:
        return False
    return True


# -- keys


@require_http_methods(["GET", "HEAD", "POST"])
@ensure_csrf_cookie
def keys(request: HttpRequest) -> HttpResponse:
    """The reader's keys as JSON: the lab's name of a key to the one that is pressed instead."""
    if request.method == "POST":
        try:
            data = json.loads(request.body)
        except ValueError:
            data = None
        if sentence := _bad_keys(data):
            return JsonResponse({"error": sentence}, status=400)
        KeyMap.objects.update_or_create(owner=owner_of(request), defaults={"keys": data})
    row = KeyMap.objects.filter(owner=owner_of(request)).first()
    return JsonResponse({"keys": row.keys if row else {}})


def _bad_keys(data: Any) -> str:
    """Keys are exchanged, never lost or doubled: no two may be pressed alike."""
    if not isinstance(data, dict) or len(data) > MOST_KEYS:
        return f"Keys are a JSON object of at most {MOST_KEYS} names."
    names = [*data, *data.values()]
    if not all(isinstance(name, str) and 0 < len(name) <= LONGEST_KEY for name in names):
        return f"The name of a key has 1 to {LONGEST_KEY} characters."
    if taken := next((name for name in names if name in FIXED), ""):
        return f"{taken} keeps its meaning everywhere."
    if len(set(data.values())) != len(data):
        return "Two keys would be pressed alike; exchange them instead."
    return ""
