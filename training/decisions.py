"""Deciding about an example from the pool: a judgement in its run's log, or for an imported one its own state."""

from __future__ import annotations

from training import examples
from training.models import Example, ExampleState
from trajectories import review
from trajectories.models import Decision


class NotDecided(ValueError):
    """The decision cannot be made; the message is a sentence for people."""


def accept(example: Example, *, actor: str, key: str = "") -> None:
    """Raises NotDecided and review.Refused."""
    if example.run is None or example.step is None:
        _move(example, ExampleState.ACCEPTED)
        return
    review.accept(example.run, example.step, actor=actor, role=example.role, key=key)
    examples.settle_step(example.run.pk, example.step)


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


def _move(example: Example, to: ExampleState) -> None:
    if not Example.objects.filter(pk=example.pk).move(to):
        raise NotDecided(
            f"This example is {example.get_state_display()}, so it cannot become {to.label.lower()}."
        )
