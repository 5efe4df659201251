"""Whether the planner's stated confidence means anything: MapCoder codes the plan that it is surest of first.

Held against it is what came of that plan before any repair: whether its first program passed the samples or, where a strategy
runs none, the hidden tests. A plan can be right and its program wrong, so this judges the confidence as what it is used
for, an order in which to try plans. Pure.

`orders` is the chance that of two such plans, one whose program passed and one whose program failed, the former was stated
surer, a tie counting half: the area under the ROC curve (Hanley and McNeil 1982, doi:10.1148/radiology.143.1.7063747).
0.5 is what confidences drawn at random give. Brier score: Brier 1950, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from solver.benchmarks import bootstrap
from solver.benchmarks.interval import Estimate
from solver.campaigns.measures import RunMeasures
from solver.campaigns.scoring import Result, share, unit_means

EDGES = (0, 20, 40, 60, 80, 100)
_LEVELS = 101  # stated as an integer from 0 to 100
_CHUNK = 2_000_000  # counts drawn at once
Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Bin:
    """Plans stated at `low` to below `high`, the last bin with its end; `passed` is over problems."""

    low: int
    high: int
    runs: int
    passed: Estimate


@dataclass(frozen=True, slots=True)
class Worth:
    """`orders` is None where all first programs passed, or none. `constant`: the Brier score of always stating the share that
    passed. `unread`: runs whose first plan has no confidence that could be read; they are left out."""

    runs: int
    unread: int
    stated: Estimate
    passed: Estimate
    orders: Estimate | None
    brier: Estimate
    constant: float
    bins: tuple[Bin, ...]


def worth(results: Sequence[Result]) -> Worth | None:
    """None where no plan has a confidence to hold against anything."""
    tried = [result for result in results if _passed(result.measures) is not None]
    known = [result for result in tried if result.measures.stated is not None]
    if not known:
        return None
    scores = unit_means(known, lambda result: (_said(result) - _came(result)) ** 2)
    rate = share(known, _came)
    return Worth(
        runs=len(known),
        unread=sum(result.measures.stated_unread for result in tried),
        stated=bootstrap.mean(list(unit_means(known, _said).values())),
        passed=rate,
        orders=_area(known),
        brier=bootstrap.mean(list(scores.values())),
        constant=rate.value * (1 - rate.value),
        bins=tuple(_bin(known, low, high) for low, high in pairwise(EDGES)),
    )


def _passed(measures: RunMeasures) -> bool | None:
    """What the first program did; None where nothing is known of it."""
    verdict = measures.first_samples or measures.first_hidden
    return verdict == "AC" if verdict else None


def _came(result: Result) -> bool:
    return bool(_passed(result.measures))


def _said(result: Result) -> float:
    return (result.measures.stated or 0) / 100


def _bin(known: Iterable[Result], low: int, high: int) -> Bin:
    mine = [
        result
        for result in known
        if low <= (result.measures.stated or 0) < high or result.measures.stated == high == EDGES[-1]
    ]
    return Bin(low, high, len(mine), share(mine, _came))


def _area(known: Sequence[Result]) -> Estimate | None:
    """With its percentile interval over resamples of problems; draws with programs of one kind alone have no area."""
    units = list(dict.fromkeys(result.unit for result in known))
    place = {unit: number for number, unit in enumerate(units)}
    good, bad = np.zeros((len(units), _LEVELS)), np.zeros((len(units), _LEVELS))
    for result in known:
        (good if _came(result) else bad)[place[result.unit], result.measures.stated or 0] += 1
    of_unit = (good + bad).sum(axis=1, keepdims=True)
    good, bad = good / of_unit, bad / of_unit  # a problem weighs as much as another, however often it was run
    if not good.any() or not bad.any():
        return None
    value = float(_areas(good.sum(axis=0, keepdims=True), bad.sum(axis=0, keepdims=True))[0])
    areas = _resampled(good, bad)
    low, high = np.percentile(areas, [2.5, 97.5]) if len(areas) else (0.0, 1.0)
    return Estimate(value, min(value, float(low)), max(value, float(high)), len(units))


def _resampled(good: Matrix, bad: Matrix) -> Matrix:
    draws = np.random.Generator(np.random.PCG64(bootstrap.SEED))
    n = len(good)
    rows = max(1, _CHUNK // n)
    found = []
    for start in range(0, bootstrap.RESAMPLES, rows):
        counts = draws.multinomial(
            n, np.full(n, 1 / n), size=min(rows, bootstrap.RESAMPLES - start)
        )  # [rows, n]
        passed, failed = counts @ good, counts @ bad  # [rows, levels]
        both = passed.any(axis=1) & failed.any(axis=1)
        found.append(_areas(passed[both], failed[both]))
    return np.concatenate(found)


def _areas(passed: Matrix, failed: Matrix) -> Matrix:
    """[rows] areas of rows of weights by level of confidence, both [rows, levels]."""
    below = np.cumsum(failed, axis=1) - failed
    won = (passed * (below + failed / 2)).sum(axis=1)
    area: Matrix = won / (passed.sum(axis=1) * failed.sum(axis=1))
    return area
