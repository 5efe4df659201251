"""What is remembered is what was answered; what differs in anything is asked anew."""

from __future__ import annotations

from typing import Any

import pytest

from micro.remembering import RememberingJudge
from solver.judge import Judge, Program, Report, StdioTest, Task, Verdict


def task(*outputs: str) -> Task:
    return Task(tuple(StdioTest("2 3\n", (output,)) for output in outputs))


def test_a_program_is_judged_once_on_each_task_and_in_each_way(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, ...]] = []
    judge = Judge.judge

    def counted(self: Judge, program: Program, task: Task, **how: Any) -> Report:
        asked.append((program.source, task, how))
        return judge(self, program, task, **how)

    monkeypatch.setattr(Judge, "judge", counted)
    add = Program("print(sum(map(int, input().split())))")
    with RememberingJudge(slots=1) as remembering:
        for _ in range(3):
            assert remembering.judge(add, task("5")).verdict is Verdict.AC
            assert remembering.judge(add, task("6", "5")).verdict is Verdict.WA
            assert remembering.judge(Program("print(5)"), task("5")).verdict is Verdict.AC
        assert len(asked) == 3
        whole = remembering.judge(add, task("6", "5"))
        short = remembering.judge(add, task("6", "5"), stop_on_first_failure=True)
        assert (len(asked), whole.passed) == (4, 1) and short.passed <= whole.passed
