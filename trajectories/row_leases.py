"""Leases for rows that are jobs: claim by compare-and-swap, a fence, renewal from a thread.

The same protocol as `trajectories.leases`, for any model with `fence`, `lease_owner` and `lease_expires_at`.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, models
from django.db.models import F, Q
from django.utils.timezone import now

from trajectories.beating import beating

log = logging.getLogger(__name__)


class Leased(models.Model):
    """`fence` rises with every claim; whoever writes for the row names the fence it was given."""

    fence = models.PositiveIntegerField(default=0)
    lease_owner = models.CharField(max_length=64, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


def free() -> Q:
    """Rows that nobody holds, or whose lease ran out."""
    return Q(lease_expires_at=None) | Q(lease_expires_at__lt=now())


class Hold:
    """What the holder of a row may ask: is it still mine?"""

    def __init__(self, kind: type[Leased], pk: int, fence: int) -> None:
        self.kind, self.pk, self.fence = kind, pk, fence
        self.lost = threading.Event()

    def mine(self) -> Any:
        """The row, if it is still held under this fence: guarded updates start here."""
        return self.kind._default_manager.filter(pk=self.pk, fence=self.fence)

    def is_mine(self) -> bool:
        """Asked inside a transaction: locks the row, so that nobody can claim it before the commit."""
        return not self.lost.is_set() and bool(self.mine().update(fence=F("fence")))

    def renew(self) -> None:
        until = now() + timedelta(seconds=settings.LEASE_SECONDS)
        try:
            if not self.mine().update(lease_expires_at=until):
                self.lost.set()
        except DatabaseError:
            log.exception("%s %s: lease not renewed", self.kind.__name__, self.pk)


@contextlib.contextmanager
def held(kind: type[Leased], pk: int, when: Q, owner: str) -> Iterator[Hold | None]:
    """Hold the row while the body runs if it is free and `when` is true of it; None if it is not to be had."""
    fence = _claim(kind, pk, when, owner)
    if fence is None:
        yield None
        return
    hold = Hold(kind, pk, fence)
    try:
        with beating(f"{kind.__name__}-{pk}", hold.renew, settings.LEASE_SECONDS / 3):
            yield hold
    finally:
        hold.mine().update(lease_owner="", lease_expires_at=None)


def _claim(kind: type[Leased], pk: int, when: Q, owner: str) -> int | None:
    until = now() + timedelta(seconds=settings.LEASE_SECONDS)
    wanted = kind._default_manager.filter(free(), when, pk=pk)
    known: int | None = wanted.values_list("fence", flat=True).first()
    if known is None:
        return None
    # Swapped from the number that was read: read afterwards, it could be that of whoever took over meanwhile.
    won = wanted.filter(fence=known).update(lease_owner=owner[:64], lease_expires_at=until, fence=known + 1)
    return known + 1 if won else None
