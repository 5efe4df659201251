"""The pages of the record: the loop, problems, runs, one run. Reading only; verbs live in solver."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from trajectories import eventlog, long_run, palette, patches, queries, run_page, skeleton, story
from trajectories.desk.presets import REASONS
from trajectories.exporters.formats import FORMATS
from trajectories.models import Problem, Run

FULL_STEPS = 250  # a longer run is read as headers whose bodies are fetched on approach


def _given(request: HttpRequest, *names: str) -> dict[str, str]:
    """Parameters of the address as text that any database takes: PostgreSQL knows no NUL."""
    return {name: request.GET.get(name, "").replace("\0", "") for name in names}


@require_safe
def problem_list(request: HttpRequest) -> HttpResponse:
    chosen = _given(request, "q", "source", "difficulty", "test_kind", "tag", "before", "after")
    page = queries.problems(chosen)
    return render(request, "lab/problems.html", {"page": page, "chosen": chosen, "any": _any(chosen)})


@require_safe
def run_list(request: HttpRequest) -> HttpResponse:
    facets = ("status", "verdict", "strategy", "engine_name", "blame", "tag")
    chosen = _given(request, "q", "problem", *facets, "before", "after")
    page = queries.runs(chosen)
    context = {"page": page, "chosen": chosen, "any": _any(chosen), "formats": FORMATS}
    return render(request, "lab/runs.html", {**context, "request_id": uuid.uuid4().hex})


def _any(chosen: dict[str, str]) -> bool:
    """Something narrows the list."""
    return any(value for name, value in chosen.items() if name not in ("before", "after"))


@require_safe
def go(request: HttpRequest) -> HttpResponse:
    """The box in the top bar: `91` or `run 91` is a run, `91 s4` its fourth step; anything else is looked for in problems."""
    text = _given(request, "q")["q"].strip()[: queries.LONGEST_QUERY]
    if asked := palette.numbers(text):
        run = Run.objects.filter(pk=asked[0]).first()
        if run is not None:
            step = "" if asked[1] is None else f"#s{asked[1]}"
            return redirect(reverse("run", args=[run.pk]) + step)
    if text and (problem := Problem.objects.current().filter(external_id=text).first()):
        return redirect("problem", problem.pk)
    found = list(Problem.objects.current().filter(title__iexact=text)[:2]) if text else []
    if len(found) == 1:
        return redirect("problem", found[0].pk)
    query = request.GET.copy()
    return redirect(f"{reverse('problems')}?{query.urlencode()}")


# -- one run


@require_safe
@ensure_csrf_cookie
def run_detail(request: HttpRequest, pk: int) -> HttpResponse:
    run = get_object_or_404(Run.objects.select_related("problem", "branch_of"), pk=pk)
    bare = run.step_count > FULL_STEPS
    told = story.tell(run, () if bare else None)
    run_page.fill(run, list(told.cards.values()))
    column: dict[str, Any] = (
        {"headers": skeleton.headers(told, long_run.number(request, "from") or 0)}
        if bare
        else {"items": told.items(), "outline": run_page.outline(told)}
    )
    context = {
        **run_page.head(run, told, run.problem.tag_names),
        **run_page.axis(run, told),
        **run_page.neighbours(run),
        **column,
        "bare": bare,
        "reasons": REASONS,
        "scale": run_page.scale(told.steps),
        "statement": run_page.statement(run.problem_id),
        "formats": FORMATS,
    }
    return render(request, "run/run.html", context)


@require_safe
def run_patches(request: HttpRequest, pk: int) -> HttpResponse:
    """What the WebSocket would have sent after event `after`: the reader of gaps, and of browsers without sockets.

    `?frame=1` gives header and lanes alone, for a clock that has outgrown the drawn axis.
    """
    run = get_object_or_404(Run.objects.select_related("problem", "branch_of"), pk=pk)
    if request.GET.get("frame"):
        return JsonResponse({"last": run.last_seq, "patches": patches.frame(run)})
    after = request.GET.get("after", "0")
    if not (after.isascii() and after.isdigit() and len(after) < 10):
        return JsonResponse({"error": f"after={after[:20]!r} is not a sequence number"}, status=400)
    messages = patches.messages(run.pk, eventlog.read_after(run.pk, int(after)))
    return JsonResponse({"last": run.last_seq, "events": messages})
