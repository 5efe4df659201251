"""The bootstrap: how far a mean, or the difference of two paired means, would move on other problems like these.

B. Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 7 (1979), doi:10.1214/aos/1176344552.
Problems are drawn with replacement, each with everything measured on it; the interval is the 2.5 and 97.5 percentile of
the means. The draws come from a fixed seed: the same numbers give the same interval on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum

import numpy as np

from solver.benchmarks.interval import Estimate

RESAMPLES = 2000
SEED = 1979
_CHUNK = 1_000_000  # indices drawn at once: bounds memory to some megabytes however many problems there are


@dataclass(frozen=True, slots=True)
class Difference:
    """`estimate` is second minus first over the common units."""

    first: float
    second: float
    estimate: Estimate


def mean(values: Sequence[float], resamples: int = RESAMPLES) -> Estimate:
    """The mean of `values` (one a unit) with its percentile interval. No values: 0 with n 0."""
    n = len(values)
    if n == 0:
        return Estimate(0.0, 0.0, 0.0, 0)
    low, high = np.percentile(resampled_means(values, resamples), [2.5, 97.5])
    middle = fsum(values) / n
    return Estimate(middle, min(middle, float(low)), max(middle, float(high)), n)


def paired_difference(
    first: Sequence[float], second: Sequence[float], resamples: int = RESAMPLES
) -> Difference:
    """Mean of `second` minus mean of `first`, unit by unit. ValueError if they are not paired."""
    if len(first) != len(second):
        raise ValueError(f"{len(first)} and {len(second)} values cannot be paired")
    n = max(1, len(first))
    estimate = mean([b - a for a, b in zip(first, second, strict=True)], resamples)
    return Difference(fsum(first) / n, fsum(second) / n, estimate)


def resampled_means(
    values: Sequence[float], resamples: int = RESAMPLES
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """[resamples] means of as many values drawn with replacement."""
    data = np.asarray(values, dtype=np.float64)  # [n]
    draws = np.random.Generator(np.random.PCG64(SEED))
    rows = max(1, _CHUNK // len(data))
    means = []
    for start in range(0, resamples, rows):
        size = (min(rows, resamples - start), len(data))
        means.append(data[draws.integers(0, len(data), size=size)].mean(axis=1))
    return np.concatenate(means)
