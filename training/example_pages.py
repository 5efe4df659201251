"""The pool of examples: filters, one example with everything it came from, and deciding about it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from training import decisions
from training.desk.people import actor_of
from training.models import DatasetRow, Example, ExampleState
from trajectories import diffs, review
from trajectories.models import Judgement

PAGE = 50
FACETS = {"role": "Role", "way": "Way", "state": "State"}


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


@require_safe
def pool(request: HttpRequest) -> HttpResponse:
    chosen = {name: request.GET.get(name, "").replace("\0", "") for name in (*FACETS, "problem", "before")}
    found = Example.objects.all()
    if problem := _whole(chosen["problem"]):
        found = found.filter(problem=problem)
    facets = []
    for name, title in FACETS.items():
        others = {key: chosen[key] for key in FACETS if key != name and chosen[key]}
        counts = found.filter(**others).values_list(name).annotate(n=Count("pk")).order_by("-n")
        facets.append((name, title, list(counts)))
    narrowed = found.filter(**{key: chosen[key] for key in FACETS if chosen[key]})
    total = narrowed.count()
    if before := _whole(chosen["before"]):
        narrowed = narrowed.filter(pk__lt=before)
    rows = list(narrowed.select_related("problem").defer("messages").order_by("-pk")[: PAGE + 1])
    context = {
        "rows": rows[:PAGE],
        "next": rows[PAGE - 1].pk if len(rows) > PAGE else None,
        "facets": facets,
        "chosen": chosen,
        "total": total,
    }
    return render(request, "data/examples.html", context)


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    example = get_object_or_404(Example.objects.select_related("problem", "run", "origin_run"), pk=pk)
    said = Judgement.objects.filter(run=example.run, step=example.step).order_by("seq") if example.run else []
    versions = DatasetRow.objects.filter(example=example).select_related("version").order_by("-version")
    context: dict[str, Any] = {
        "example": example,
        "diff": diffs.diff(example.refused, example.answer, "python") if example.refused else None,
        "judgements": said,
        "rows": versions,
        "can": {
            "accept": example.state
            in (ExampleState.CANDIDATE, ExampleState.REJECTED, ExampleState.WITHDRAWN),
            "reject": example.state == ExampleState.CANDIDATE,
            "withdraw": example.state == ExampleState.ACCEPTED,
        },
    }
    return render(request, "data/example.html", context)


@require_POST
def act(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    example = get_object_or_404(Example.objects.select_related("run"), pk=pk)
    verbs = {"accept": decisions.accept, "reject": decisions.reject, "withdraw": decisions.withdraw}
    if verb not in verbs:
        raise Http404(f"there is nothing called {verb!r} to do with an example")
    try:
        verbs[verb](example, actor=actor_of(request))
    except (decisions.NotDecided, review.Refused) as error:
        messages.error(request, str(error))
    return redirect("example", pk)
