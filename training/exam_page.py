"""An exam as a table: a prompt a row, four answers beside each other, and each column's marks with their intervals."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q

from training.exams import COLUMNS
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
class ExamRow:
    row: DatasetRow
    prompt: str
    answers: list[tuple[str, ExamAnswer | None]]
    teacher: str


@dataclass(frozen=True, slots=True)
class ExamPage:
    columns: list[Column]
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
