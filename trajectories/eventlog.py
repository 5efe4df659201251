"""The event log: the only code that inserts `StepEvent` rows or moves `Run.last_seq`.

Writing: 1. bump `last_seq` with an UPDATE that also checks the fence: the row lock (PostgreSQL) or the immediate
transaction (SQLite) makes sequence numbers gap-free and commit-ordered; 2. insert the events; 3. apply the
projections; all in one transaction. After commit the bell rings with the run's id and sequence number; it may be lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import F, Max
from django.utils.timezone import now

from trajectories import bell, projections
from trajectories.events import Event
from trajectories.models import Run, RunStatus, Step, StepEvent

PAGE = 500


class StaleFence(Exception):
    """Another worker has claimed the run since; the writer must stop without writing."""


def append(run_id: int, events: Sequence[Event], *, fence: int) -> int:
    """Write `events` in order as the worker holding `fence`; returns the last sequence number.

    Raises StaleFence, and writes nothing, if the run is no longer running under this fence.
    """
    if not events:
        raise ValueError("append needs at least one event")
    with transaction.atomic():
        held = Run.objects.filter(pk=run_id, fence=fence, status=RunStatus.RUNNING)
        if not held.update(last_seq=F("last_seq") + len(events)):
            raise StaleFence(f"run {run_id} is no longer held under fence {fence}")
        return _insert(run_id, events)


def append_unowned(run_id: int, event: Event, *, when: Sequence[RunStatus]) -> int | None:
    """Write one event from outside a worker (a cancel of a queued run) if the run is in one of the states `when`.

    Returns the sequence number, or None if the run had moved on.
    """
    with transaction.atomic():
        if not Run.objects.filter(pk=run_id, status__in=list(when)).update(last_seq=F("last_seq") + 1):
            return None
        return _insert(run_id, [event])


def append_afterword(
    run_id: int, events_for: Callable[[int], Sequence[Event]], *, still_mine: Callable[[], bool]
) -> int:
    """Write about a finished run, as somebody who is not its worker: the steps of its supervisor.

    `events_for` is given the number that the next step of the run would have; the row's lock makes it nobody else's.
    `still_mine` is the writer's own fence, asked in the same transaction. Returns that number. Raises StaleFence, and
    writes nothing, if the writer has been replaced or the run has not finished.
    """
    with transaction.atomic():
        held = Run.objects.filter(pk=run_id, status=RunStatus.FINISHED)
        if not held.update(last_seq=F("last_seq")) or not still_mine():
            raise StaleFence(f"run {run_id} is not to be written about by this worker")
        number: int = (Step.objects.filter(run=run_id).aggregate(n=Max("number"))["n"] or 0) + 1
        found = events_for(number)
        held.update(last_seq=F("last_seq") + len(found))
        _insert(run_id, found)
    return number


class NotEmpty(Exception):
    """The run has events already; a log that happened elsewhere cannot be written into it."""


def restore(run_id: int, events: Sequence[Event], times: Sequence[datetime]) -> int:
    """Write the whole log of a run that happened elsewhere, each event at its own time; returns how many there are.

    Only into a run without events (NotEmpty): what is recorded is never overwritten. Nobody can be watching such a
    run, so no bell rings.
    """
    with transaction.atomic():
        if not Run.objects.filter(pk=run_id, last_seq=0).update(last_seq=len(events)):
            raise NotEmpty(f"run {run_id} has events already")
        _write(run_id, 1, events, times)
    return len(events)


def _insert(run_id: int, events: Sequence[Event]) -> int:
    last: int = Run.objects.values_list("last_seq", flat=True).get(pk=run_id)
    moment = now()
    _write(run_id, last - len(events) + 1, events, [moment] * len(events))
    transaction.on_commit(partial(bell.ring, run_id, last))
    return last


def _write(run_id: int, first: int, events: Sequence[Event], times: Sequence[datetime]) -> None:
    rows = [
        StepEvent(
            run_id=run_id,
            seq=first + offset,
            kind=event.kind,
            step=getattr(event, "step", None),
            payload=event.model_dump(mode="json"),
            created_at=at,
        )
        for offset, (event, at) in enumerate(zip(events, times, strict=True))
    ]
    StepEvent.objects.bulk_create(rows)
    for row, event in zip(rows, events, strict=True):
        projections.apply(run_id, row.seq, row.created_at, event)


def read_after(run_id: int, seq: int, limit: int = PAGE) -> list[StepEvent]:
    """Up to `limit` events after `seq`, in order: the one reader of the page, the stream, the API and exports."""
    return list(StepEvent.objects.filter(run_id=run_id, seq__gt=seq).order_by("seq")[:limit])


def read_all(run_id: int, after: int = 0) -> Iterator[StepEvent]:
    """Every event after `after`, a page at a time: bounded memory however long the run."""
    while page := read_after(run_id, after):
        yield from page
        after = page[-1].seq
        if len(page) < PAGE:
            return
