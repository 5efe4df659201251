"""Two trajectories beside each other: steps aligned by agent and attempt, and what differs between each pair.

The same page serves two runs, two attempts of one run, a run and its branch, and one step answered by two models: the
last two are a run and a branch of it, whose steps before the change are the parent's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trajectories import run_page, story
from trajectories.alignment import align
from trajectories.card import Card
from trajectories.models import Run, Step, StepEvent
from trajectories.side_by_side import Sides, sides
from trajectories.story import Story

MOST_STEPS = 400  # of one side; a longer trajectory is compared one attempt at a time


@dataclass(slots=True)
class Side:
    """One trajectory, or one attempt of it. Attempt 0 (recall and plans) belongs to every attempt."""

    run: Run
    attempt: int | None
    told: Story
    steps: list[Step]
    cut: int = 0

    @property
    def title(self) -> str:
        return f"run {self.run.pk}" + (f", attempt {self.attempt}" if self.attempt is not None else "")

    @property
    def tokens(self) -> int:
        return sum(step.prompt_tokens + step.completion_tokens for step in self.steps)

    @property
    def seconds(self) -> float:
        return sum(step.seconds for step in self.steps)

    @property
    def last_judged(self) -> Step | None:
        """The hidden tests where they ran, else the last samples: the verdict this side ends with."""
        judged = [step for step in self.steps if step.role == "judge" and step.verdict]
        hidden = [step for step in judged if step.suite == "hidden"]
        ranked = hidden or judged
        return ranked[-1] if ranked else None


@dataclass(slots=True)
class Pair:
    """Two steps that correspond, or one that has no counterpart. `sides` compares their texts where both have one."""

    left: Card | None
    right: Card | None
    same: bool = False
    frozen: bool = False
    sides: Sides | None = None

    @property
    def either(self) -> Card:
        card = self.left or self.right
        assert card is not None
        return card

    @property
    def judged(self) -> bool:
        return self.either.step.role == "judge"

    @property
    def repaired(self) -> int:
        return sum(a != "a" and b == "a" for a, b in self._letters())

    @property
    def broken(self) -> int:
        return sum(a == "a" and b != "a" for a, b in self._letters())

    def _letters(self) -> list[tuple[str, str]]:
        """Only where both ran the same tests; the strips then pair test by test."""
        if not self.left or not self.right or self.left.step.suite != self.right.step.suite:
            return []
        return list(zip(self.left.step.strip, self.right.step.strip, strict=False))

    @property
    def takeable(self) -> bool:
        """Whether the right side's lines can correct the left step."""
        return not self.judged and bool(self.sides and self.sides.changed and self.left and self.right)


@dataclass(slots=True)
class Comparison:
    left: Side
    right: Side
    pairs: list[Pair]

    @property
    def changed(self) -> int:
        return sum(not pair.same and bool(pair.left and pair.right) for pair in self.pairs)

    @property
    def only_left(self) -> int:
        return sum(pair.right is None for pair in self.pairs)

    @property
    def only_right(self) -> int:
        return sum(pair.left is None for pair in self.pairs)

    @property
    def same_problem(self) -> bool:
        return self.left.run.problem_id == self.right.run.problem_id


def text_of(card: Card) -> str:
    """What of a step is compared: its program, its plan, or its answer as it was given."""
    if card.code is not None:
        return card.code
    return card.value if isinstance(card.value, str) else str((card.end or {}).get("text", ""))


def side(run: Run, attempt: int | None) -> Side:
    """One side with the cards of its steps. What a supervisor says afterwards is no part of the trajectory."""
    found = Step.objects.filter(run=run).exclude(role="supervisor").order_by("number")
    steps = list(found if attempt is None else found.filter(attempt__in=(0, attempt)))
    shown = steps[:MOST_STEPS]
    told = story.tell(run, {step.number for step in shown})
    run_page.fill(run, list(told.cards.values()))
    return Side(run, attempt, told, shown, len(steps) - len(shown))


def compare(left: Side, right: Side) -> Comparison:
    pairs = [
        _pair(
            None if i is None else left.told.cards.get(left.steps[i].number),
            None if j is None else right.told.cards.get(right.steps[j].number),
            right,
        )
        for i, j in align(_keys(left), _keys(right))
    ]
    return Comparison(left, right, pairs)


def _keys(one: Side) -> list[tuple[str, int, str]]:
    """Agent and attempt; two attempts of choice stand beside each other whatever their numbers."""
    return [
        (
            step.role,
            1 if one.attempt is not None and step.attempt == one.attempt else step.attempt,
            step.suite,
        )
        for step in one.steps
    ]


def _pair(left: Card | None, right: Card | None, other: Side) -> Pair:
    if left is None or right is None:
        return Pair(left, right)
    frozen = right.frozen and other.run.branch_of_id == left.step.run_id and left.number == right.number
    old, new = text_of(left), text_of(right)
    outcome = (left.step.verdict, left.step.strip, left.failure is None)
    same = old == new and outcome == (right.step.verdict, right.step.strip, right.failure is None)
    if same or old == new:
        return Pair(left, right, same=same, frozen=frozen)
    language = left.language if left.code is not None else "text"
    return Pair(left, right, frozen=frozen, sides=sides(old, new, language))


def answer_with(run: Run, number: int, old: str, new: str) -> str:
    """The step's whole answer with the compared text replaced: what stands around a program or plan stays."""
    ends = StepEvent.objects.filter(run=run, step=number, kind="step.finished").order_by("-seq")
    whole = str(ends.values_list("payload__text", flat=True).first() or "")
    for form in (old, old.strip("\n"), old.strip()):
        if form and form in whole:
            return whole.replace(form, new.strip("\n") if form != old else new, 1)
    return new


def attempts(steps: Sequence[Step]) -> list[int]:
    return sorted({step.attempt for step in steps if step.attempt})
