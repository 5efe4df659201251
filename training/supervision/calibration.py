"""Whether a supervisor's stated confidence means anything: Brier score (Brier 1950, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2).

A vote says with confidence c that an agent is to blame. It came true if redoing that agent led to a pass, and false if
every revision of it that was tried failed; where the agent was never redone nothing is known and the vote is not counted.
A revision can fail although the blame was right, so this judges confidence in a correction, not in blame alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from solver.benchmarks import bootstrap
from solver.benchmarks.interval import Estimate
from trajectories.wilson import Share, share

if TYPE_CHECKING:
    from training.supervision.models import SupervisionCase

EDGES = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, slots=True)
class Bin:
    """Votes whose confidence is in [low, high): `stated` is their mean confidence, `came_true` the share of them."""

    low: float
    high: float
    stated: float
    came_true: Share


@dataclass(frozen=True, slots=True)
class Calibration:
    """`brier` is over cases: 0 is perfect; `constant` is what always saying the share that came true would score, over the
    same cases with the same weights."""

    brier: Estimate
    constant: float
    votes: int
    bins: list[Bin] = field(default_factory=list)


def calibration(cases: Iterable[SupervisionCase]) -> Calibration | None:
    """None where no vote with a confidence can be held against a revision. Votes on one run are not independent, so the
    unit of the interval is the case: its mean over its votes."""
    said = [found for case in cases if (found := _decided(case.votes, case.tried))]
    flat = [pair for pairs in said for pair in pairs]
    if not flat:
        return None
    brier = bootstrap.mean([sum((c - y) ** 2 for c, y in pairs) / len(pairs) for pairs in said])
    rate = sum(sum(y for _, y in pairs) / len(pairs) for pairs in said) / len(said)
    bins = [_bin(flat, low, high) for low, high in pairwise(EDGES)]
    return Calibration(brier, rate * (1 - rate), len(flat), [one for one in bins if one.came_true.n])


def _decided(votes: list[dict[str, Any]], tried: list[dict[str, Any]]) -> list[tuple[float, bool]]:
    came: dict[str, bool] = {}
    for one in tried:
        if one["branch"] is not None and one.get("measured", bool(one["verdict"])):
            came[one["agent"]] = came.get(one["agent"], False) or one["verdict"] == "AC"
    return [
        (float(vote["confidence"]), came[vote["agent"]])
        for vote in votes
        if vote["agent"] in came and vote["confidence"] is not None
    ]


def _bin(pairs: list[tuple[float, bool]], low: float, high: float) -> Bin:
    mine = [(c, y) for c, y in pairs if low <= c < high or c == high == EDGES[-1]]
    stated = sum(c for c, _ in mine) / len(mine) if mine else 0.0
    return Bin(low, high, stated, share(sum(y for _, y in mine), len(mine)))
