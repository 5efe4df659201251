"""From results to estimates. Pure.

A result is one measured run. Everything is averaged in the same order: over the seeds of a problem, then over the
problems that are copies of one another (a *unit*), then over units. So n is always the number of distinct problems, and
a problem that was run five times weighs no more than one that was run once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from math import fsum

from solver.benchmarks.bootstrap import Difference, paired_difference
from solver.benchmarks.interval import Estimate, wilson
from solver.benchmarks.mcnemar import McNemar, mcnemar
from solver.benchmarks.pass_at_k import pass_at_k
from solver.campaigns.measures import Origin, RoleMeasures, RunMeasures


class Outcome(StrEnum):
    """How a measured run ended; each run has exactly one."""

    FIRST = "first"  # accepted with the first program
    OTHER = "other"  # accepted with a later program that no debugging step wrote
    REPAIR = "repair"  # accepted with a program of a debugging step
    WRONG = "wrong"  # a program was submitted and not accepted
    NO_PROGRAM = "no_program"  # nothing was submitted: no usable answer, context or budget exhausted


OUTCOME_WORDS = {
    Outcome.FIRST: "solved by the first program",
    Outcome.OTHER: "solved by another program",
    Outcome.REPAIR: "solved after debugging",
    Outcome.WRONG: "not solved",
    Outcome.NO_PROGRAM: "no program",
}


@dataclass(frozen=True, slots=True)
class Cost:
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Result:
    """`whole` is `measures.whole()`, added up once; `cost` is None where no price is known."""

    cell: int
    problem: int
    unit: str
    seed: int
    run: int
    verdict: str
    measures: RunMeasures
    whole: RoleMeasures
    cost: Cost | None = None

    @property
    def solved(self) -> bool:
        return self.verdict == "AC"

    @property
    def outcome(self) -> Outcome:
        if self.measures.origin is Origin.NONE:
            return Outcome.NO_PROGRAM
        return Outcome(self.measures.origin.value) if self.solved else Outcome.WRONG


Value = Callable[[Result], float]


def unit_means(results: Iterable[Result], value: Value) -> dict[str, float]:
    """Unit -> mean over its problems of the mean over their runs, units in order of first appearance."""
    units: dict[str, dict[int, list[float]]] = {}
    for result in results:
        units.setdefault(result.unit, {}).setdefault(result.problem, []).append(value(result))
    return {unit: _mean([_mean(values) for values in problems.values()]) for unit, problems in units.items()}


def _mean(values: Sequence[float]) -> float:
    return fsum(values) / len(values)


def share(results: Iterable[Result], holds: Callable[[Result], bool]) -> Estimate:
    """How often `holds`, with Wilson's interval over units."""
    scores = unit_means(results, lambda result: float(holds(result)))
    return wilson([min(1.0, score) for score in scores.values()])


@dataclass(frozen=True, slots=True)
class PassAtK:
    """`left_out`: units with fewer than k measured runs of some problem; they are not in the estimate."""

    k: int
    estimate: Estimate
    left_out: int


def pass_at(results: Sequence[Result], k: int) -> PassAtK:
    counts: dict[str, dict[int, tuple[int, int]]] = {}
    for result in results:
        problems = counts.setdefault(result.unit, {})
        n, c = problems.get(result.problem, (0, 0))
        problems[result.problem] = (n + 1, c + result.solved)
    enough = [
        list(problems.values()) for problems in counts.values() if min(n for n, _ in problems.values()) >= k
    ]
    scores = [_mean([pass_at_k(n, c, k) for n, c in problems]) for problems in enough]
    return PassAtK(k, wilson(scores), len(counts) - len(enough))


def which_k(seeds: int) -> list[int]:
    """1, the usual larger ones, and as many as there are seeds."""
    return sorted({k for k in (1, 2, 3, 5, 10, 20, 50, 100, seeds) if k <= seeds})


@dataclass(frozen=True, slots=True)
class Comparison:
    """Second against first on the problems both measured. `won`: the second solves it more often.

    With one seed each, won and lost are McNemar's discordant counts; with several, a problem is won by the higher share
    of solved runs and the test is the sign test, which is the same test on the same counts.
    """

    common: int
    only_first: int
    only_second: int
    both: int
    neither: int
    won: tuple[str, ...]
    lost: tuple[str, ...]
    test: McNemar
    points: Difference


def compare(first: Sequence[Result], second: Sequence[Result]) -> Comparison:
    """Results of the same problem are matched by the problem; problems that only one has are counted, not used."""
    in_first, in_second = ({result.problem for result in results} for results in (first, second))
    common = in_first & in_second
    unit_of = {result.problem: result.unit for result in first}
    scores_first = unit_means((r for r in first if r.problem in common), _solved)
    # The units are the first one's: another campaign may not know that two problems are copies.
    second_units: dict[str, list[float]] = {}
    for problem, score in _problem_means(r for r in second if r.problem in common).items():
        second_units.setdefault(unit_of[problem], []).append(score)
    pairs = {unit: (score, _mean(second_units[unit])) for unit, score in scores_first.items()}
    won = tuple(unit for unit, (a, b) in pairs.items() if b > a)
    lost = tuple(unit for unit, (a, b) in pairs.items() if b < a)
    return Comparison(
        common=len(pairs),
        only_first=len(in_first - common),
        only_second=len(in_second - common),
        both=sum(a == b > 0 for a, b in pairs.values()),
        neither=sum(a == b == 0 for a, b in pairs.values()),
        won=won,
        lost=lost,
        test=mcnemar(len(won), len(lost)),
        points=paired_difference([a for a, _ in pairs.values()], [b for _, b in pairs.values()]),
    )


def _solved(result: Result) -> float:
    return float(result.solved)


def _problem_means(results: Iterable[Result]) -> dict[int, float]:
    runs: dict[int, list[float]] = {}
    for result in results:
        runs.setdefault(result.problem, []).append(_solved(result))
    return {problem: _mean(values) for problem, values in runs.items()}
