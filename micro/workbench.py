"""The real MapCoder strategy over many micro problems at once, with any model behind each role."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from micro.problem import MicroProblem
from micro.prompting import EXEMPLARS, TEMPLATES, spec_of
from micro.staff import Staff
from micro.trajectory import Call, Trajectory
from solver.agents.formats import Parsed
from solver.agents.prompts import Prompt
from solver.engines.protocol import Role
from solver.judge import Judge, Program, StdioTest, Task, Verdict
from solver.strategies.mapcoder import mapcoder
from solver.strategies.protocol import Answer, CaseResult, Params, TestRun

T = TypeVar("T")

REPAIRS = 2
PARAMS = Params(k=EXEMPLARS, t=REPAIRS, templates=TEMPLATES)
IN_FLIGHT = 96


class MicroWorkbench:
    """A `solver.strategies.protocol.Workbench` that keeps everything in one `Trajectory`."""

    def __init__(self, problem: MicroProblem, staff: Staff, judge: Judge, trajectory: Trajectory) -> None:
        self._problem, self._staff, self._judge, self._trajectory = problem, staff, judge, trajectory

    def ask(
        self,
        role: Role,
        prompt: Prompt,
        parse: Callable[[str], Parsed[T]],
        *,
        attempt: int,
        gist: str = "",
        detail: dict[str, Any] | None = None,
    ) -> Answer[T]:
        text, truncated = self._staff.answer(role, prompt)
        parsed = parse(text)
        failure = None if parsed.failure is None else str(parsed.failure)
        self._trajectory.calls.append(Call(role.value, prompt.text, text, failure, parsed.usable))
        return Answer(len(self._trajectory.calls), text, parsed, truncated)

    def run_samples(self, code: str, language: str, *, attempt: int) -> TestRun:
        sample = self._problem.sample
        self._trajectory.programs.append(code)
        report = self._judge.judge(Program(code), Task((StdioTest(sample.input, (sample.output,)),)))
        result = report.results[0]
        case = CaseResult(sample.input, sample.output, result.stdout, result.verdict.value, result.reason)
        return TestRun(
            step=len(self._trajectory.calls),
            verdict=report.verdict.value,
            passed=report.passed,
            total=report.total,
            cases=(case,),
            compiler_output=report.compiler_output,
        )

    def note(self, kind: str, **detail: Any) -> None:
        """The calls and programs say enough for the recipe."""


def passes(judge: Judge, problem: MicroProblem, code: str | None) -> bool:
    """The verdict on the hidden tests."""
    if code is None:
        return False
    tests = tuple(StdioTest(test.input, (test.output,)) for test in problem.tests)
    return judge.judge(Program(code), Task(tests), stop_on_first_failure=True).verdict is Verdict.AC


def solve(
    index: int, problem: MicroProblem, staff: Staff, judge: Judge, params: Params = PARAMS
) -> Trajectory:
    """One run of the strategy, then the hidden tests."""
    trajectory = Trajectory(index)
    outcome = mapcoder(spec_of(problem), MicroWorkbench(problem, staff, judge, trajectory), params)
    trajectory.submitted = outcome.code
    trajectory.passed = passes(judge, problem, outcome.code)
    first = trajectory.programs[0] if trajectory.programs else None
    trajectory.first_passed = trajectory.passed if first == outcome.code else passes(judge, problem, first)
    return trajectory


def solve_all(
    problems: Sequence[MicroProblem],
    staff_of: Callable[[int], Staff],
    judge: Judge,
    *,
    params: Params = PARAMS,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Trajectory]:
    """All problems, `IN_FLIGHT` at a time so that the engine's batches are full; in the order given."""
    solved: list[Trajectory] = []
    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        work = [
            pool.submit(solve, index, problem, staff_of(index), judge, params)
            for index, problem in enumerate(problems)
        ]
        try:
            for future in work:
                solved.append(future.result())
                if len(solved) % IN_FLIGHT == 0 or len(solved) == len(work):
                    progress(len(solved), len(work))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return solved
