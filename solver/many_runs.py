"""Acts on every run that a list's filters find: counted first, then done to those that were counted, at most some at once.

`newest` is the newest run that was there when the count was shown, so a list that grows meanwhile is not acted on unseen.
Each run is cancelled or taken up again by the verb of one run: what has ended meanwhile is left as it is, and sending
the form again does nothing twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count, Max, Q

from solver import runs
from trajectories import queries
from trajectories.exporters.bulk import FILTERS
from trajectories.filters import REPLAYABLE
from trajectories.models import RunQuerySet, RunStatus

AT_ONCE = 1000  # runs in one request: some seconds
UNDER_WAY = (RunStatus.QUEUED, RunStatus.RUNNING)
STOPPED = (RunStatus.FAILED, RunStatus.CANCELLED)
ABOUT = {"cancel": UNDER_WAY, "retry": STOPPED}
_DO = {"cancel": runs.cancel, "retry": runs.retry}


@dataclass(frozen=True, slots=True)
class Preview:
    """What the filters find, and how many of it each act would be done to."""

    total: int
    under_way: int
    stopped: int
    judged: int
    failed: int
    newest: int


@dataclass(frozen=True, slots=True)
class Done:
    """`passed` had come to another state meanwhile; `left` are more than fit in one request."""

    done: int
    passed: int
    left: int


def chosen(given: Mapping[str, str]) -> dict[str, str]:
    """The filters of a list of runs that say something."""
    found = {name: given.get(name, "").replace("\0", "")[:500] for name in FILTERS}
    return {name: value for name, value in found.items() if value}


def preview(filters: Mapping[str, str]) -> Preview:
    """One query. Raises BadExpression."""
    found = _found(filters).aggregate(
        total=Count("pk"),
        under_way=Count("pk", filter=Q(status__in=UNDER_WAY)),
        stopped=Count("pk", filter=Q(status__in=STOPPED)),
        judged=Count("pk", filter=Q(status=RunStatus.FINISHED) & ~Q(verdict="")),
        failed=Count("pk", filter=REPLAYABLE),
        newest=Max("pk"),
    )
    return Preview(**{**found, "newest": found["newest"] or 0})


def act(verb: str, filters: Mapping[str, str], newest: int) -> Done:
    """Oldest first. Raises BadExpression, and KeyError where there is no such verb."""
    about = _found(filters).filter(status__in=ABOUT[verb], pk__lte=newest)
    keys = list(about.order_by("pk").values_list("pk", flat=True))
    done = sum(_DO[verb](pk) for pk in keys[:AT_ONCE])
    return Done(done, len(keys[:AT_ONCE]) - done, len(keys[AT_ONCE:]))


def _found(filters: Mapping[str, str]) -> RunQuerySet:
    found: RunQuerySet = queries.matching_runs(filters).order_by()
    return found
