"""Two steps of one problem beside each other: what is compared with what, and on which side each of them stands.

`this` is the step of a branch, or of the newer run; `other` the parent's step, or that of the run before it. Which stands
on the left is drawn from a digest of the two, so that it is the same for every reader and every reload, and says nothing
of what they are (position bias averages out over pairs, and is reported).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, IntegerField, OuterRef, Q, Subquery
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce

from trajectories import review
from trajectories.agents import AGENTS
from trajectories.desk.models import Choice, Pick, Preference
from trajectories.models import Judgement, Run, RunStatus, Step, StepEvent, StepState
from trajectories.opinions import KINDS

PROGRAMS = ("coding", "debugging")
ORIGINAL = "original"


@dataclass(frozen=True, slots=True)
class Pair:
    this: Step
    other: Step

    @property
    def on_left(self) -> bool:
        """Whether `this` stands on the left."""
        names = (f"{step.run.request_id} {step.number}" for step in (self.this, self.other))
        return bool(hashlib.sha256("\n".join(names).encode()).digest()[0] & 1)

    @property
    def left(self) -> Step:
        return self.this if self.on_left else self.other

    @property
    def right(self) -> Step:
        return self.other if self.on_left else self.this

    def choice(self, side: str) -> Choice:
        """Of `left`, `right`, `equal` or `skip`, as a reviewer says it."""
        if side in (Choice.EQUAL, Choice.SKIP):
            return Choice(side)
        return Choice.THIS if (side == "left") == self.on_left else Choice.OTHER

    @property
    def of_one_question(self) -> bool:
        """A branch's changed step and the original: both answer what the original was asked."""
        return _is_change(self.this.run, self.this.number, self.other.run_id, self.other.number)


def _is_change(run: Run, number: int, other: int, other_number: int) -> bool:
    return run.branch_of_id == other and (run.branch or {}).get("at") == number == other_number


def names(pair: Pair) -> tuple[str, str]:
    """What the two sides are, in a few words: of another model's answer the models, of a correction that it is one."""
    this, other = _models(pair)
    kind = str((pair.this.run.branch or {}).get("kind") or "") if pair.of_one_question else ""
    if kind in ("edit", "feedback", "again"):
        return KINDS[kind], ORIGINAL
    first, second = pair.this.run, pair.other.run
    for more in ("", "engine_name", "strategy", "language"):
        if more:
            this, other = f"{this}, {getattr(first, more)}", f"{other}, {getattr(second, more)}"
        if this != other:
            return this[:120], other[:120]
    return "the newer of two alike", "the older of two alike"


def _models(pair: Pair) -> tuple[str, str]:
    steps = (pair.this, pair.other)
    wanted = Q(pk__in=[])
    for step in steps:
        wanted |= Q(run=step.run_id, step=step.number)
    rows = StepEvent.objects.filter(wanted, kind="step.finished").order_by("seq")
    told = {
        (run, step): str(model or "")
        for run, step, model in rows.values_list("run", "step", "payload__model")
    }
    first, second = (
        told.get((step.run_id, step.number)) or step.run.engine_name or "unnamed" for step in steps
    )
    return first, second


def prefer(pair: Pair, choice: Choice, *, actor: str, key: str = "") -> Judgement | None:
    """As `review.prefer`, with the place and the names that the pair has."""
    return review.prefer(
        pair.this, pair.other, choice, on_left=pair.on_left, names=names(pair), actor=actor, key=key
    )


# -- what waits


def waiting(found: Any, pick: Pick, agent: str, reviewers: int, actor: str) -> Any:
    """Of the runs `found` those with a counterpart that still want this reviewer's preference, with `pick`, the step."""
    found = _changed(found, agent) if pick == Pick.CHANGE else _repeated(found, agent)
    said = Preference.objects.filter(run=OuterRef("pk"), step=OuterRef("pick"))
    found = found.exclude(Exists(said.filter(actor=actor)))
    decided = said.exclude(choice=Choice.SKIP)
    if reviewers == 1:
        return found.exclude(Exists(decided))
    people = decided.order_by().values("run").annotate(n=Count("actor", distinct=True)).values("n")
    return found.annotate(people=Coalesce(Subquery(people), 0)).filter(people__lt=reviewers)


def picked(found: Any, pick: Pick, agent: str) -> Any:
    """With `pick`, the step to look at."""
    if pick == Pick.CHANGE:
        return found.annotate(pick=Cast(KeyTextTransform("at", "branch"), IntegerField()))
    steps = _answers(OuterRef("pk"), agent)
    return found.annotate(pick=Subquery(steps.order_by("-number").values("number")[:1]))


def _answers(run: Any, agent: str, of: tuple[str, ...] = PROGRAMS) -> Any:
    return Step.objects.filter(run=run, role__in=[agent] if agent else of, state=StepState.DONE)


def _changed(found: Any, agent: str) -> Any:
    # Branches by themselves, by a range that an index answers: few runs are branches.
    branches = Run.objects.filter(branch_of__gt=0, status=RunStatus.FINISHED).order_by().values("pk")
    found = picked(found.filter(pk__in=branches), Pick.CHANGE, agent)
    own = _answers(OuterRef("pk"), agent, AGENTS).filter(number=OuterRef("pick"))
    original = _answers(OuterRef("branch_of"), agent, AGENTS).filter(number=OuterRef("pick"))
    return found.filter(Exists(own), Exists(original))


def _repeated(found: Any, agent: str) -> Any:
    before = _whole(agent).filter(problem=OuterRef("problem"), pk__lt=OuterRef("pk"))
    found = found.filter(branch_of=None, status=RunStatus.FINISHED)
    found = found.filter(Exists(_answers(OuterRef("pk"), agent)), Exists(before))
    return picked(found, Pick.RUNS, agent)


def _whole(agent: str) -> Any:
    """Finished runs that are nobody's branch and have an answer of the agent; without one, a program."""
    finished = Run.objects.filter(branch_of=None, status=RunStatus.FINISHED)
    return finished.filter(Exists(_answers(OuterRef("pk"), agent)))


def counterpart(step: Step, pick: Pick, agent: str = "") -> Step | None:
    """What an item of such a queue is compared with; None where there is nothing."""
    run = step.run
    if pick == Pick.CHANGE:
        if run.branch_of_id is None or (run.branch or {}).get("at") != step.number:
            return None
        found = _answers(run.branch_of_id, "", AGENTS).filter(number=step.number)
    else:
        before = _whole(agent).filter(problem=run.problem_id, pk__lt=run.pk).order_by("-pk").values("pk")[:1]
        found = _answers(Subquery(before), agent).order_by("-number")
    other: Step | None = found.select_related("run__problem").first()
    return other
