from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from solver.agents.formats import FormatFailure
from solver.agents.languages import LANGUAGES
from solver.engines.protocol import Role
from solver.strategies.analogical import final_program
from solver.strategies.protocol import Outcome
from solver.strategies.registry import STRATEGIES
from tests.strategies.bench import ScriptedBench, program, sum_problem


def run(
    name: str, answers: dict[Role, Any], given: dict[str, Any] | None = None, **bench: Any
) -> tuple[Outcome, ScriptedBench]:
    info = STRATEGIES[name]
    scripted = ScriptedBench(answers, **bench)
    params = info.params({**info.check(given or {}), "language": "python", "templates": "lab"})
    return info.run(sum_problem(), scripted, params), scripted


def programs(prefix: str = "code") -> Any:
    return (program(f"{prefix} {n}") for n in count(1))


def passing(name: str) -> Callable[[str], int]:
    return lambda code: 2 * (name in code)


@pytest.mark.parametrize("name", ["direct", "cot"])
def test_one_call_strategies_submit_their_only_program_untested(name: str) -> None:
    outcome, bench = run(name, {Role.CODING: [program("a")]})
    assert (outcome.code, outcome.attempt) == ("# a\n", 1)
    assert bench.log == ["coding:1"]


@pytest.mark.parametrize("name", ["direct", "cot", "analogical"])
def test_an_answer_without_a_program_is_asked_for_again_and_then_given_up(name: str) -> None:
    outcome, bench = run(name, {Role.CODING: ["Sorry.", "No."]})
    assert outcome.code is None
    assert len(bench.asked) == 2
    assert bench.noted("no_program")


def test_self_planning_writes_the_program_from_its_own_plan() -> None:
    outcome, bench = run("self_planning", {Role.PLANNING: ["1. Add."], Role.CODING: [program("a")]})
    assert outcome.code == "# a\n"
    assert bench.roles() == ["planning", "coding"]
    assert "1. Add." in bench.asked[1][2].text


def test_analogical_takes_the_program_under_the_last_heading_and_not_a_remembered_one() -> None:
    answer = f"# Remembered problems\n{program('other')}\n# Final program\n{program('mine')}"
    outcome, bench = run("analogical", {Role.CODING: [answer]}, {"k": 4})
    assert outcome.code == "# mine\n"
    assert "four (04) problems" in bench.asked[0][2].text


def test_a_remembered_solution_is_never_submitted_for_a_cut_answer() -> None:
    parsed = final_program(f"# Remembered problems\n{program('other')}\n# Appr", LANGUAGES["python"])
    assert (parsed.value, parsed.failure) == (None, FormatFailure.MISSING_FIELD)


def test_a_comment_that_looks_like_the_heading_does_not_hide_the_program() -> None:
    code = "# Final program\nprint(1)"
    parsed = final_program(f"# Final program\n```python\n{code}\n```\nDone.", LANGUAGES["python"])
    assert (parsed.value, parsed.failure) == (code + "\n", None)


def test_an_empty_analogical_answer_is_empty() -> None:
    assert final_program(" ", LANGUAGES["python"]).failure is FormatFailure.EMPTY


def test_reflexion_writes_again_with_its_reflections_in_mind() -> None:
    answers = {Role.CODING: programs(), Role.DEBUGGING: (f"thought {n}" for n in count(1))}
    outcome, bench = run("reflexion", answers, passes=passing("code 3"))
    assert outcome.attempt == 3
    assert bench.log == [
        *("coding:1", "test:1", "debugging:1"),
        *("coding:2", "test:2", "debugging:2"),
        *("coding:3", "test:3"),
    ]
    last = bench.asked[-1][2].text
    assert "1. thought 1" in last and "2. thought 2" in last and "# code 2" in last


