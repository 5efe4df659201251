"""Accepting a step: a judgement in the run's log and an example among the training rows, in one transaction.

`Example` follows the judgement: taken back with an undo, brought back with a redo. Desk pages call these verbs; nothing
listens to the judgements of others.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from training import examples
from training.desk.rows import Row, row
from training.models import Example, ExampleState
from trajectories import review
from trajectories.models import Judgement, Run, Step


@dataclass(frozen=True, slots=True)
class Accepted:
    """`held`: the row has flags that nobody has confirmed, so nothing was stored."""

    row: Row
    held: bool
    judgement: Judgement | None = None
    example: Example | None = None


def accept(run: Run, step: Step, *, actor: str, confirmed: bool, reason: str = "", key: str = "") -> Accepted:
    """Accept the step's answer, or its correction, as a training row. Raises NoRow and review.Refused."""
    made = row(run, step)
    if made.flags and not confirmed:
        return Accepted(made, held=True)
    with transaction.atomic():
        said = review.accept(run, step.number, actor=actor, role=made.role, reason=reason, key=key)
        example = _store(made)
    return Accepted(made, held=False, judgement=said, example=example)


def _store(made: Row) -> Example:
    example, new = Example.objects.get_or_create(
        digest=made.digest,
        defaults={
            "role": made.role,
            "way": made.way,
            "state": ExampleState.ACCEPTED,
            "problem": made.run.problem,
            "run": made.run,
            "step": made.step,
            "origin_run": made.origin_run,
            "origin_step": made.origin_step,
            "messages": made.messages,
            "answer": made.answer,
            "refused": made.refused,
            "author": made.author[:200],
            "licence": made.run.problem.licence,
        },
    )
    if not new and example.refused != made.refused and not example.rows.exists():
        example.refused = made.refused  # no version holds it, so nothing that is frozen changes
        example.save(update_fields=["refused"])
    if not new and example.state != ExampleState.ACCEPTED:
        Example.objects.filter(pk=example.pk).move(ExampleState.ACCEPTED)
        example.refresh_from_db()
    # A step teaches one answer: an earlier one, accepted before it was corrected, gives way.
    earlier = Example.objects.filter(run=made.run, step=made.step, state=ExampleState.ACCEPTED)
    earlier.exclude(pk=example.pk).move(ExampleState.WITHDRAWN)
    return example


def reject(
    run: Run, step: Step, *, actor: str, code: str, reason: str = "", key: str = ""
) -> Judgement | None:
    with transaction.atomic():
        said = review.reject(run, step.number, actor=actor, code=code, reason=reason, key=key)
        examples.settle_step(run.pk, step.number)
    return said
