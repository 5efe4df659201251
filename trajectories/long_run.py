"""What the page of a long run asks for while it is read: the headers of a stretch of steps, and the steps that hold words."""

from __future__ import annotations

from django.db.models import Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from trajectories import skeleton, story
from trajectories.models import Run, Step, StepEvent

LONGEST_WORDS = 200
SAID = {"step.finished": "payload__text", "step.failed": "payload__message", "tests.started": "payload__code"}


@require_safe
def run_headers(request: HttpRequest, pk: int) -> HttpResponse:
    """Headers of the steps that began with events `begin` to before `end`; `last` is the event that they are as of."""
    run = get_object_or_404(Run.objects.select_related("problem", "branch_of"), pk=pk)
    begin, end = number(request, "begin"), number(request, "end")
    if begin is None or end is None or not begin < end:
        return JsonResponse(
            {"error": "begin and end are numbers of events, begin the smaller one"}, status=400
        )
    told = story.tell(run, ())
    stretch = skeleton.between(told, begin, end)
    return JsonResponse(
        {
            "last": run.last_seq,
            "end": stretch.end,
            "column": skeleton.column(told, stretch),
            "outline": skeleton.outline(told, stretch),
        }
    )


@require_safe
def find(request: HttpRequest, pk: int) -> HttpResponse:
    """Numbers of the steps whose answer, program or line holds the words, whatever the case of their letters."""
    run = get_object_or_404(Run, pk=pk)
    words = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST_WORDS]
    return JsonResponse({"steps": sorted(_holding(run, words)) if words else []})


def _holding(run: Run, words: str) -> set[int]:
    holds = Q()
    for kind, text in SAID.items():
        holds |= Q(kind=kind, **{f"{text}__icontains": words})
    events = StepEvent.objects.filter(holds, run=run, step__isnull=False).values_list("step", "seq")
    began = dict(Step.objects.filter(run=run).values_list("number", "started_seq"))
    found: set[int] = set()
    for step, seq in events:
        if step is not None and seq >= began.get(step, 0):  # earlier: a try that was cut off
            found.add(step)
    line = Q()
    for column in ("role", "gist", "verdict", "suite", "format_failure"):
        line |= Q(**{f"{column}__icontains": words})
    return found | set(Step.objects.filter(line, run=run).values_list("number", flat=True))


def number(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 11 else None
