"""Solve rates by tag, difficulty, source and language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isnan

from solver.benchmarks.interval import Estimate
from solver.campaigns.models import CampaignCell
from solver.campaigns.results import Results
from solver.campaigns.scoring import share
from trajectories.models import Problem

# The difficulty groups in which results on xCodeEval are published.
_BANDS = (
    (1000.0, "up to 1000"),
    (1500.0, "1001 to 1500"),
    (2000.0, "1501 to 2000"),
    (float("inf"), "over 2000"),
)
_RATING = 800.0  # numbers below are no contest ratings but a source's own scale
UNKNOWN = "not given"
SHOWN = 40


@dataclass(frozen=True, slots=True)
class Group:
    """One row: an estimate a cell, None where the cell measured no problem of the group."""

    name: str
    problems: int
    estimates: list[Estimate | None]


@dataclass(frozen=True, slots=True)
class Breakdown:
    """The page lists the first `SHOWN` groups and says how many more the JSON holds."""

    title: str
    columns: list[str]
    groups: list[Group]

    @property
    def more(self) -> int:
        return max(0, len(self.groups) - SHOWN)

    @property
    def shown(self) -> list[Group]:
        return self.groups[:SHOWN]


def breakdowns(results: Results) -> list[Breakdown]:
    """Only where there is more than one group: a single one would repeat the main table."""
    found = [
        _by(results, "tag", lambda problem: problem.tag_names or [UNKNOWN], _largest),
        _by(results, "difficulty", lambda problem: [difficulty_group(problem.difficulty)], _by_difficulty),
        _by(results, "source", lambda problem: [problem.source], lambda group: group.name),
        _by_language(results),
    ]
    return [breakdown for breakdown in found if len(breakdown.groups) > 1]


def difficulty_group(difficulty: str) -> str:
    number = _number(difficulty)
    if number is None or number < _RATING:
        return difficulty or UNKNOWN
    return next(name for most, name in _BANDS if number <= most)


def _number(text: str) -> float | None:
    """None too for "nan", which stands in files where a table had no value and is in no order with any number."""
    try:
        number = float(text)
    except ValueError:
        return None
    return None if isnan(number) else number


def _largest(group: Group) -> tuple[int, str]:
    return (-group.problems, group.name)


def _by_difficulty(group: Group) -> tuple[int, float, str]:
    names = [name for _, name in _BANDS]
    if group.name in names:
        return (1, names.index(group.name), "")
    number = _number(group.name)
    if number is not None:
        return (0, number, "")
    words = ("easy", "introductory", "medium", "interview", "hard", "competition")
    return (2, words.index(group.name) if group.name in words else len(words), group.name)


def _by(
    results: Results,
    title: str,
    groups_of: Callable[[Problem], list[str]],
    order: Callable[[Group], object],
) -> Breakdown:
    members: dict[str, set[int]] = {}
    for pk, problem in results.problems.items():
        for name in groups_of(problem):
            members.setdefault(name, set()).add(pk)
    groups = [_group(results, name, inside) for name, inside in members.items()]
    groups = sorted((group for group in groups if group.problems), key=order)  # type: ignore[arg-type]
    columns = [cell.name for cell in results.cells]
    return Breakdown(title, columns, groups)


def _group(results: Results, name: str, inside: set[int]) -> Group:
    found = [[result for result in results.of(cell) if result.problem in inside] for cell in results.cells]
    units = {result.unit for measured in found for result in measured}
    estimates = [share(measured, lambda result: result.solved) if measured else None for measured in found]
    return Group(name, len(units), estimates)


def _by_language(results: Results) -> Breakdown:
    """Rows are languages, columns the cells that differ in nothing else."""
    languages = list(dict.fromkeys(cell.language for cell in results.cells))
    families = list(dict.fromkeys(family(cell) for cell in results.cells))
    cells = {(family(cell), cell.language): cell for cell in results.cells}
    groups = []
    for language in languages:
        measured = [
            results.of(cells[name, language]) if (name, language) in cells else [] for name in families
        ]
        units = {result.unit for found in measured for result in found}
        estimates = [share(found, lambda result: result.solved) if found else None for found in measured]
        groups.append(Group(language, len(units), estimates))
    return Breakdown("language", families, [group for group in groups if group.problems])


def family(cell: CampaignCell) -> str:
    return cell.name.removesuffix(f" · {cell.language}")
