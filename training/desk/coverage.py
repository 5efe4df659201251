"""What the training rows cover: tag by difficulty for one agent, accepted of wanted, and what the pool still offers.

The pool is the agent's answers in accepted runs on problems outside the test split, on which nobody has decided.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef
from django.http import QueryDict

from training.models import Example, ExampleState
from trajectories.expressions import quoted
from trajectories.models import Decision, Problem, Step, StepState

WANTED = 20  # rows a cell, where no goal says otherwise
TAGS = 12
LEVELS = 6
ORDER = ("easy", "medium", "hard")


@dataclass(frozen=True, slots=True)
class Cell:
    tag: str
    level: str
    accepted: int
    available: int
    wanted: int
    test: int  # problems of this cell that are kept for measuring
    query: str

    @property
    def kind(self) -> str:
        if self.test and not self.available and not self.accepted:
            return "testset"
        if self.accepted >= self.wanted:
            return "full"
        return "" if self.accepted else "empty-c"

    @property
    def missing(self) -> int:
        return max(0, self.wanted - self.accepted)


@dataclass(frozen=True, slots=True)
class Coverage:
    role: str
    levels: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    accepted: int
    wanted: int
    more_tags: int
    best: Cell | None  # the cell that reviewing fills most


def coverage(role: str, wanted: int = WANTED) -> Coverage:
    """Four queries."""
    accepted = _counted(
        Example.objects.filter(role=role, state=ExampleState.ACCEPTED, problem__isnull=False), "problem"
    )
    undecided = ~Exists(Decision.objects.filter(run=OuterRef("run"), step=OuterRef("number")))
    steps = Step.objects.filter(undecided, role=role, state=StepState.DONE, run__verdict="AC")
    available = _counted(steps.exclude(run__problem__split__istartswith="test"), "run__problem")
    every = _counted(Problem.objects.current(), "")
    test = _counted(Problem.objects.current().filter(split__istartswith="test"), "")
    cells = [*accepted, *available] or list(every)
    tags = list(dict.fromkeys(tag for tag, _ in cells))
    weight: Counter[str] = Counter()
    for counts in (accepted, available):
        for (tag, _), n in counts.items():
            weight[tag] += n
    tags.sort(key=lambda tag: (-weight[tag], tag))
    levels = _levels({level for _, level in cells})
    shown = tags[:TAGS]
    rows = tuple(
        (tag, tuple(_cell(role, tag, level, accepted, available, test, wanted) for level in levels))
        for tag in shown
    )
    flat = [cell for _, row in rows for cell in row if cell.missing and cell.available]
    best = max(flat, key=lambda cell: min(cell.missing, cell.available), default=None)
    total = sum(min(cell.accepted, cell.wanted) for _, row in rows for cell in row)
    goal = sum(cell.wanted for _, row in rows for cell in row if cell.kind != "testset")
    return Coverage(role, levels, rows, total, goal, max(0, len(tags) - TAGS), best)


Counts = Counter[tuple[str, str]]


def _counted(found: Any, problem: str) -> Counts:
    """How many there are by (tag, level) of their problem."""
    prefix = f"{problem}__" if problem else ""
    names = (f"{prefix}tags__name", f"{prefix}difficulty")
    rows = found.order_by().values_list(*names).annotate(n=Count("pk"))
    return Counter({(tag or "no tag", level or "none"): n for tag, level, n in rows})


def _levels(found: set[str]) -> tuple[str, ...]:
    """Easy to hard, then numbers in order, then other words."""

    def place(level: str) -> tuple[int, float, str]:
        if level in ORDER:
            return 0, ORDER.index(level), ""
        digits = level.strip("*")
        return (1, float(digits), "") if digits.isdigit() else (2, 0.0, level)

    return tuple(sorted(found, key=place))[:LEVELS]


def _cell(
    role: str, tag: str, level: str, accepted: Counts, available: Counts, test: Counts, wanted: int
) -> Cell:
    key = (tag, level)
    terms = ["is:solved", "-split:test", f"level:{quoted(level)}"]
    if tag != "no tag":
        terms.append(f"tag:{quoted(tag)}")
    query = QueryDict(mutable=True)
    query.update({"filter": " ".join(terms), "pick": "every", "agent": role})
    return Cell(tag, level, accepted[key], available[key], wanted, test[key], query.urlencode())
