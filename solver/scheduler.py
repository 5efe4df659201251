"""Which run a worker takes next: a message rings, the rows decide.

A group is a campaign, or a person's single runs. The group with the fewest runs in progress comes first, single runs
before campaigns, then the oldest; so a Solve overtakes a campaign of a thousand, and two campaigns share. Runs of an
engine that has no room, or that somebody drains or has stopped, are left where they are.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db.models import Min

from solver import engine_book
from solver.engines.spec import EngineKind, EngineSpec
from solver.serving import wishes
from trajectories.models import Run, RunStatus

UNBOUNDED = 1_000_000
RESERVED_PART = 4  # every fourth thread, and at least one, takes no run of a campaign


@dataclass
class Seats:
    """The threads of this worker. Campaigns leave some free, or a Solve would wait for a long run to end."""

    threads: int
    campaign_runs: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def campaign_most(self) -> int:
        return max(1, self.threads - max(1, self.threads // RESERVED_PART))

    @contextmanager
    def taken(self, of_campaign: bool) -> Iterator[bool]:
        """Whether there was a seat; held while the body runs."""
        if not of_campaign:
            yield True
            return
        with self._lock:
            free = self.campaign_runs < self.campaign_most
            self.campaign_runs += free
        try:
            yield free
        finally:
            with self._lock:
                self.campaign_runs -= free


@dataclass(frozen=True, slots=True)
class Waiting:
    """The oldest waiting run of a group and engine."""

    run: int
    campaign: int | None
    person: str
    engine: str

    @property
    def group(self) -> tuple[int | None, str]:
        return (self.campaign, "" if self.campaign else self.person)


def next_run(*, campaigns_too: bool = True) -> Waiting | None:
    """The run to take now; None if nothing waits that could be answered."""
    busy, by_engine = _in_progress()
    rooms = {spec.name: capacity(spec) for spec in engine_book.all_engines()}
    closed = set(wishes.closed_to_runs())
    found = [
        waiting
        for waiting in _waiting()
        if (campaigns_too or waiting.campaign is None)
        and waiting.engine not in closed
        and by_engine[waiting.engine] < rooms.get(waiting.engine, UNBOUNDED)
    ]

    def order(waiting: Waiting) -> tuple[int, bool, int]:
        return (busy[waiting.group], waiting.campaign is not None, waiting.run)

    return min(found, key=order, default=None)


def capacity(spec: EngineSpec) -> int:
    """How many runs it can answer at once: each has a call in flight. An engine that is gone fails runs quickly."""
    match spec.kind:
        case EngineKind.OPENAI:
            return spec.max_concurrency
        case EngineKind.TRANSFORMERS:
            return spec.local.max_batch
        case EngineKind.ROUTED:
            return min((capacity(member) for member in spec.members), default=UNBOUNDED)
        case EngineKind.RECORDED:
            return UNBOUNDED


def _waiting() -> list[Waiting]:
    groups = Run.objects.claimable().order_by()
    rows = groups.values_list("campaign_slot__campaign", "created_by", "engine_name").annotate(
        first=Min("pk")
    )
    return [Waiting(first, campaign, person, engine) for campaign, person, engine, first in rows]


def _in_progress() -> tuple[Counter[tuple[int | None, str]], Counter[str]]:
    """Runs in progress by group and by engine, of all workers."""
    busy: Counter[tuple[int | None, str]] = Counter()
    engines: Counter[str] = Counter()
    running = Run.objects.filter(status=RunStatus.RUNNING).order_by()
    for run, campaign, person, engine in running.values_list(
        "pk", "campaign_slot__campaign", "created_by", "engine_name"
    ):
        busy[Waiting(run, campaign, person, engine).group] += 1
        engines[engine] += 1
    return busy, engines
