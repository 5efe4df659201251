"""One step alone, the inside of one of its views, what is said of it, copies of it, one of its tests."""

from __future__ import annotations

import json
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from trajectories import cases, highlight, prompt_delta, run_page, step_copy, story
from trajectories.card import Card
from trajectories.models import Run, Step, StepEvent
from trajectories.story import Story

RAW_CLIP = 64_000
ASKED = ("prompt", "whole", "raw")  # views that read the step's events


def _card(pk: int, number: int) -> tuple[Run, Story, Card]:
    run = get_object_or_404(Run.objects.select_related("problem", "branch_of"), pk=pk)
    told = story.tell(run, {number})
    if number not in told.cards:
        raise Http404(f"run {pk} has no step {number}")
    return run, told, told.cards[number]


@require_safe
def run_step(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """One step alone; with `?fragment=1` the inside of one of its views, with `?fragment=card` its card on the run page."""
    run, told, card = _card(pk, number)
    run_page.fill(run, [card])
    assert card.body is not None
    if request.GET.get("fragment") == "card":
        return render(request, "run/_step.html", {"card": card})
    tab = request.GET.get("tab", "")
    tab = tab if any(choice.key == tab for choice in card.body.tabs) else card.body.tabs[0].key
    numbers = [step.number for step in told.steps]
    context: dict[str, Any] = {
        "run": run,
        "card": card,
        "tab": tab,
        "before": number - 1 if number - 1 in numbers else None,
        "after": number + 1 if number + 1 in numbers else None,
        **_view(run, told, card, tab),
    }
    return render(request, "run/_pane.html" if request.GET.get("fragment") else "run/step.html", context)


def _view(run: Run, told: Story, card: Card, tab: str) -> dict[str, Any]:
    """What the view `tab` needs besides the card."""
    if tab in ASKED:
        events = list(StepEvent.objects.filter(run=run, step=card.number).order_by("seq"))
        started = [event.payload for event in events if event.kind == "step.started"]
        prompt = started[-1] if started else None
        found: dict[str, Any] = {"prompt": prompt, "events": [_raw(event) for event in events]}
        if tab == "prompt" and prompt:
            found["delta"] = prompt_delta.of(run, told.steps, card.step, prompt)
        return found
    if tab == "program" and card.code is not None:
        return {"program": highlight.lines(card.code, card.language)}
    if tab == "judge":
        return {"judged": _judged(run, told.steps, card.number)}
    return {}


def _judged(run: Run, steps: list[Step], number: int) -> Card | None:
    """The card of the first judging after step `number`: what became of its program."""
    after = next((step.number for step in steps if step.number > number and step.role == "judge"), None)
    if after is None:
        return None
    card = story.tell(run, {after}).cards[after]
    run_page.fill(run, [card])
    return card


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
def said(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """What people, supervisors and replays say of the step: the inside of the panel beside it."""
    run, told, card = _card(pk, number)
    elsewhere = told.opinions.elsewhere(number)
    return render(
        request, "run/_said.html", {"run": run, "card": card, "said": card.said, "elsewhere": elsewhere}
    )


@require_safe
def copied(request: HttpRequest, pk: int, number: int, form: str) -> HttpResponse:
    """The step as text to paste elsewhere: `markdown`, `curl` or `chat`."""
    run, _, card = _card(pk, number)
    make = step_copy.FORMS.get(form)
    if make is None:
        raise Http404(f"a step is copied as {', '.join(step_copy.FORMS)}, not as {form[:20]!r}")
    started = StepEvent.objects.filter(run=run, step=number, kind="step.started").order_by("-seq").first()
    return HttpResponse(
        make(card, started.payload if started else None), content_type="text/plain; charset=utf-8"
    )


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
