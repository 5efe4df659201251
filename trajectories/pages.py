"""The pages of the record: the loop, problems, runs, one run, one step, one test. Reading only; verbs live in solver."""

from __future__ import annotations

import json
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from trajectories import cases, eventlog, highlight, palette, patches, queries, run_page, story
from trajectories.exporters.formats import FORMATS
from trajectories.models import Problem, Run, StepEvent
from trajectories.story import Card, Story

RAW_CLIP = 64_000


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
    return render(request, "lab/runs.html", {"page": page, "chosen": chosen, "any": _any(chosen)})


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
    run = get_object_or_404(Run.objects.select_related("problem"), pk=pk)
    told = story.tell(run)
    run_page.fill(run, list(told.cards.values()))
    context = {
        **run_page.head(run, told, run.problem.tag_names),
        **run_page.axis(run, told),
        "items": told.items(),
        "outline": run_page.outline(told),
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
    run = get_object_or_404(Run.objects.select_related("problem"), pk=pk)
    if request.GET.get("frame"):
        return JsonResponse({"last": run.last_seq, "patches": patches.frame(run)})
    after = request.GET.get("after", "0")
    if not (after.isascii() and after.isdigit() and len(after) < 10):
        return JsonResponse({"error": f"after={after[:20]!r} is not a sequence number"}, status=400)
    messages = patches.messages(run.pk, eventlog.read_after(run.pk, int(after)))
    return JsonResponse({"last": run.last_seq, "events": messages})


def _card(pk: int, number: int) -> tuple[Run, Story, Card]:
    run = get_object_or_404(Run.objects.select_related("problem"), pk=pk)
    told = story.tell(run, {number})
    if number not in told.cards:
        raise Http404(f"run {pk} has no step {number}")
    return run, told, told.cards[number]


@require_safe
def run_step(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """One step alone, or with `?fragment=1` the inside of one of its tabs."""
    run, told, card = _card(pk, number)
    run_page.fill(run, [card])
    assert card.body is not None
    tab = request.GET.get("tab", "")
    tab = tab if any(choice.key == tab for choice in card.body.tabs) else card.body.tabs[0].key
    numbers = [step.number for step in told.steps]
    context: dict[str, Any] = {
        "run": run,
        "card": card,
        "tab": tab,
        "before": number - 1 if number - 1 in numbers else None,
        "after": number + 1 if number + 1 in numbers else None,
    }
    if tab in ("prompt", "raw"):
        events = list(StepEvent.objects.filter(run=run, step=number).order_by("seq"))
        started = [event.payload for event in events if event.kind == "step.started"]
        context |= {"prompt": started[-1] if started else None, "events": [_raw(event) for event in events]}
    if tab == "program" and card.code is not None:
        context["program"] = highlight.lines(card.code, card.language)
    return render(request, "run/_pane.html" if request.GET.get("fragment") else "run/step.html", context)


def _raw(event: StepEvent) -> dict[str, Any]:
    text = json.dumps(event.payload, indent=1, ensure_ascii=False)
    cut = max(0, len(text) - RAW_CLIP)
    return {
        "seq": event.seq,
        "kind": event.kind,
        "created_at": event.created_at,
        "json": text[:RAW_CLIP],
        "cut": cut,
    }


@require_safe
def run_case(request: HttpRequest, pk: int, number: int, test: int) -> HttpResponse:
    """One judged test, whole; `?fragment=1` clipped for the card, `?download=input` as a file."""
    run, _, card = _card(pk, number)
    results = ((card.end or {}).get("report") or {}).get("results") or []
    if card.step.role != "judge" or not 1 <= test <= len(results):
        raise Http404(f"step {number} of run {pk} judged no test {test}")
    key = (card.step.suite, test - 1)
    question = cases.questions(run.problem_id, [key]).get(key)
    if wanted := request.GET.get("download"):
        return _download(question, wanted, f"run{pk}-s{number}-test{test}-{wanted}.txt")
    fragment = bool(request.GET.get("fragment"))
    view = cases.case(results[test - 1], test - 1, question, cases.CLIP if fragment else cases.WHOLE)
    context: dict[str, Any] = {"run": run, "card": card, "case": view}
    if fragment:
        return render(request, "run/body/_case.html", context)
    failing = [
        place
        for place, result in enumerate(results, start=1)
        if place > test and result.get("verdict") != "AC"
    ]
    return render(
        request,
        "run/case.html",
        {**context, "judged": len(results), "next_failing": failing[0] if failing else None},
    )


def _download(question: cases.Question | None, wanted: str, name: str) -> HttpResponse:
    text = {"input": question.input, "expected": question.expected}.get(wanted) if question else None
    if text is None:
        raise Http404("there is nothing of that name to download")
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
