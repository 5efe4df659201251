"""The exam: each column answers once, and answers are marked by the role's own measure."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils.timezone import now

from solver import judge_pool
from solver.benchmarks.interval import wilson
from solver.engines.protocol import ChatReply, ChatRequest, FinishReason, Usage
from tests.conftest import PATIENCE_S
from tests.factories import make_run
from tests.training import micro_rows
from tests.training.test_adapters import imported, micro_problem
from tests.training.versions import make_version, micro_version
from training import exam_page, exams, marking
from training.adapter_models import ExamState
from training.models import (
    Exam,
    ExamAnswer,
    Example,
)
from trajectories.models import Problem

pytestmark = pytest.mark.django_db


class Parrot:
    """Answers every prompt with what `says` has for the model."""

    def __init__(self, says: dict[str, str]) -> None:
        self.says, self.asked = says, 0

    def chat(self, request: ChatRequest, **_: Any) -> ChatReply:
        self.asked += 1
        return ChatReply(self.says[request.model], FinishReason.STOP, Usage(1, 1), request.model, 0.1)


@pytest.mark.django_db(transaction=True)
def test_the_exam_asks_each_column_once_and_shows_four_columns(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, version = imported("retrieval", "coding"), micro_version("retrieval", 6, 2)
    right = version.rows.get(position=4).example.answer
    parrot = Parrot({"base": "no idea", "retrieval": "<root><problem>", made.name: right})
    monkeypatch.setattr(exams, "open_engine", lambda spec: parrot)
    exam = exams.start(made, version, request_id="x", publish_to_workers=False)
    assert exams.start(made, version, request_id="x", publish_to_workers=False) == exam
    assert exam.columns == {"base": "base", "previous": "retrieval", "new": made.name}
    assert exams.execute(exam.pk) and not exams.execute(exam.pk) and parrot.asked == 6
    exam.refresh_from_db()
    assert exam.state == ExamState.DONE and ExamAnswer.objects.filter(exam=exam).count() == 6
    first = ExamAnswer.objects.get(exam=exam, row__position=4, column="new")
    assert first.right is True and not ExamAnswer.objects.filter(column="base", right=True).exists()
    page = client.get(f"/training/exams/{exam.pk}/").content.decode()
    for column in ("base", "previous", "new", "teacher"):
        assert f"<h3>{column}" in page
    told = [(one.other, one.measure, one.won, one.lost, one.n) for one in exam_page.read(exam).paired]
    assert told == [
        ("base", "format kept", 2, 0, 2),
        ("base", "right", 1, 0, 2),
        ("previous", "format kept", 2, 0, 2),
        ("previous", "right", 1, 0, 2),
    ]
    assert page.count("+50.0") == 2 and "Sign test p" in page
    ExamAnswer.objects.filter(exam=exam, column="base").delete()  # a worker was killed in between
    exam.__class__.objects.filter(pk=exam.pk).update(state=ExamState.WAITING)
    assert exams.execute(exam.pk) and parrot.asked == 8


def test_prompts_of_one_problem_are_one_unit_of_every_interval() -> None:
    """Ten prompts of two problems prove no more than two problems do."""
    problems = [micro_problem("micro/x"), micro_problem("micro/y")]
    rows = [replace(row, split="eval") for row in micro_rows.rows("retrieval", 10, 0)]
    version = make_version("retrieval", rows, problems=problems)
    exam = Exam.objects.create(
        adapter=imported("retrieval", "coding"),
        dataset=version,
        row_count=10,
        columns={"base": "base", "new": "new"},
        request_id="x",
    )
    for place, row in enumerate(version.rows.order_by("position")):
        for column, right in (("base", place == 0), ("new", place != 1)):
            ExamAnswer.objects.create(exam=exam, row=row, column=column, text="", failure="", right=right)
    page = exam_page.read(exam)
    base, new = (column.right for column in page.columns)
    assert (base.hits, base.prompts, base.estimate) == (1, 10, wilson([0.2, 0.0]))
    assert (new.hits, new.prompts, new.estimate) == (9, 10, wilson([1.0, 0.8]))
    told = next(one for one in page.paired if one.measure == "right")
    assert (told.n, told.won, told.lost, told.p) == (2, 2, 0, 0.5)
    assert told.points == pytest.approx(80.0)


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_was_overtaken_right_after_its_claim_ends_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made, version = imported("retrieval", "coding"), micro_version("retrieval", 6, 1)
    exam = exams.start(made, version, publish_to_workers=False)
    said = {"base": "no idea", "retrieval": "nor I", made.name: "nor I"}
    monkeypatch.setattr(exams, "open_engine", lambda spec: Parrot(said))
    mine = Exam.objects.filter(pk=exam.pk)

    def overtake(execute: Any, sql: str, *rest: Any) -> Any:
        done = execute(sql, *rest)
        if sql.startswith("UPDATE") and '"fence"' in sql and mine.filter(fence=1).exists():
            mine.update(fence=2)
        return done

    with connection.execute_wrapper(overtake):
        assert not exams.execute(exam.pk)
    exam.refresh_from_db()
    assert (exam.state, exam.fence) == (ExamState.RUNNING, 2)


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_takes_longer_than_the_lease_leaves_the_exam_with_its_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made, version = imported("retrieval", "coding"), micro_version("retrieval", 6, 1)
    exam = exams.start(made, version, publish_to_workers=False)
    monkeypatch.setattr(exams, "LEASE", timedelta(seconds=0.6))
    renewed = threading.Event()

    class Slow(Parrot):
        def chat(self, request: ChatRequest, **_: Any) -> ChatReply:
            """Thinks until the lease that it began with would be over, and was renewed."""
            begun = Exam.objects.get(pk=exam.pk).lease_expires_at
            assert begun is not None
            end = time.monotonic() + PATIENCE_S
            while time.monotonic() < end:
                if now() > begun and (Exam.objects.get(pk=exam.pk).lease_expires_at or begun) > begun:
                    renewed.set()
                    break
                time.sleep(0.05)
            return super().chat(request)

    said = {"base": "no idea", "retrieval": "nor I", made.name: "nor I"}
    monkeypatch.setattr(exams, "open_engine", lambda spec: Slow(said))
    assert exams.execute(exam.pk) and renewed.is_set()
    exam.refresh_from_db()
    assert (exam.state, exam.fence) == (ExamState.DONE, 1)


def test_marks_are_the_roles_own_measure() -> None:
    def example(role: str, answer: str, problem: Problem | None = None) -> Example:
        return Example(role=role, answer=answer, problem=problem, messages=[])

    plan = "1. read\n2. print"
    assert marking.mark("planning", example("planning", plan), "1. read\n\n2. print").right is True
    sure = "<root>\n<explanation>x</explanation>\n<confidence>96</confidence>\n</root>"
    assert marking.mark("planning", example("planning", sure), sure.replace("96", "70")).right is True
    assert marking.mark("planning", example("planning", sure), "<confidence>low").failure
    summed = "```python\na, b = map(int, input().split())\nprint(a + b)\n```"
    problem = micro_problem()
    assert marking.mark("coding", example("coding", summed, problem), summed).right is True
    assert (
        marking.mark("debugging", example("debugging", summed, problem), summed.replace("+", "-")).right
        is False
    )
    assert marking.mark("coding", example("coding", summed), summed).right is None


def test_a_program_is_marked_in_the_language_of_the_run_that_its_row_is_from() -> None:
    if "cpp" not in judge_pool.languages():
        pytest.skip("this machine has no C++ compiler")
    problem = micro_problem()
    right = "```cpp\n#include <iostream>\nint main() { long long a, b; std::cin >> a >> b; std::cout << a + b; }\n```"
    run = make_run(problem, language="cpp")
    row = Example(role="coding", answer=right, problem=problem, run=run, messages=[])
    assert marking.mark("coding", row, right).right is True
    assert marking.mark("coding", row, right.replace("a + b", "a - b")).right is False
    run.language = "cobol"
    assert marking.mark("coding", row, right).right is None
