"""The pool of examples: filters, one example with everything it came from, and deciding about it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from training import decisions
from training.desk.people import actor_of
from training.models import DatasetRow, Example, ExampleQuerySet, ExampleState
from trajectories import diffs, review
from trajectories.models import Judgement

PAGE = 50
AT_ONCE = 1000  # decisions in one request: some seconds
NUMBERS = ("problem", "run", "step", "before")
FACETS = {"role": "Role", "way": "Way", "state": "State"}


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _about(chosen: Mapping[str, str]) -> ExampleQuerySet:
    """All examples, or those of a problem, or of a step."""
    found = Example.objects.all()
    if problem := _whole(chosen.get("problem", "")):
        found = found.filter(problem=problem)
    if run := _whole(chosen.get("run", "")):
        found = found.of_step(run, _whole(chosen.get("step", "")))
    return found


@require_safe
def pool(request: HttpRequest) -> HttpResponse:
    chosen = {name: request.GET.get(name, "").replace("\0", "") for name in (*FACETS, *NUMBERS)}
    found = _about(chosen)
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
    states = dict(next(counts for name, _, counts in facets if name == "state"))
    candidates = states.get(ExampleState.CANDIDATE, 0) if chosen["state"] in ("", "candidate") else 0
    undo = request.GET.get("undo", "")
    context = {
        "request_id": uuid.uuid4().hex,
        "undo": undo if re.fullmatch(r"[0-9a-f]{32}", undo) else "",
        "candidates": candidates,
        "at_once": min(candidates, AT_ONCE),
        "rows": rows[:PAGE],
        "next": rows[PAGE - 1].pk if len(rows) > PAGE else None,
        "facets": facets,
        "chosen": chosen,
        "total": total,
    }
    return render(request, "data/examples.html", context)


def narrowed_candidates(chosen: Mapping[str, str]) -> QuerySet[Example]:
    """The undecided ones of the filters, oldest first."""
    found = _about(chosen).filter(state=ExampleState.CANDIDATE)
    found = found.filter(**{key: chosen[key] for key in ("role", "way") if chosen.get(key)})
    return found.order_by("pk")


@require_POST
def decide(request: HttpRequest) -> HttpResponse:
    """Accept or reject the ticked examples, or every candidate of the filters; or take a batch back."""
    kept = {name: value for name in (*FACETS, *NUMBERS[:-1]) if (value := request.POST.get(name))}
    back = f"{reverse('examples')}?{urlencode(kept)}"
    actor, say, batch = actor_of(request), request.POST.get("say", ""), request.POST.get("batch", "")[:32]
    if not re.fullmatch(r"[0-9a-f]{32}", batch):
        messages.error(request, "The page was incomplete; nothing was decided. Try once more.")
        return redirect(back)
    if say == "undo":
        taken = decisions.undo_batch(batch, actor=actor)
        messages.info(
            request,
            f"{taken} decision{'s' if taken != 1 else ''} taken back. What was accepted is withdrawn now and can be accepted again; what was rejected is a candidate.",
        )
        return redirect(back)
    verb, _, which = say.partition(" ")
    if verb not in ("accept", "reject") or which not in ("ticked", "all"):
        raise Http404(f"there is nothing called {say!r} to do with examples")
    ticked = [pk for text in request.POST.getlist("example") if (pk := _whole(text))]
    found = narrowed_candidates(request.POST) if which == "all" else Example.objects.filter(pk__in=ticked)
    decided = decisions.decide_many(found.select_related("run")[:AT_ONCE], verb, actor=actor, batch=batch)
    _tell(request, verb, decided)
    return redirect(f"{reverse('examples')}?{urlencode({**kept, 'undo': batch})}" if decided.done else back)


def _tell(request: HttpRequest, verb: str, decided: decisions.Decided) -> None:
    if not decided.done and not decided.left:
        messages.warning(request, "Nothing was ticked, so nothing was decided.")
        return
    if decided.done:
        messages.success(request, f"{decided.done} {verb}ed.")
    if decided.left:
        more = f" And {len(decided.left) - 1} more." if len(decided.left) > 1 else ""
        messages.warning(request, f"{decided.left[0]}{more}")


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    example = get_object_or_404(Example.objects.select_related("problem", "run", "origin_run"), pk=pk)
    said = Judgement.objects.filter(run=example.run, step=example.step).order_by("seq") if example.run else []
    versions = DatasetRow.objects.filter(example=example).select_related("version").order_by("-version_id")
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
