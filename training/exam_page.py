"""An exam as a table: a prompt a row, four answers beside each other, each column's marks with their intervals, and the new
adapter against the others on the prompts that both answered.

The unit is the problem. A problem may lend several prompts, such as a plan and its confidence; what an agent knows of it
shows in all of them, so they count together as one score. A prompt without a problem counts by itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean

from solver.benchmarks.bootstrap import paired_difference
from solver.benchmarks.interval import Estimate, wilson
from solver.benchmarks.mcnemar import mcnemar
from training.exams import COLUMNS, NEW
from training.models import DatasetRow, Exam, ExamAnswer

ROWS = 20
TEACHER = "teacher"


Unit = tuple[str, int]  # ("problem", its key), or ("row", its own) where it has none
Marks = dict[int, tuple[Unit, bool, bool | None]]  # of one column, by row: its unit, format kept, right


@dataclass(frozen=True, slots=True)
class Score:
    """`hits` of `prompts`; `estimate` is the mean over problems, with Wilson's interval."""

    hits: int
    prompts: int
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    model: str
    answered: int
    well_formed: Score
    right: Score


@dataclass(frozen=True, slots=True)
class Paired:
    """The new adapter against `other` on `n` problems, of which it does better on `won` and worse on `lost`.

    Points of 100, with the bootstrap interval of the paired difference; p by the sign test on problems, which is the exact
    McNemar test where each lends one prompt.
    """

    other: str
    measure: str
    n: int
    won: int
    lost: int
    points: float
    low: float
    high: float
    p: float


@dataclass(frozen=True, slots=True)
class ExamRow:
    row: DatasetRow
    prompt: str
    answers: list[tuple[str, ExamAnswer | None]]
    teacher: str


@dataclass(frozen=True, slots=True)
class ExamPage:
    columns: list[Column]
    paired: list[Paired]
    rows: list[ExamRow]
    answered: int
    wanted: int
    next: int | None


def read(exam: Exam, after: int = 0) -> ExamPage:
    names = [name for name in COLUMNS if name in exam.columns]
    found = DatasetRow.objects.filter(version=exam.dataset_id, split="eval", position__gte=after)
    rows = list(found.select_related("example__problem", "example__run").order_by("position")[: ROWS + 1])
    shown = rows[:ROWS]
    answers = {(a.row_id, a.column): a for a in ExamAnswer.objects.filter(exam=exam, row__in=shown)}
    marks = _marks(exam)
    columns = [_column(name, exam.columns[name], marks[name]) for name in names]
    return ExamPage(
        columns,
        _paired(marks, names),
        [
            ExamRow(
                row,
                "\n\n".join(str(turn["content"]) for turn in row.example.messages),
                [(name, answers.get((row.pk, name))) for name in names],
                row.example.answer,
            )
            for row in shown
        ],
        sum(column.answered for column in columns),
        exam.row_count * len(names),
        rows[ROWS].position if len(rows) > ROWS else None,
    )


def _marks(exam: Exam) -> dict[str, Marks]:
    found: dict[str, Marks] = defaultdict(dict)
    told = ExamAnswer.objects.filter(exam=exam).order_by("row")
    for column, row, problem, failure, right in told.values_list(
        "column", "row", "row__example__problem", "failure", "right"
    ):
        unit = ("row", row) if problem is None else ("problem", problem)
        found[column][row] = (unit, not failure, right)
    return found


def _column(name: str, model: str, marks: Marks) -> Column:
    return Column(
        name,
        model,
        len(marks),
        _score((unit, formed) for unit, formed, _ in marks.values()),
        _score((unit, right) for unit, _, right in marks.values() if right is not None),
    )


def _score(marks: Iterable[tuple[Unit, bool]]) -> Score:
    by_unit: dict[Unit, list[bool]] = defaultdict(list)
    for unit, mark in marks:
        by_unit[unit].append(mark)
    every = [mark for few in by_unit.values() for mark in few]
    return Score(sum(every), len(every), wilson([fmean(few) for few in by_unit.values()]))


def _paired(marks: dict[str, Marks], names: list[str]) -> list[Paired]:
    found = []
    for other in names:
        if other == NEW:
            continue
        both = [(marks[other][row], new) for row, new in marks[NEW].items() if row in marks[other]]
        formed = [(unit, before, after) for (unit, before, _), (_, after, _) in both]
        right = [
            (unit, before, after)
            for (unit, _, before), (_, _, after) in both
            if before is not None and after is not None
        ]
        found += [
            _compared(other, measure, pairs)
            for measure, pairs in (("format kept", formed), ("right", right))
            if pairs
        ]
    return found


def _compared(other: str, measure: str, pairs: list[tuple[Unit, bool, bool]]) -> Paired:
    by_unit: dict[Unit, list[tuple[bool, bool]]] = defaultdict(list)
    for unit, before, after in pairs:
        by_unit[unit].append((before, after))
    first = [fmean(before for before, _ in few) for few in by_unit.values()]
    second = [fmean(after for _, after in few) for few in by_unit.values()]
    won = sum(after > before for before, after in zip(first, second, strict=True))
    lost = sum(after < before for before, after in zip(first, second, strict=True))
    gain = paired_difference(first, second).estimate
    points = (100 * gain.value, 100 * gain.low, 100 * gain.high)
    return Paired(other, measure, gain.n, won, lost, *points, mcnemar(won, lost).p)
