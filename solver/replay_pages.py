"""The page of a step's replays: change something, run what follows once or several times, see how often it flips."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_http_methods

from solver import branches, engine_book, replays
from solver.change import Change
from trajectories import story
from trajectories.card import Card
from trajectories.models import Blame, Run
from trajectories.wording import TITLES

KINDS = {
    "edit": "Edit the answer",
    "feedback": "Ask again with feedback",
    "models": "Other models from here on",
    "engine": "Another engine for this step",
    "again": "Draw again",
}
OF_IMPORTED = ("edit", "feedback", "again")
ROLES = ("retrieval", "planning", "confidence", "coding", "debugging")


@ensure_csrf_cookie
@require_http_methods(["GET", "HEAD", "POST"])
def step_replays(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    run = get_object_or_404(Run.objects.select_related("problem", "branch_of"), pk=pk)
    told = story.tell(run, {number})
    card = told.cards.get(number)
    if card is None:
        raise Http404(f"run {pk} has no step {number}")
    error, status = "", 200
    if request.method == "POST":
        try:
            change, times = _asked(request, number)
            replays.start(
                run,
                change,
                times,
                reason="replay",
                request_id=str(request.POST.get("key", ""))[:60],
                goes_on=request.POST.get("goes_on", "")[:64],
            )
            return redirect("run-replays", pk, number)
        except branches.BranchRefused as refused:
            error, status = str(refused), 422
    return render(request, "run/replays.html", _context(request, run, card, told, error), status=status)


def _asked(request: HttpRequest, number: int) -> tuple[Change, int]:
    given = request.POST
    kind = given.get("kind", "edit")
    if kind not in KINDS:
        raise branches.BranchRefused(f"There is no change of the kind {kind[:20]!r}.")
    times = given.get("times", "1")
    if not (times.isascii() and times.isdigit() and len(times) < 4):
        raise branches.BranchRefused(f"How often should be a number, not {times[:20]!r}.")
    models = {role: name for role in ROLES if (name := given.get(f"model_{role}", "").strip()[:200])}
    if kind == "models" and not models:
        raise branches.BranchRefused("Name the model of at least one agent.")
    text = given.get("text", "").replace("\r\n", "\n").replace("\0", "")
    change = Change(
        at=number,
        kind=kind,  # type: ignore[arg-type]
        text=text if kind in ("edit", "feedback") else "",
        models=models if kind == "models" else {},
        engine=given.get("engine", "")[:64] if kind == "engine" else "",
        actor=request.user.get_username(),
    )
    return change, int(times)


def _context(request: HttpRequest, run: Run, card: Card, told: story.Story, error: str) -> dict[str, Any]:
    given = request.POST if request.method == "POST" else request.GET
    answer = str((card.end or {}).get("text", ""))
    said = told.opinions.of(card.number)
    correction = said.corrections[-1].value.get("text") if said.corrections else None
    found = said.replays
    runs = {row.pk: row for row in Run.objects.filter(branch_of=run).select_related("problem")}
    roles = run.engine.get("roles") or {}
    return {
        "run": run,
        "card": card,
        "error": error,
        "why_not": branches.why_not(run) or _judge_step(card),
        "kinds": {key: KINDS[key] for key in OF_IMPORTED} if branches.needs_engine(run) else KINDS,
        "needs_engine": branches.needs_engine(run),
        "goes_on": given.get("goes_on", ""),
        "kind": given.get("kind", "edit"),
        "text": given.get("text", correction or answer),
        "times": given.get("times", "5"),
        "roles": [(role, TITLES[role], str(roles.get(role, ""))) for role in ROLES if roles.get(role)],
        "engines": engine_book.all_engines(),
        "found": [
            (one, [runs[branch.run] for branch in one.branches if branch.run in runs]) for one in found
        ],
        "evidence": Blame.objects.filter(run=run, source="replay", step=card.number).select_related(
            "judgement"
        ),
        "busy": any(one.running for one in found),
    }


def _judge_step(card: Card) -> str:
    if card.step.role == "judge":
        return "This step is the judge's; change the agent's step whose program it judged."
    if card.step.role not in ROLES:
        return "What a supervisor says is an opinion of the run, not a step of it: replay the step it blames."
    return ""
