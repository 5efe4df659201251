"""Leases of training runs and devices: the same compare-and-swap as `trajectories.leases`, for two kinds of row.

A run is trained by whoever claimed it *and* a device; both are renewed together, so a worker that was paused past its lease
has lost both. `reap` returns orphans to the queue.
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

from training.models import Device, TrainingRun
from training.run_models import Ask, TrainingStatus
from trajectories.beating import beating

log = logging.getLogger(__name__)
_FREE = {"lease_owner": "", "lease_expires_at": None, "published_at": None}


def _until() -> timedelta:
    return timedelta(seconds=settings.LEASE_SECONDS)


def claim(run_id: int, owner: str) -> int | None:
    """Take a queued or orphaned run; the new fence, or None if somebody else has it or it has ended.

    What a person asked of it stands: the worker that was to do it may have died. The fence is swapped from the number that
    was read, as in `trajectories.leases.claim`.
    """
    known = TrainingRun.objects.filter(pk=run_id).claimable().values_list("fence", flat=True).first()
    if known is None:
        return None
    moment = now()
    won = (
        TrainingRun.objects.filter(pk=run_id, fence=known)
        .claimable()
        .update(
            status=TrainingStatus.RUNNING,
            lease_owner=owner,
            lease_expires_at=moment + _until(),
            fence=known + 1,
            metrics_read=0,
        )
    )
    if not won:
        return None
    TrainingRun.objects.filter(pk=run_id, started_at=None).update(started_at=moment)
    return known + 1


def claim_device(wanted: str, host: str, holder: str) -> Device | None:
    """Take a free device of this host: the one named, or for `auto` the first, GPUs before the CPU."""
    devices = Device.objects.free().filter(host=host)
    if wanted != "auto":
        devices = devices.filter(name=wanted)
    for device in devices:
        taken = (
            Device.objects.free()
            .filter(pk=device.pk)
            .update(holder=holder, lease_expires_at=now() + _until())
        )
        if taken:
            return device
    return None


def give_device_back(holder: str) -> None:
    Device.objects.filter(holder=holder).update(holder="", lease_expires_at=None)


def release(run_id: int, fence: int) -> bool:
    """Give a run back unfinished; the next worker goes on from its last checkpoint."""
    mine = TrainingRun.objects.filter(pk=run_id, fence=fence, status=TrainingStatus.RUNNING)
    return mine.update(status=TrainingStatus.QUEUED, **_FREE) == 1


def reap() -> int:
    """Put runs whose lease ran out back in the queue; returns how many."""
    dead = TrainingRun.objects.filter(status=TrainingStatus.RUNNING, lease_expires_at__lt=now())
    return dead.update(status=TrainingStatus.QUEUED, **_FREE)


class Held:
    """What the supervising thread asks: is the run still mine, and what does anybody want of it?"""

    def __init__(self, run_id: int, fence: int, holder: str) -> None:
        self.run_id, self.fence, self.holder = run_id, fence, holder
        self.lost = threading.Event()
        self.stopping = threading.Event()  # this worker is shutting down
        self.ask = Ask.NOTHING

    def beat(self) -> None:
        try:
            mine = TrainingRun.objects.filter(pk=self.run_id, fence=self.fence, status=TrainingStatus.RUNNING)
            if not mine.update(lease_expires_at=now() + _until()):
                self.lost.set()
                return
            if not Device.objects.filter(holder=self.holder).update(lease_expires_at=now() + _until()):
                self.lost.set()  # the device is another run's by now; this one goes back when its lease runs out
                return
            self.ask = Ask(TrainingRun.objects.values_list("ask", flat=True).get(pk=self.run_id))
        except DatabaseError:
            log.exception("training run %s: lease not renewed", self.run_id)


@contextlib.contextmanager
def held(run_id: int, fence: int, holder: str) -> Iterator[Held]:
    """Keep both leases while the body runs, beating at least once a second so that a stop is noticed soon."""
    hold = Held(run_id, fence, holder)
    with beating(f"training-lease-{run_id}", hold.beat, min(1.0, settings.LEASE_SECONDS / 3)):
        yield hold
