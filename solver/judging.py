"""From the lab's problems to the judge's tasks, and from its reports to what may be shown or told to an agent."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from typing import Any

from solver.judge import (
    AssertTest,
    CallTest,
    Limits,
    Program,
    Report,
    StdioTest,
    Task,
    Verdict,
    checker_from_spec,
    language_from_name,
)
from solver.strategies.protocol import CaseResult
from trajectories import problem_schema as schema

DEFAULT_CPU_S = 2.0
DEFAULT_MEMORY_MB = 256
LEAST_MEMORY_MB = 16  # below it the judge takes no limit: not even an interpreter starts
# Time limits are written for compiled languages; interpreted ones get the usual factor of programming judges
# (ExecEval gives its interpreted runtimes three times the limit).
TIME_FACTOR = {
    "python": 3.0,
    "javascript": 3.0,
    "ruby": 3.0,
    "php": 3.0,
    "java": 2.0,
    "kotlin": 2.0,
    "csharp": 2.0,
}


def task(problem: schema.ProblemSpec, tests: Iterable[schema.Test], language: str) -> Task:
    """A judge's task over `tests`. Raises ValueError, with the problem's id, on a checker nobody knows."""
    try:
        checker = checker_from_spec(problem.checker)
    except ValueError as error:
        raise ValueError(f"problem {problem.id}: {error}") from error
    factor = TIME_FACTOR.get(language, 1.0)
    return Task(
        tests=tuple(_test(test) for test in tests),
        kind=problem.test_kind.value,
        checker=checker,
        entry_point=problem.entry_point,
        preamble=problem.preamble,
        limits=Limits(
            cpu_s=(problem.time_limit_s or DEFAULT_CPU_S) * factor,
            memory_mb=max(LEAST_MEMORY_MB, int(problem.memory_limit_mb or DEFAULT_MEMORY_MB)),
        ),
    )


def _test(test: schema.Test) -> StdioTest | CallTest | AssertTest:
    match test:
        case schema.StdioTest():
            return StdioTest(test.input, test.outputs)
        case schema.CallTest():
            return CallTest(test.args, test.expected, test.input, test.outputs)
        case schema.AssertTest():
            return AssertTest(test.code)


def sample_tests(problem: schema.ProblemSpec) -> list[schema.Test]:
    """The samples as tests of the problem's kind."""
    tests: list[schema.Test] = []
    for sample in problem.samples:
        match problem.test_kind:
            case schema.TestKind.STDIO:
                tests.append(schema.StdioTest(input=sample.input, outputs=(sample.output,)))
            case schema.TestKind.CALL:
                tests.append(_call_sample(sample))
            case schema.TestKind.ASSERT:
                tests.append(
                    schema.AssertTest(code=sample.assert_code or f"assert {sample.input} == {sample.output}")
                )
    return tests


def _call_sample(sample: schema.Sample) -> schema.CallTest:
    """A sample call, one argument a line: compared as values where all of it is JSON, else as text."""
    try:
        args = tuple(json.loads(line) for line in sample.input.splitlines())
        return schema.CallTest(args=args, expected=json.loads(sample.output), input=sample.input)
    except ValueError:
        return schema.CallTest(input=sample.input, outputs=(sample.output,))


def program(code: str, language: str) -> Program:
    return Program(source=code, language=language_from_name(language))


def cases(problem: schema.ProblemSpec, report: Report) -> tuple[CaseResult, ...]:
    """Sample results as an agent may see them."""
    return tuple(
        CaseResult(
            input=sample.assert_code or sample.input,
            expected=sample.output,
            got=result.stdout,
            verdict=result.verdict.value,
            reason=result.reason or result.stderr[-500:],
        )
        for sample, result in zip(problem.samples, report.results, strict=False)
    )


def slim(report: Report) -> dict[str, Any]:
    """The report as stored in an event: texts of passed tests are left out, the problem holds them anyway."""
    results = tuple(
        dataclasses.replace(result, stdout="", stderr="", expected="")
        if result.verdict is Verdict.AC
        else result
        for result in report.results
    )
    return dataclasses.replace(report, results=results).to_dict()
