"""The events of a training run: the only code that inserts them. Each append names the fence of who appends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import F

from training.models import TrainingEvent, TrainingRun
from training.run_models import TrainingStatus

Fact = tuple[str, dict[str, Any]]  # kind, payload


class StaleFence(Exception):
    """Somebody else works on this run now."""


def append(run_id: int, facts: Sequence[Fact], *, fence: int | None, **changes: Any) -> int:
    """Insert events and change the row in one transaction; returns the last sequence number.

    With a `fence` only the attempt that holds the run may write. Raises StaleFence.
    """
    with transaction.atomic():
        held = TrainingRun.objects.filter(pk=run_id)
        if fence is not None:
            held = held.filter(fence=fence, status=TrainingStatus.RUNNING)
        if not held.update(last_seq=F("last_seq") + len(facts), **changes):
            raise StaleFence(f"training run {run_id} is not attempt {fence}'s any more")
        last: int = TrainingRun.objects.values_list("last_seq", flat=True).get(pk=run_id)
        first = last - len(facts) + 1
        TrainingEvent.objects.bulk_create(
            TrainingEvent(
                run_id=run_id, seq=first + place, kind=kind, step=payload.get("step"), payload=payload
            )
            for place, (kind, payload) in enumerate(facts)
        )
    return last
