"""From problems to judge tasks and back: nothing hidden is shown, values are compared as values."""

from __future__ import annotations

import pytest

from solver import judge_pool, judging
from tests.factories import problem_spec
from trajectories.problem_schema import ProblemSpec


def pairs(**changes: object) -> ProblemSpec:
    """A function problem whose sample answer is a list, as JSON writes it."""
    base = {
        "id": "test/pair",
        "test_kind": "call",
        "entry_point": "pair",
        "samples": [{"input": "1\n2", "output": "[1, 2]"}],
        "tests": [{"kind": "call", "args": [3, 4], "expected": [3, 4]}],
    }
    return problem_spec(**{**base, **changes})


@pytest.mark.parametrize(
    ("body", "verdict"), [("return [a, b]", "AC"), ("return (a, b)", "AC"), ("return [b, a]", "WA")]
)
def test_a_sample_call_is_compared_as_a_value_like_the_hidden_ones(body: str, verdict: str) -> None:
    problem = pairs()
    program = judging.program(f"def pair(a, b):\n    {body}\n", "python")
    for tests in (judging.sample_tests(problem), list(problem.tests)):
        report = judge_pool.judge().judge(program, judging.task(problem, tests, "python"))
        assert report.verdict.value == verdict


def test_a_sample_that_is_not_json_is_compared_as_text() -> None:
    problem = pairs(samples=[{"input": "'a'", "output": "a"}])
    (test,) = judging.sample_tests(problem)
    assert (getattr(test, "args", None), getattr(test, "outputs", None)) == (None, ("a",))


def test_a_stored_report_leaves_out_the_texts_of_passed_tests_only() -> None:
    problem = problem_spec()
    program = judging.program("a, b = map(int, input().split())\nprint(a + b if a < 9 else 0)\n", "python")
    report = judge_pool.judge().judge(program, judging.task(problem, problem.tests, "python"))
    stored = judging.slim(report)["results"]
    assert [result["verdict"] for result in stored] == ["AC", "AC", "WA"]
    assert [bool(result["expected"]) for result in stored] == [False, False, True]


@pytest.mark.parametrize(("limit", "judged"), [(0.5, 16), (8, 16), (16, 16), (64.9, 64), (None, 256)])
def test_a_memory_limit_below_what_the_judge_can_hold_anybody_to_is_judged_with_its_least(
    limit: float | None, judged: int
) -> None:
    problem = problem_spec(memory_limit_mb=limit)
    assert judging.task(problem, problem.tests, "cpp").limits.memory_mb == judged


def test_an_unknown_checker_names_the_problem() -> None:
    problem = problem_spec(checker={"type": "psychic"})
    with pytest.raises(ValueError, match="test/sum"):
        judging.task(problem, problem.tests, "python")
