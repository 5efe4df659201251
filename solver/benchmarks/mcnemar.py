"""McNemar's test: do two systems solve different numbers of the same problems?

Only the discordant problems speak: `won` were solved by the first system alone, `lost` by the second alone. If both
were equally good, `won` would be binomial with chance 1/2.

Q. McNemar, Psychometrika 12 (1947), doi:10.1007/BF02295996. The exact and the mid-p form as compared in M. W.
Fagerland, S. Lydersen, P. Laake, BMC Medical Research Methodology 13:91 (2013), doi:10.1186/1471-2288-13-91. The
continuity correction is A. L. Edwards', Psychometrika 13 (1948), doi:10.1007/BF02289261.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import comb, erfc, sqrt

EXACT_UP_TO = (
    1000  # discordant problems; beyond, the exact p is the corrected chi-squared one to three digits
)


class Method(StrEnum):
    EXACT = "exact binomial"
    CHI_SQUARED = "chi-squared with continuity correction"


@dataclass(frozen=True, slots=True)
class McNemar:
    """`p` is two-sided; `mid_p` is the less conservative exact form, None where the exact form was not used."""

    won: int
    lost: int
    p: float
    mid_p: float | None
    method: Method


def mcnemar(won: int, lost: int) -> McNemar:
    if won < 0 or lost < 0:
        raise ValueError("discordant counts cannot be negative")
    n = won + lost
    if n > EXACT_UP_TO:
        return McNemar(won, lost, _chi_squared_p(won, lost), None, Method.CHI_SQUARED)
    if n == 0:
        return McNemar(won, lost, 1.0, 1.0, Method.EXACT)
    fewer = min(won, lost)
    tail = sum(comb(n, i) for i in range(fewer + 1))
    p = min(1.0, tail / 2 ** (n - 1))
    # Half of the observed outcome's own weight; with a tie the two tails share it.
    mid_p = 1.0 if won == lost else (2 * tail - comb(n, fewer)) / 2**n
    return McNemar(won, lost, p, mid_p, Method.EXACT)


def _chi_squared_p(won: int, lost: int) -> float:
    """Survival function of chi-squared with one degree of freedom at Edwards' statistic, which is 0 for a tie: there the
    correction must not go past what it corrects."""
    statistic = max(abs(won - lost) - 1, 0) ** 2 / (won + lost)
    return erfc(sqrt(statistic / 2))
