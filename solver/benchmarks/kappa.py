"""Cohen's kappa: agreement of two judges beyond what their habits alone would give.

J. Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20 (1960),
doi:10.1177/001316446002000104. kappa = (po - pe) / (1 - pe), po the observed agreement, pe the product of the margins.

The interval takes the margins as known, as Cohen's own standard error does, and carries Wilson's interval of po through
the formula: unlike po +- 1.96 se it does not collapse to a point where all of few cases agree. Where the margins alone
make much agreement likely, a po that they rule out would carry it below -1, which no kappa is; it ends there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from solver.benchmarks.interval import Estimate, wilson

EXACT = 1e-12


@dataclass(frozen=True, slots=True)
class Agreement:
    """`kappa` with its interval over n pairs; `observed` agreement with Wilson's. `kappa` None: no n, or both judges
    always say one and the same thing, where agreement beyond chance has no meaning."""

    observed: Estimate
    expected: float
    kappa: Estimate | None


def kappa(pairs: Sequence[tuple[Hashable, Hashable]]) -> Agreement:
    n = len(pairs)
    observed = wilson([float(a == b) for a, b in pairs])
    if n == 0:
        return Agreement(observed, 0.0, None)
    first, second = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    expected = sum(first[name] * second[name] for name in first) / (n * n)
    if expected >= 1.0 - EXACT:
        return Agreement(observed, expected, None)

    def beyond(share: float) -> float:
        return (share - expected) / (1.0 - expected)

    value = Estimate(beyond(observed.value), max(-1.0, beyond(observed.low)), beyond(observed.high), n)
    return Agreement(observed, expected, value)


def one_against_rest(pairs: Sequence[tuple[str, str]], name: str) -> Agreement:
    """Agreement on whether it is `name` or not."""
    return kappa([(a == name, b == name) for a, b in pairs])


def confusion(pairs: Sequence[tuple[str, str]], names: Sequence[str]) -> list[list[int]]:
    """[first judge][second judge] counts, in the order of `names`."""
    counts = Counter(pairs)
    return [[counts[row, column] for column in names] for row in names]
