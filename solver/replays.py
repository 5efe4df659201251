"""Replays as evidence: start a change some times, and when its branches have ended say how often it flipped the verdict.

The share of flips is a blame of source `replay`, one for each step and kind of change: the agent of the changed step
where at least one replay was accepted, else nobody. It is said again when more replays of the same change have ended.
A draw is one trial, however many branches have it, and so are all branches in which no model was asked: the same program
is judged in each.
"""

from __future__ import annotations

from datetime import timedelta

from django.utils.timezone import now

from solver import branches
from solver.change import Change
from trajectories import opinions, review
from trajectories.agents import AGENTS
from trajectories.models import Judgement, Run, Step
from trajectories.opinions import Replays

MOST = 20  # replays of one change at once
LATE = timedelta(hours=1)  # how far back a lost settlement is looked for
AGENT = {"confidence": "planning"}


def start(
    parent: Run, change: Change, times: int, *, reason: str = "", request_id: str = "", goes_on: str = ""
) -> list[Run]:
    """`times` further replays of `change`. The same `request_id` again starts nothing. Raises BranchRefused."""
    if not 1 <= times <= MOST:
        raise branches.BranchRefused(f"A change is replayed 1 to {MOST} times at once, not {times}.")
    return branches.repeat(parent, change, times, reason=reason, request_id=request_id, goes_on=goes_on)


def run_ended(run_id: int) -> None:
    """If the run was the last branch of its change to end, say what the change shows."""
    run = Run.objects.select_related("branch_of").filter(pk=run_id).first()
    if run is not None and run.branch_of is not None:
        settle(run.branch_of)


def settle_missed() -> None:
    """Settlements that a killed worker owed."""
    recent = Run.objects.filter(finished_at__gt=now() - LATE).exclude(branch_of=None)
    for parent in Run.objects.filter(pk__in=recent.values("branch_of")):
        settle(parent)


def settle(parent: Run) -> int:
    """Say what the ended replays of `parent` show; how many judgements that made. Saying it again changes nothing."""
    made = 0
    for replays in opinions.group(parent, opinions.branches(parent.pk)):
        if replays.flippable and replays.ended and not replays.running and _settle(parent, replays):
            made += 1
    return made


def _settle(parent: Run, replays: Replays) -> Judgement | None:
    step = Step.objects.filter(run=parent, number=replays.at).first()
    agent = AGENT.get(step.role, step.role) if step else ""
    if agent not in AGENTS:
        return None
    trials = len(replays.ended)
    key = f"replay-{replays.branches[0].run}-{trials}-{replays.flips}"
    if Judgement.objects.filter(run=parent, key=key).exists():
        return None
    runs = ", ".join(str(branch.run) for branch in replays.ended)
    return review.blame(
        parent,
        agent if replays.flips else review.NOBODY,
        actor=f"{replays.title} at s{replays.at}",
        source="replay",
        step=replays.at,
        flips=replays.flips,
        trials=trials,
        reason=f"{replays.flips} of {trials} replays were accepted: run{'' if trials == 1 else 's'} {runs}"[
            :2000
        ],
        key=key,
    )
