"""Re-sitting the exam: a new adapter answers every frozen prompt of a dataset version's held-out rows.

Columns are the base, what served before, the new adapter, and the teacher as recorded. An answer is written once; a killed
worker's exam is taken up by another, which asks only for what is missing.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from celery import current_app
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.utils.timezone import now
from kombu.exceptions import OperationalError

from solver import engine_book
from solver.engines.protocol import ChatRequest, EngineError, Message, Role, Sampling
from solver.engines.registry import open_engine
from solver.engines.spec import BASE, EngineSpec
from training import adapters, marking
from training.adapter_models import ExamState
from training.models import Adapter, DatasetRow, DatasetVersion, Exam, ExamAnswer
from trajectories.beating import beating

log = logging.getLogger(__name__)
AT_ONCE = 4
LEASE = timedelta(seconds=120)
NEW = "new"
COLUMNS = ("base", "previous", NEW)


class NoExam(ValueError):
    """The message says why there is nothing to sit."""


def start(
    adapter: Adapter,
    dataset: DatasetVersion | None = None,
    *,
    request_id: str = "",
    publish_to_workers: bool = True,
) -> Exam:
    """The same `request_id` again returns the exam it started first. Raises NoExam."""
    request_id = request_id or uuid.uuid4().hex
    if known := Exam.objects.filter(request_id=request_id).first():
        return known
    dataset = dataset or adapter.dataset
    if dataset is None:
        raise NoExam(f"{adapter} was imported without a dataset; choose a dataset version of {adapter.role}.")
    if dataset.role != adapter.role:
        raise NoExam(f"{dataset} holds prompts of {dataset.role}, which {adapter} does not answer.")
    rows = DatasetRow.objects.filter(version=dataset, split="eval").count()
    if not rows:
        raise NoExam(f"{dataset} holds no row out; build a version with a held-out share.")
    try:
        with transaction.atomic():
            made = Exam.objects.create(
                adapter=adapter,
                dataset=dataset,
                columns=_columns(adapter),
                row_count=rows,
                request_id=request_id,
            )
    except IntegrityError:
        return Exam.objects.get(request_id=request_id)
    if publish_to_workers:
        transaction.on_commit(lambda: publish(made.pk))
    return made


def _columns(adapter: Adapter) -> dict[str, str]:
    """`previous` is left out where it is the base or the new adapter itself."""
    spec = engine_book.get(adapter.engine)
    base = engine_book.roles_of(spec, {adapter.role: False})[adapter.role]
    before = adapters.serving(adapter.engine, adapter.role)
    previous = (
        before.name if before else engine_book.get_described(adapter.engine).model_for(Role(adapter.role))
    )
    told = {"base": base, "previous": previous, NEW: adapter.name}
    if previous in {base, adapter.name}:
        del told["previous"]
    return told


def publish(exam_id: int) -> None:
    try:
        current_app.send_task("training.exam", args=[exam_id], retry=False)
    except (OperationalError, OSError) as error:
        log.warning("exam %s not announced, the reaper will: %s", exam_id, error)


@dataclass(frozen=True, slots=True)
class _Question:
    row: DatasetRow
    column: str
    model: str


def execute(exam_id: int) -> bool:
    """Ask what has not been answered; False if somebody else does, or it is done."""
    known = Exam.objects.filter(pk=exam_id).claimable().values_list("fence", flat=True).first()
    if known is None:
        return False
    # Swapped from the number that was read: read afterwards, it could be that of whoever took over meanwhile.
    taken = (
        Exam.objects.filter(pk=exam_id, fence=known)
        .claimable()
        .update(state=ExamState.RUNNING, fence=known + 1, lease_expires_at=now() + LEASE)
    )
    if not taken:
        return False
    exam = Exam.objects.select_related("adapter", "dataset").get(pk=exam_id)
    mine = Exam.objects.filter(pk=exam_id, fence=known + 1, state=ExamState.RUNNING)
    try:
        spec = engine_book.serving(engine_book.get_described(exam.adapter.engine), exam.columns.values())
        engine = open_engine(spec)
        with _kept(exam.pk, mine) as lost, ThreadPoolExecutor(AT_ONCE) as pool:
            for part in _batches(_open(exam)):
                if lost.is_set():
                    return False
                list(pool.map(lambda question: _ask(exam, engine, spec, question), part))
    except (EngineError, engine_book.UnknownEngine) as error:
        mine.update(state=ExamState.FAILED, message=str(error), lease_expires_at=None)
        return True
    return mine.update(state=ExamState.DONE, message="", lease_expires_at=None) == 1


@contextlib.contextmanager
def _kept(exam_id: int, mine: QuerySet[Exam]) -> Iterator[threading.Event]:
    """Keep the lease while answers are written, however long one takes; the event says that it is another worker's."""
    lost = threading.Event()

    def beat() -> None:
        try:
            if not mine.update(lease_expires_at=now() + LEASE):
                lost.set()
        except DatabaseError:
            log.exception("exam %s: lease not renewed", exam_id)

    with beating(f"exam-{exam_id}", beat, LEASE.total_seconds() / 3):
        yield lost


def _open(exam: Exam) -> list[_Question]:
    done = set(ExamAnswer.objects.filter(exam=exam).values_list("row_id", "column"))
    rows = DatasetRow.objects.filter(version=exam.dataset, split="eval").select_related(
        "example__problem__body", "example__run"
    )
    return [
        _Question(row, column, exam.columns[column])
        for row in rows.order_by("position")
        for column in COLUMNS
        if column in exam.columns and (row.pk, column) not in done
    ]


def _batches(questions: Sequence[_Question]) -> list[Sequence[_Question]]:
    return [questions[start : start + 4 * AT_ONCE] for start in range(0, len(questions), 4 * AT_ONCE)]


def _ask(exam: Exam, engine: Any, spec: EngineSpec, question: _Question) -> None:
    try:
        example = question.row.example
        reply = engine.chat(
            ChatRequest(
                Role(exam.adapter.role),
                question.model or BASE,
                tuple(Message(turn["role"], turn["content"]) for turn in example.messages),
                Sampling(temperature=0.0, max_tokens=spec.sampling.max_tokens, seed=0),
            )
        )
        mark = marking.mark(exam.adapter.role, example, reply.text)
        ExamAnswer.objects.get_or_create(
            exam=exam,
            row=question.row,
            column=question.column,
            defaults={
                "text": reply.text,
                "failure": mark.failure,
                "right": mark.right,
                "tokens": reply.usage.completion_tokens,
                "seconds": reply.seconds,
            },
        )
    finally:
        connection.close()
