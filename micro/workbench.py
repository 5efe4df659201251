"""The real MapCoder strategy over many micro problems at once, with any model behind each role."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from micro.generation import LONGEST_ANSWER
from micro.problem import MicroProblem
from micro.prompting import EXEMPLARS, TEMPLATES, spec_of
from micro.trajectory import Call, Trajectory
from solver.agents.formats import Parsed
from solver.agents.prompts import Prompt
from solver.engines.protocol import ChatModel, ChatRequest, FinishReason, Role, Sampling
from solver.judge import Judge, Program, StdioTest, Task, Verdict
from solver.strategies.mapcoder import mapcoder
from solver.strategies.protocol import Answer, CaseResult, Params, TestRun

T = TypeVar("T")

REPAIRS = 2
PARAMS = Params(k=EXEMPLARS, t=REPAIRS, templates=TEMPLATES)
IN_FLIGHT = 128


class Staff(Protocol):
    """Who answers which call: a model and the name it is asked under."""

    def answer(self, role: Role, prompt: Prompt) -> tuple[str, bool]:
        """The text, and whether it was cut off."""
        ...

    def leave(self) -> None:
        """The problem that this staff works on has ended."""
        ...


class ModelStaff:
    """One engine for every role, each agent under its own model name."""

    def __init__(
        self, engine: ChatModel, models: Mapping[str, str], on_leave: Callable[[], None] = lambda: None
    ) -> None:
        self._engine, self._models, self._on_leave = engine, models, on_leave

    def answer(self, role: Role, prompt: Prompt) -> tuple[str, bool]:
        sampling = Sampling(max_tokens=LONGEST_ANSWER)
        reply = self._engine.chat(ChatRequest(role, self._models[role.agent], prompt.messages(), sampling))
        return reply.text, reply.finish_reason is FinishReason.LENGTH

    def leave(self) -> None:
        self._on_leave()


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
    try:
        outcome = mapcoder(spec_of(problem), MicroWorkbench(problem, staff, judge, trajectory), params)
    finally:
        staff.leave()
    trajectory.submitted = outcome.code
    trajectory.passed = passes(judge, problem, outcome.code)
    first = trajectory.programs[0] if trajectory.programs else None
    trajectory.first_passed = trajectory.passed if first == outcome.code else passes(judge, problem, first)
    return trajectory


def solve_all(
    problems: Sequence[MicroProblem],
    staff_of_wave: Callable[[Sequence[int]], Mapping[int, Staff]],
    judge: Judge,
    *,
    params: Params = PARAMS,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Trajectory]:
    """All problems, `IN_FLIGHT` at a time, each in a thread of its own; the result is in the order given."""
    solved: list[Trajectory] = []
    for at in range(0, len(problems), IN_FLIGHT):
        wave = range(at, min(at + IN_FLIGHT, len(problems)))
        staff = staff_of_wave(wave)
        results: dict[int, Trajectory | Exception] = {}
        threads = [
            threading.Thread(
                target=_work, args=(results, index, problems[index], staff[index], judge, params)
            )
            for index in wave
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for index in wave:
            result = results[index]
            if isinstance(result, Exception):
                raise result
            solved.append(result)
        progress(len(solved), len(problems))
    return solved


def _work(
    results: dict[int, Trajectory | Exception],
    index: int,
    problem: MicroProblem,
    staff: Staff,
    judge: Judge,
    params: Params,
) -> None:
    try:
        results[index] = solve(index, problem, staff, judge, params)
    except Exception as error:  # noqa: BLE001  # raised again by `solve_all` in the caller's thread
        results[index] = error
