"""What blind preferences say: for each agent, by what the two sides are, wins, ties and losses with an interval and a test.

A pair counts once, whoever judged it: of several reviewers the majority, and a tie where they are even. The share is of the
decided pairs (Wilson); the test asks whether wins and losses could be tosses of a fair coin (the exact sign test, which
is McNemar's). Replays of one change are pairs of their own, so the number of problems is told beside that of pairs.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from solver.benchmarks.mcnemar import mcnemar
from trajectories.desk.models import Choice, Preference
from trajectories.wilson import Share, share

WINS, TIES, LOSSES = 1, 0, -1
_SAYS = {Choice.THIS: WINS, Choice.EQUAL: TIES, Choice.OTHER: LOSSES}


@dataclass(slots=True)
class Versus:
    """`first` against `second` as one agent's answers."""

    role: str
    first: str
    second: str
    outcomes: list[int] = field(default_factory=list)
    problems: set[int] = field(default_factory=set)

    @property
    def wins(self) -> int:
        return self.outcomes.count(WINS)

    @property
    def ties(self) -> int:
        return self.outcomes.count(TIES)

    @property
    def losses(self) -> int:
        return self.outcomes.count(LOSSES)

    @property
    def n(self) -> int:
        return len(self.outcomes)

    @property
    def share(self) -> Share:
        return share(self.wins, self.wins + self.losses)

    @property
    def p(self) -> float:
        return mcnemar(self.wins, self.losses).p


@dataclass(frozen=True, slots=True)
class Report:
    """`left`: how often, of all decided judgements, the left side was preferred: half, if the place does not matter."""

    rows: tuple[Versus, ...]
    judgements: int
    skipped: int
    left: Share
    people: int


def report() -> Report:
    """One query."""
    said = list(Preference.objects.select_related("run").order_by("pk"))
    counted = [one for one in said if one.choice != Choice.SKIP]
    decided = [one for one in counted if one.choice != Choice.EQUAL]
    left = sum((one.choice == Choice.THIS) == one.on_left for one in decided)
    return Report(
        tuple(_versus(counted)),
        len(counted),
        len(said) - len(counted),
        share(left, len(decided)),
        len({one.actor for one in counted}),
    )


def _versus(counted: Iterable[Preference]) -> list[Versus]:
    pairs: dict[tuple[int, int, int, int], list[Preference]] = defaultdict(list)
    for one in counted:
        pairs[one.run_id, one.step, one.other_id, one.other_step].append(one)
    found: dict[tuple[str, str, str], Versus] = {}
    for several in pairs.values():
        about = several[-1]
        outcome = majority(several)
        key = (about.role, about.name, about.other_name)
        if (turned := (about.role, about.other_name, about.name)) in found and key not in found:
            key, outcome = turned, -outcome
        row = found.setdefault(key, Versus(*key))
        row.outcomes.append(outcome)
        row.problems.add(about.run.problem_id)
    return sorted(found.values(), key=lambda row: (row.role, -row.n, row.first))


def majority(several: list[Preference]) -> int:
    """Which side most of a pair's reviewers prefer; a tie where they are even, or most say equal."""
    counts = Counter(_SAYS[Choice(one.choice)] for one in several)
    best, most = counts.most_common(1)[0]
    even = sum(count == most for count in counts.values()) > 1
    return TIES if even else best
