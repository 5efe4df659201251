"""An exam as a table: a prompt a row, four answers beside each other, each column's marks with their intervals, and the new
adapter against the others on the prompts that both answered."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q

from solver.benchmarks.bootstrap import paired_difference
from solver.benchmarks.mcnemar import mcnemar
from training.exams import COLUMNS, NEW
from training.models import DatasetRow, Exam, ExamAnswer
from trajectories.wilson import Share, share

ROWS = 20
TEACHER = "teacher"


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    model: str
    answered: int
    well_formed: Share
    right: Share


@dataclass(frozen=True, slots=True)
class Paired:
    """The new adapter against `other`. Points of 100, with the bootstrap interval of the paired difference; p by the exact
    McNemar test."""

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
    columns = [_column(exam, name) for name in names]
    return ExamPage(
        columns,
        _paired(exam, names),
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


def _column(exam: Exam, name: str) -> Column:
    told = ExamAnswer.objects.filter(exam=exam, column=name).aggregate(
        answered=Count("pk"),
        formed=Count("pk", filter=Q(failure="")),
        marked=Count("pk", filter=Q(right__isnull=False)),
        right=Count("pk", filter=Q(right=True)),
    )
    return Column(
        name,
        exam.columns[name],
        told["answered"],
        share(told["formed"], told["answered"]),
        share(told["right"], told["marked"]),
    )


def _paired(exam: Exam, names: list[str]) -> list[Paired]:
    marks: dict[str, dict[int, tuple[bool, bool | None]]] = {name: {} for name in names}
    told = ExamAnswer.objects.filter(exam=exam).values_list("column", "row", "failure", "right")
    for column, row, failure, right in told.order_by("row"):
        marks[column][row] = (not failure, right)
    found = []
    for other in names:
        if other == NEW:
            continue
        both = [(marks[other][row], new) for row, new in marks[NEW].items() if row in marks[other]]
        formed = [(before[0], new[0]) for before, new in both]
        marked = [(before[1], new[1]) for before, new in both if before[1] is not None and new[1] is not None]
        found += [
            _compared(other, measure, pairs)
            for measure, pairs in (("format kept", formed), ("right", marked))
            if pairs
        ]
    return found


def _compared(other: str, measure: str, pairs: list[tuple[bool, bool]]) -> Paired:
    won = sum(new and not before for before, new in pairs)
    lost = sum(before and not new for before, new in pairs)
    gain = paired_difference(
        [float(before) for before, _ in pairs], [float(new) for _, new in pairs]
    ).estimate
    points = (100 * gain.value, 100 * gain.low, 100 * gain.high)
    return Paired(other, measure, gain.n, won, lost, *points, mcnemar(won, lost).p)
