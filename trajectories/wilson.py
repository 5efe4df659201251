"""Wilson's score interval of a share (E. B. Wilson, JASA 22, 1927): honest at 0 of n and n of n, unlike the normal one."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

Z_95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Share:
    """`hits` of `n` with its 95 % interval; all of `rate`, `low` and `high` lie in 0..1. `n` 0 knows nothing: 0 to 1."""

    hits: int
    n: int
    rate: float
    low: float
    high: float


def share(hits: int, n: int, z: float = Z_95) -> Share:
    if not 0 <= hits <= n:
        raise ValueError(f"{hits} of {n} is no share")
    if n == 0:
        return Share(0, 0, 0.0, 0.0, 1.0)
    rate = hits / n
    middle = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    return Share(hits, n, rate, min(rate, max(0.0, middle - half)), max(rate, min(1.0, middle + half)))
