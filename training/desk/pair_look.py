"""Two steps beside each other as a reviewer reads them: the texts and the question, and what they are once it is said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import Http404

from trajectories import comparison, queries, run_page, story
from trajectories.desk import pairs, queues
from trajectories.desk.models import Preference
from trajectories.desk.pairs import Pair
from trajectories.desk.queues import Item, Queue
from trajectories.models import Step, StepEvent
from trajectories.side_by_side import Sides, sides


@dataclass(frozen=True, slots=True)
class Half:
    """One side. `name` and `step` are shown to nobody who has not judged yet."""

    side: str  # left or right
    name: str
    step: Step
    text: str
    lines: list[Any]


@dataclass(frozen=True, slots=True)
class PairLook:
    item: Item
    other: str  # as `run-step`
    halves: tuple[Half, Half]
    changes: Sides
    alike: bool  # word for word
    asked: list[dict[str, str]]  # the one question both answer; empty where each had its own
    text: dict[str, Any]
    mine: str  # what this reviewer said: left, right, equal, skip; "" nothing

    @property
    def tabs(self) -> list[tuple[str, str]]:
        found = [("aligned", "Line by line")] if self.changes.changed else []
        found.append(("whole", "Whole answers"))
        if self.asked:
            found.append(("asked", "What both were asked"))
        return [*found, ("statement", "Statement")]


def look(step: Step, queue: Queue, actor: str) -> PairLook:
    """A fixed number of queries."""
    other = pairs.counterpart(step, queue.pick, queue.agent)
    if other is None:
        raise Http404(f"step {step.number} of run {step.run_id} has no counterpart in this queue")
    pair = Pair(step, other)
    texts = {id(one): _text(one) for one in (pair.this, pair.other)}
    (left, language), (right, _) = texts[id(pair.left)], texts[id(pair.right)]
    changes = sides(left, right, language)
    this, that = pairs.names(pair)
    first, second = (this, that) if pair.on_left else (that, this)
    return PairLook(
        item=queues.Item(step.run, step),
        other=f"{other.run_id}-{other.number}",
        halves=(
            Half("left", first, pair.left, left, changes.left),
            Half("right", second, pair.right, right, changes.right),
        ),
        changes=changes,
        alike=left == right,
        asked=_asked(pair.other) if pair.of_one_question else [],
        text=queries.problem_text(step.run.problem_id),
        mine=_mine(pair, actor),
    )


def _text(step: Step) -> tuple[str, str]:
    """What the step says, and in which language it is written."""
    told = story.tell(step.run, {step.number})
    card = told.cards.get(step.number)
    if card is None:
        raise Http404(f"step {step.number} of run {step.run_id} has no events")
    run_page.fill(step.run, [card])
    return comparison.text_of(card), card.language if card.code is not None else "text"


def _asked(step: Step) -> list[dict[str, str]]:
    rows = StepEvent.objects.filter(run=step.run_id, step=step.number, kind="step.started").order_by("-seq")
    found: list[dict[str, str]] = rows.values_list("payload__messages", flat=True).first() or []
    return found


def _mine(pair: Pair, actor: str) -> str:
    said = Preference.objects.filter(
        run=pair.this.run_id,
        step=pair.this.number,
        other=pair.other.run_id,
        other_step=pair.other.number,
        actor=actor,
    ).first()
    if said is None:
        return ""
    by_choice = {pair.choice(side): side for side in ("left", "right", "equal", "skip")}
    return next(side for choice, side in by_choice.items() if choice == said.choice)
