"""Deciding about an example from the pool: a judgement in its run's log, or for an imported one its own state."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from training import examples
from training.models import Example, ExampleState
from trajectories import review
from trajectories.models import Decision, Judgement


class NotDecided(ValueError):
    """The decision cannot be made; the message is a sentence for people."""


@dataclass(frozen=True, slots=True)
class Decided:
    """`left`: a sentence for each example that stays as it was."""

    done: int
    left: list[str]


def accept(example: Example, *, actor: str, key: str = "") -> None:
    """Raises NotDecided and review.Refused."""
    if example.run is None or example.step is None:
        _move(example, ExampleState.ACCEPTED)
        return
    review.accept(example.run, example.step, actor=actor, role=example.role, key=key)
    examples.settle_step(example.run.pk, example.step, taken=example.pk)


def reject(example: Example, *, actor: str, code: str = "not_wanted", key: str = "") -> None:
    if example.run is None or example.step is None:
        _move(example, ExampleState.REJECTED)
        return
    review.reject(example.run, example.step, actor=actor, code=code, key=key)
    examples.settle_step(example.run.pk, example.step)


def withdraw(example: Example, *, actor: str) -> None:
    """Take back every standing acceptance of the example's step; whatever used the example is tainted then."""
    if example.run is None or example.step is None:
        _move(example, ExampleState.WITHDRAWN)
        return
    standing = Decision.objects.filter(run=example.run, step=example.step, accepted=True)
    found = list(standing.select_related("judgement__run"))
    if not found:
        raise NotDecided("Nobody has accepted this example, so there is nothing to take back.")
    for decision in found:
        review.undo(decision.judgement, actor=actor)
    examples.settle_step(example.run.pk, example.step)


def decide_many(found: Iterable[Example], verb: str, *, actor: str, batch: str) -> Decided:
    """Accept or reject each example. Sending the same `batch` again decides nothing twice; `undo_batch` takes it back.

    What cannot be decided (already accepted, its run gone) is left as it was and told.
    """
    done, left = 0, []
    for example in found:
        decide = accept if verb == "accept" else reject
        try:
            with transaction.atomic():
                decide(example, actor=actor, key=f"{batch}:{example.pk}")
            done += 1
        except (NotDecided, review.Refused) as error:
            left.append(f"Example {example.pk}: {error}")
    return Decided(done, left)


def undo_batch(batch: str, *, actor: str) -> int:
    """Take back one's own decisions of a batch that still stand; returns how many.

    Imported examples have no run, so no judgement to take back: they keep their state.
    """
    said = Judgement.objects.standing().filter(actor=actor, key__startswith=f"{batch}:")
    found = list(said.select_related("run"))
    for judgement in found:
        with transaction.atomic():
            review.undo(judgement, actor=actor)
            if judgement.step is not None:
                examples.settle_step(judgement.run_id, judgement.step)
    return len(found)


def _move(example: Example, to: ExampleState) -> None:
    if not Example.objects.filter(pk=example.pk).move(to):
        raise NotDecided(
            f"This example is {example.get_state_display()}, so it cannot become {to.label.lower()}."
        )
