"""The pages of distillation: the list with supervision beside it, a new one, and one with its live yield."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from micro.engine_spec import TEACHER
from solver import engine_book
from training import practice
from training.distillation import lifecycle, report
from training.distillation.harvest import is_under_way
from training.distillation.models import Distillation, Harvest
from training.distillation.spec import DistillationSpec
from training.spec_text import BadJob, read_data, read_yaml, to_yaml
from training.supervision import report as supervision_report
from training.supervision.models import Supervision
from trajectories.models import Problem, Run
from trajectories.sent_once import key_of_form

PAGE = 50
SHOWN_RUNS = 50


@require_safe
def jobs(request: HttpRequest) -> HttpResponse:
    distilled = [(job, report.build(job)) for job in Distillation.objects.select_related("campaign")[:PAGE]]
    supervised = [(job, supervision_report.build(job)) for job in Supervision.objects.all()[:PAGE]]
    return render(request, "data/jobs.html", {"distillations": distilled, "supervisions": supervised})


def new(request: HttpRequest) -> HttpResponse:
    """GET shows a first spec; POST with `do` = form or yaml starts what it says."""
    if request.method != "POST":
        return _form(request, {"yaml": "", **_first()})
    try:
        spec = _wanted(request.POST)
        if request.POST.get("look"):
            return _form(
                request, {**_typed(request.POST), "yaml": to_yaml(spec)}, made=lifecycle.planned(spec)
            )
        job = lifecycle.start(
            spec, request_id=key_of_form(request.POST), created_by=request.user.get_username()
        )
    except BadJob as error:
        return _form(request, _typed(request.POST), error.faults, status=422)
    return redirect("distillation-job", job.pk)


def _first() -> dict[str, Any]:
    return {
        "name": "Distil",
        "teacher": engine_book.default_teacher(),
        "student": engine_book.MICRO,
        "split": "train",
        "sources": ["micro"] if engine_book.default_teacher() == TEACHER else [],
    }


def _wanted(post: QueryDict) -> DistillationSpec:
    """Raises BadJob."""
    match post.get("do"):
        case "form":
            return read_data(DistillationSpec, _given(post))
        case "imported":
            imported = {"strategies": post.getlist("strategy")}
            return read_data(DistillationSpec, {"name": _text(post, "name"), "imported": imported})
        case _:
            return read_yaml(DistillationSpec, post.get("yaml", ""))


def _typed(post: QueryDict) -> dict[str, Any]:
    """Everything that was typed and ticked, for the form to show again."""
    return {**post.dict(), "sources": post.getlist("source"), "kept": _kept(post)}


def _kept(post: QueryDict) -> list[str]:
    return [role for role in ("planning", "coding") if post.get(f"keep-{role}")]


def _text(post: QueryDict, name: str) -> str:
    return str(post.get(name) or "").strip()


def _given(post: QueryDict) -> dict[str, Any]:
    problems: dict[str, Any] = {
        "source": post.getlist("source"),
        "split": [split] if (split := _text(post, "split")) else [],
        "tags": [word.strip() for word in _text(post, "tags").split(",") if word.strip()],
        "limit": _text(post, "limit"),
    }
    budget = {name: value for name in ("calls", "tokens") if (value := _text(post, name))}
    numbers = {name: value for name in ("k", "t") if (value := _text(post, name))}
    return {
        "name": _text(post, "name"),
        "teacher": _text(post, "teacher"),
        "student": _text(post, "student"),
        "problems": {name: value for name, value in problems.items() if value},
        "teacher_roles": ["retrieval", *_kept(post)],
        **numbers,
        **({"budget": budget} if budget else {}),
    }


def _form(
    request: HttpRequest,
    values: dict[str, Any],
    faults: tuple[Any, ...] = (),
    status: int = 200,
    made: Any = None,
) -> HttpResponse:
    counted = {"count": Count("pk"), "train": Count("pk", filter=Q(split="train"))}
    sources = Problem.objects.current().values("source").annotate(**counted).order_by("source")
    context = {
        "values": values,
        "faults": faults,
        "plan": made,
        "engines": [spec for spec in engine_book.all_engines() if spec.kind.value != "routed"],
        "sources": sources,
        "practice": practice.held(),
        "recorded": _recorded(),
        "request_id": uuid.uuid4().hex,
    }
    return render(request, "data/distillation_new.html", context, status=status)


def _recorded() -> Iterable[Mapping[str, Any]]:
    """Imported trajectories by strategy: how many there are, were judged here, and passed."""
    judged, passed = ~Q(verdict=""), Q(verdict="AC")
    found = Run.objects.exclude(imported_from="").order_by("strategy").values("strategy")
    return found.annotate(
        count=Count("pk"), judged=Count("pk", filter=judged), passed=Count("pk", filter=passed)
    )


def _shown(job: Distillation) -> dict[str, Any]:
    """What changes while it works. `places`: the runs its campaign will have made; None where runs were imported."""
    harvests = Harvest.objects.filter(distillation=job).select_related("run__problem").order_by("-pk")
    return {
        "job": job,
        "campaign": job.campaign,
        "working": is_under_way(job),
        "report": report.build(job),
        "places": job.campaign.slots.count() if job.campaign else None,
        "harvests": harvests[:SHOWN_RUNS],
    }


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    job = get_object_or_404(Distillation.objects.select_related("campaign"), pk=pk)
    context = {**_shown(job), "yaml": to_yaml(DistillationSpec.model_validate(job.spec))}
    return render(request, "data/distillation.html", context)


@require_safe
def progress_part(request: HttpRequest, pk: int) -> HttpResponse:
    job = get_object_or_404(Distillation.objects.select_related("campaign"), pk=pk)
    return render(request, "data/_distillation_progress.html", _shown(job))
