"""One judge for the room, and the starter problems by slug."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from solver import judging
from solver.judge import Judge, Report
from starter.build import committed
from trajectories.problem_schema import ProblemSpec


@pytest.fixture(scope="session")
def judge() -> Iterator[Judge]:
    with Judge() as judge:
        yield judge


@pytest.fixture(scope="session")
def problems() -> dict[str, ProblemSpec]:
    return {spec.id.removeprefix("starter/"): spec for spec in committed()}


HiddenReport = Callable[[ProblemSpec, str], Report]


@pytest.fixture
def on_hidden(judge: Judge) -> HiddenReport:
    """The report of a Python program on the hidden tests, up to the first failure."""

    def run(problem: ProblemSpec, code: str) -> Report:
        task = judging.task(problem, problem.tests, "python")
        return judge.judge(judging.program(code, "python"), task, stop_on_first_failure=True)

    return run
