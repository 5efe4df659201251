"""One judge for the room's tests; programs and tasks in as few words as they need."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from solver.judge import Judge, Limits, Program, Report, StdioTest, Task, Verdict

DATA = Path(__file__).parents[3] / "shared" / "data"
BRISK = Limits(cpu_s=0.5, idle_s=0.5, memory_mb=128, output_kb=1024)


@pytest.fixture(scope="session")
def judge() -> Iterator[Judge]:
    with Judge() as judge:
        yield judge


@pytest.fixture(scope="session")
def data_folder() -> Path:
    if not (DATA / "problems").is_dir():
        pytest.skip("the recorded programs are not beside this checkout (../shared/data)")
    return DATA


Verdicts = Callable[..., list[Verdict]]


@pytest.fixture
def verdicts(judge: Judge) -> Verdicts:
    def run(
        source: str, *cases: tuple[str, str], language: str = "python", limits: Limits = BRISK
    ) -> list[Verdict]:
        tests = tuple(StdioTest(given, (wanted,)) for given, wanted in cases or (("2 3\n", "5\n"),))
        report = judge.judge(Program(source, language), Task(tests, limits=limits))
        return [result.verdict for result in report.results]

    return run


def only(report: Report) -> Verdict:
    assert len(report.results) == 1
    return report.results[0].verdict
