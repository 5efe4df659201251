"""Who has a step in hand: a ten-minute lease taken by compare-and-swap. It keeps two reviewers from meeting by chance;
when they meet all the same, both are told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.timezone import now

from trajectories.desk.models import ReviewLease

MINUTES = 10
TRIES = 5


@dataclass(frozen=True, slots=True)
class Hold:
    """`mine`: this reviewer holds it until `until`; otherwise `holder` does. `rival` came while it was held."""

    mine: bool
    holder: str
    until: datetime
    rival: str = ""


def take(run: int, step: int, actor: str) -> Hold:
    """Take or renew the lease of a step; what stands after that. Whoever held it may let it go at any moment."""
    for _ in range(TRIES):
        if held := _taken(run, step, actor):
            return Hold(held.actor == actor, held.actor, held.expires_at, held.rival)
    raise ReviewLease.DoesNotExist(f"step {step} of run {run} cannot be held")


def _taken(run: int, step: int, actor: str) -> ReviewLease | None:
    """None where the lease that stood in the way was let go before it could be read: it is to be had now."""
    moment = now()
    until = moment + timedelta(minutes=MINUTES)
    row = ReviewLease.objects.filter(run_id=run, step=step)
    renewed = row.filter(actor=actor, expires_at__gt=moment).update(expires_at=until)
    if not renewed:
        taken = row.filter(Q(actor=actor) | Q(expires_at__lte=moment)).update(
            actor=actor, expires_at=until, rival=""
        )
        if not taken and not _create(run, step, actor, until):
            row.filter(expires_at__gt=moment).exclude(actor=actor).update(rival=actor)
    return row.first()


def _create(run: int, step: int, actor: str, until: datetime) -> bool:
    try:
        with transaction.atomic():
            ReviewLease.objects.create(run_id=run, step=step, actor=actor, expires_at=until)
    except IntegrityError:
        return False
    return True


def release(run: int, step: int, actor: str) -> None:
    """A judged step is free at once."""
    ReviewLease.objects.filter(run_id=run, step=step, actor=actor).delete()


def held(keys: list[tuple[int, int]]) -> dict[tuple[int, int], ReviewLease]:
    """Who has which of these steps. One query."""
    runs = {run for run, _ in keys}
    rows = ReviewLease.objects.filter(run__in=runs, expires_at__gt=now())
    return {(row.run_id, row.step): row for row in rows if (row.run_id, row.step) in set(keys)}
