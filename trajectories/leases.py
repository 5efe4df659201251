"""Leases: the database row, not the broker's message, decides who works on a run.

`claim` is one compare-and-swap UPDATE that takes a free run and raises its fence; `held` renews the lease from a
thread; every write of the worker names the fence (see `trajectories.eventlog`), so a worker that was paused past its
lease cannot write into a run that another has taken over. `reap` returns orphans to the queue.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError
from django.utils.timezone import now

from trajectories.beating import beating
from trajectories.models import Run, RunStatus

log = logging.getLogger(__name__)


def _until() -> timedelta:
    return timedelta(seconds=settings.LEASE_SECONDS)


def claim(run_id: int, owner: str) -> int | None:
    """Take a queued or orphaned run; returns the new fence, or None if somebody else has it or it has ended.

    The fence is swapped from the number that was read, so the one returned is this claim's own: read afterwards, it
    could be that of a worker who took over from one that was paused in between.
    """
    known = Run.objects.filter(pk=run_id).claimable().values_list("fence", flat=True).first()
    if known is None:
        return None
    moment = now()
    won = (
        Run.objects.filter(pk=run_id, fence=known)
        .claimable()
        .update(
            status=RunStatus.RUNNING,
            lease_owner=owner,
            lease_expires_at=moment + _until(),
            fence=known + 1,
        )
    )
    if not won:
        return None
    Run.objects.filter(pk=run_id, started_at=None).update(started_at=moment)
    return known + 1


def renew(run_id: int, fence: int) -> bool:
    held = Run.objects.filter(pk=run_id, fence=fence, status=RunStatus.RUNNING)
    return held.update(lease_expires_at=now() + _until()) == 1


def reap() -> int:
    """Put runs whose lease ran out back in the queue; returns how many."""
    dead = Run.objects.filter(status=RunStatus.RUNNING, lease_expires_at__lt=now())
    return dead.update(status=RunStatus.QUEUED, lease_owner="", lease_expires_at=None, published_at=None)


def release(run_id: int, fence: int) -> bool:
    """Give a run back unfinished (the worker is shutting down); the next worker goes on from the log."""
    mine = Run.objects.filter(pk=run_id, fence=fence, status=RunStatus.RUNNING)
    return mine.update(status=RunStatus.QUEUED, lease_owner="", lease_expires_at=None, published_at=None) == 1


class Held:
    """What a working thread asks between steps: is the run still mine, does anybody want it stopped?"""

    def __init__(self, run_id: int, fence: int) -> None:
        self.run_id, self.fence = run_id, fence
        self.lost = threading.Event()
        self.cancel = threading.Event()

    def beat(self) -> None:
        """Renew and look for a cancel request; a database that is away for a moment is no loss of the lease."""
        try:
            if not renew(self.run_id, self.fence):
                self.lost.set()
            elif Run.objects.filter(pk=self.run_id, cancel_requested=True).exists():
                self.cancel.set()
        except DatabaseError:
            log.exception("run %s: lease not renewed", self.run_id)


@contextlib.contextmanager
def held(run_id: int, fence: int) -> Iterator[Held]:
    """Keep the lease while the body runs, beating at least once a second so that a cancel is noticed soon."""
    hold = Held(run_id, fence)
    with beating(f"lease-{run_id}", hold.beat, min(1.0, settings.LEASE_SECONDS / 3)):
        yield hold
