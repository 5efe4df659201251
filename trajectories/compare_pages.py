"""The compare page, and taking lines of one side as a correction of the other."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Case, When
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from trajectories import comparison, review
from trajectories.card import Card
from trajectories.comparison import Comparison, answer_with, text_of
from trajectories.models import Run
from trajectories.side_by_side import merged
from trajectories.story import tell

MOST_CHOICES = 30
NAMELESS = "reviewer"  # as at the review desk: a lab without sign-in has one reviewer


def _run(text: str) -> Run | None:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        return None
    return Run.objects.select_related("problem", "branch_of").filter(pk=int(text)).first()


def _attempt(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


@require_safe
def compare(request: HttpRequest) -> HttpResponse:
    """`?a=91&b=92`, with `attempt_a` and `attempt_b` one attempt of each; `a` alone shows what it can be compared with."""
    given = {name: request.GET.get(name, "") for name in ("a", "b", "attempt_a", "attempt_b")}
    left, right = _run(given["a"]), _run(given["b"])
    missing = [given[name] for name, run in (("a", left), ("b", right)) if given[name] and run is None]
    if left is None or right is None:
        start = {"left": left, "missing": missing, "choices": _choices(left) if left else []}
        return render(request, "lab/compare_start.html", start, status=404 if missing else 200)
    sides = (
        comparison.side(left, _attempt(given["attempt_a"])),
        comparison.side(right, _attempt(given["attempt_b"])),
    )
    found = comparison.compare(*sides)
    context = {
        "found": found,
        "given": given,
        "unified": request.GET.get("view") == "unified",
        "only_changes": request.GET.get("show") == "differences",
        "attempts_a": comparison.attempts(found.left.told.steps),
        "attempts_b": comparison.attempts(found.right.told.steps),
        "flips": _flips(found),
    }
    return render(request, "lab/compare.html", context)


def _flips(found: Comparison) -> bool:
    a, b = found.left.last_judged, found.right.last_judged
    return bool(a and b and a.suite == b.suite and a.verdict != "AC" and b.verdict == "AC")


def _choices(run: Run) -> list[Run]:
    """Runs that are worth comparing with this one: its branches, its parent, others of the same problem, newest first."""
    related = Run.objects.filter(problem__external_id=run.problem.external_id).exclude(pk=run.pk)
    kin = Case(When(branch_of=run.pk, then=0), When(pk=run.branch_of_id or 0, then=1), default=2)
    return list(related.select_related("problem").order_by(kin, "-pk")[:MOST_CHOICES])


@require_POST
def take(request: HttpRequest) -> HttpResponse:
    """The chosen hunks of the right step's text, as a correction of the left step. A script that asks for JSON is told that
    it was done; what there is to say waits for the next page."""
    given = request.POST
    left, right = (
        _card(given.get("a", ""), given.get("left", "")),
        _card(given.get("b", ""), given.get("right", "")),
    )
    back = given.get("back", "")
    back = back if back.startswith("/compare/?") else reverse("compare")
    taken = {
        int(text) for text in given.getlist("hunk") if text.isascii() and text.isdigit() and len(text) < 9
    }
    old, new = text_of(left), text_of(right)
    text = merged(old, new, taken)
    if text == old:
        messages.info(request, "Choose at least one part to take.")
        return _done(request, back)
    run, other = left.step.run, right.step.run
    parts = f"{len(taken)} part{'' if len(taken) == 1 else 's'}"
    review.correct(
        run,
        left.number,
        answer_with(run, left.number, old, text),
        actor=request.user.get_username() or NAMELESS,
        branch=other.pk if text == merged(new, new, ()) and other.branch_of_id == run.pk else None,
        reason=f"{parts} of run {other.pk}, step {right.number}",
        key=given.get("key", "")[:64],
    )
    messages.success(
        request, f"Step {left.number} of run {run.pk} is corrected with {parts}; the original stays."
    )
    return _done(request, back)


def _done(request: HttpRequest, back: str) -> HttpResponse:
    if request.accepts("text/html"):
        return redirect(back)
    return JsonResponse({"done": True})


def _card(run: str, number: str) -> Card:
    found, step = _run(run), _attempt(number)
    card = tell(found, {step}).cards.get(step) if found is not None and step is not None else None
    if card is None:
        raise Http404("there are no such steps to take lines from")
    return card
