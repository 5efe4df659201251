"""An estimate with its interval, and Wilson's score interval for the mean of scores between 0 and 1.

E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the American
Statistical Association 22 (1927), doi:10.1080/01621459.1927.10502953.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum, sqrt

Z_95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Estimate:
    """`value` with its 95 % interval over `n` independent units. With `n` 0 nothing is known."""

    value: float
    low: float
    high: float
    n: int


def wilson(scores: Sequence[float], z: float = Z_95) -> Estimate:
    """The mean of `scores` (one a unit, each in 0..1) with Wilson's interval.

    For scores of 0 and 1 this is the usual interval of a share. A unit measured several times gives its mean; the
    variance of a quantity in 0..1 with mean p is at most p(1 - p), so the interval is then too wide, never too narrow.
    """
    if any(not 0.0 <= score <= 1.0 for score in scores):
        raise ValueError("Wilson's interval is for scores from 0 to 1")
    n = len(scores)
    if n == 0:
        return Estimate(0.0, 0.0, 1.0, 0)
    p = min(1.0, fsum(scores) / n)
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    # At 0 of n and n of n one end is the estimate itself; rounding must not move it past.
    return Estimate(p, min(p, max(0.0, middle - half)), max(p, min(1.0, middle + half)), n)