def test_reflexion_remembers_three_reflections_and_falls_back_on_the_best_program() -> None:
    answers = {Role.CODING: programs(), Role.DEBUGGING: (f"thought {n}" for n in count(1))}
    outcome, bench = run("reflexion", answers, {"t": 4}, passes=lambda code: int("code 2" in code))
    assert outcome.code == "# code 2\n"
    assert len(bench.asked) == 1 + 2 * 4
    last = bench.asked[-1][2].text
    assert "thought 1" not in last and "thought 2" in last and "thought 4" in last


def test_codesim_mends_a_plan_that_fails_its_simulation() -> None:
    answers = {
        Role.PLANNING: ["first plan", "mended plan"],
        Role.CONFIDENCE: ["3 is not 4.\nVerdict: fails"],
        Role.CODING: programs(),
    }
    outcome, bench = run("codesim", answers, passes=passing("code 1"))
    assert outcome.attempt == 1
    assert bench.roles() == ["planning", "confidence", "planning", "coding"]
    assert "3 is not 4." in bench.asked[2][2].text
    assert "mended plan" in bench.asked[3][2].text
    assert bench.noted("plan_mended")


def test_codesim_keeps_a_plan_that_holds_and_tells_the_next_one_which_failed() -> None:
    answers = {
        Role.PLANNING: (f"plan {n}" for n in count(1)),
        Role.CONFIDENCE: ("**Verdict: holds**" for _ in count()),
        Role.CODING: programs(),
        Role.DEBUGGING: programs("repair"),
    }
    outcome, bench = run("codesim", answers, {"k": 2, "t": 1}, passes=passing("code 2"))
    assert outcome.attempt == 2
    assert bench.roles() == [
        "planning",
        "confidence",
        "coding",
        "debugging",
        "planning",
        "confidence",
        "coding",
    ]
    assert "plan 1" in bench.asked[4][2].text


def test_codesim_goes_on_with_a_plan_whose_simulation_cannot_be_read() -> None:
    answers = {Role.PLANNING: ["plan"], Role.CONFIDENCE: ["Fine.", "Good."], Role.CODING: programs()}
    outcome, bench = run("codesim", answers, passes=passing("code 1"))
    assert outcome.code is not None
    assert bench.noted("plan_kept") == [{"attempt": 1, "simulated": False}]


def test_codesim_makes_at_most_its_bound_of_calls() -> None:
    answers = {
        Role.PLANNING: (f"plan {n}" for n in count(1)),
        Role.CONFIDENCE: ("Verdict: fails" for _ in count()),
        Role.CODING: programs(),
        Role.DEBUGGING: programs("repair"),
    }
    _, bench = run("codesim", answers, {"k": 5, "t": 5, "retries": 0})
    assert len(bench.asked) == 45


def test_best_of_n_stops_at_the_first_program_that_passes() -> None:
    outcome, bench = run("best_of_n", {Role.CODING: programs()}, {"n": 4}, passes=passing("code 3"))
    assert outcome.attempt == 3
    assert len(bench.asked) == 3
    assert bench.asked[2][3] == {"sample": 3}


def test_best_of_n_tests_equal_programs_once_and_says_that_they_are_equal() -> None:
    outcome, bench = run("best_of_n", {Role.CODING: [program("a")] * 3}, {"n": 3})
    assert bench.tested == ["# a"]
    assert bench.noted("repeated_program") == [{"attempt": 2, "same_as": 1}, {"attempt": 3, "same_as": 1}]
    assert outcome.code == "# a\n"
    assert bench.noted("fallback")


@pytest.mark.parametrize("name", STRATEGIES)
def test_no_strategy_makes_more_calls_than_its_bound_however_bad_the_answers(name: str) -> None:
    info = STRATEGIES[name]
    answers = {role: ("nonsense" for _ in count()) for role in Role}
    bench = ScriptedBench(answers)
    params = info.params(info.check({}))
    outcome = info.run(sum_problem(), bench, params)
    assert outcome.code is None
    assert outcome.reason
    assert len(bench.asked) <= info.call_bound(params)
