"""The pages of supervision: a new one for a run or a campaign, and one with what came of every failed run."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from solver import engine_book
from training.spec_text import BadJob, read_data, to_yaml
from training.supervision import lifecycle, report
from training.supervision.models import Supervision, SupervisionCase
from training.supervision.spec import SupervisionSpec
from trajectories.sent_once import key_of_form

PAGE = 50
NUMBERS = ("votes", "rounds", "draws", "replays")


def _whole(text: str, default: int = 0) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else default


def new(request: HttpRequest) -> HttpResponse:
    """GET with `run` or `campaign` fills the form; POST starts what it says."""
    if request.method != "POST":
        return _form(request, _first(request.GET))
    try:
        spec = read_data(SupervisionSpec, _given(request.POST))
        job = lifecycle.start(
            spec,
            request_id=key_of_form(request.POST),
            created_by=request.user.get_username(),
        )
    except BadJob as error:
        return _form(request, request.POST.dict(), faults=error.faults, status=422)
    return redirect("supervision", job.pk)


def _first(query: QueryDict) -> dict[str, Any]:
    run, campaign = query.get("run", ""), query.get("campaign", "")
    about = f"run {run}" if run else f"campaign {campaign}" if campaign else "failed runs"
    strong = engine_book.default_teacher()
    return {
        "name": f"Supervise {about}",
        "run": run,
        "campaign": campaign,
        "supervisor": strong,
        "teacher": strong,
        "votes": "3",
        "rounds": "2",
        "draws": "1",
        "reviser": "student",
    }


def _given(post: QueryDict) -> dict[str, Any]:
    runs: dict[str, Any] = {}
    if campaign := _whole(post.get("campaign", "")):
        runs["campaign"] = campaign
    if run := _whole(post.get("run", "")):
        runs["ids"] = [run]
    if limit := _whole(post.get("limit", "")):
        runs["limit"] = limit
    numbers = {name: _whole(post.get(name, ""), -1) for name in NUMBERS if post.get(name)}
    votes_alone = {"temperature": 0.0} if numbers.get("votes") == 1 else {}
    reviser = post.get("reviser", "student")
    return {
        "name": post.get("name", "").strip(),
        "runs": runs,
        "supervisor": post.get("supervisor", ""),
        "reviser": reviser,
        "teacher": post.get("teacher", "") if reviser == "teacher" else "",
        **numbers,
        **votes_alone,
    }


def _form(
    request: HttpRequest, values: dict[str, Any], faults: tuple[Any, ...] = (), status: int = 200
) -> HttpResponse:
    context = {
        "values": values,
        "faults": faults,
        "engines": [spec for spec in engine_book.all_engines() if spec.kind.value == "openai"],
        "request_id": values.get("request_id") or uuid.uuid4().hex,
    }
    return render(request, "data/supervision_new.html", context, status=status)


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    job = get_object_or_404(Supervision, pk=pk)
    after = _whole(request.GET.get("after", ""))
    cases = SupervisionCase.objects.filter(supervision=job, position__gte=after)
    rows = list(cases.select_related("run__problem")[: PAGE + 1])
    context = {
        "job": job,
        "report": report.build(job),
        "cases": rows[:PAGE],
        "next": rows[PAGE].position if len(rows) > PAGE else None,
        "yaml": to_yaml(SupervisionSpec.model_validate(job.spec)),
        "engine": _engine(job.spec["supervisor"]),
    }
    return render(request, "data/supervision.html", context)


def _engine(name: str) -> Any:
    try:
        return engine_book.get(name)
    except LookupError:
        return None


@require_safe
def progress_part(request: HttpRequest, pk: int) -> HttpResponse:
    job = get_object_or_404(Supervision, pk=pk)
    return render(request, "data/_supervision_progress.html", {"job": job, "report": report.build(job)})


@require_POST
def act(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    get_object_or_404(Supervision, pk=pk)
    verbs = {"pause": lifecycle.pause, "resume": lifecycle.resume, "cancel": lifecycle.cancel}
    if verb not in verbs:
        raise Http404(f"there is nothing called {verb!r} to do with a supervision")
    if not verbs[verb](pk):
        messages.info(request, "It was no longer in a state in which that can be done.")
    return redirect("supervision", pk)
