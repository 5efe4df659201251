from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from solver.engines.protocol import Role
from solver.strategies.mapcoder import call_bound, mapcoder
from solver.strategies.profiles import Defect
from solver.strategies.protocol import BudgetExceeded, Params
from tests.strategies.bench import ScriptedBench, confidence, exemplars, program, sum_problem


def numbered(prefix: str) -> Iterator[str]:
    return (program(f"{prefix} {n}") for n in count(1))


def plans() -> Iterator[str]:
    return (f"plan {n}" for n in count(1))


def scripted(
    k: int = 3,
    scores: tuple[object, ...] = (50, 90, 90),
    passes: Callable[[str], int] = lambda code: 0,
    **changes: Any,
) -> ScriptedBench:
    answers: dict[Role, Any] = {
        Role.RETRIEVAL: [exemplars(k)],
        Role.PLANNING: plans(),
        Role.CONFIDENCE: [confidence(score) for score in scores],
        Role.CODING: numbered("code"),
        Role.DEBUGGING: numbered("repair"),
    }
    return ScriptedBench({**answers, **changes.pop("answers", {})}, passes, **changes)


@pytest.mark.parametrize(
    ("profile", "k", "t", "bound"),
    [
        *(("lab", 3, 5, 25), ("lab", 5, 5, 41), ("lab", 3, 0, 10), ("lab", 1, 5, 9)),
        *(("upstream", 3, 5, 25), ("upstream", 5, 5, 41), ("upstream", 3, 0, 10)),
    ],
)
def test_a_run_in_which_nothing_passes_makes_exactly_the_bounded_number_of_calls(
    profile: str, k: int, t: int, bound: int
) -> None:
    params = Params(k=k, t=t, profile=profile)
    bench = scripted(k, scores=(50,) * k)
    mapcoder(sum_problem(), bench, params)
    assert len(bench.asked) == bound == call_bound(params)


def test_the_calls_come_in_the_published_order() -> None:
    bench = scripted(k=2, scores=(10, 20))
    mapcoder(sum_problem(), bench, Params(k=2, t=2, profile="upstream"))
    assert bench.log == [
        "retrieval:0",
        *("planning:0", "confidence:0", "planning:0", "confidence:0"),
        *("coding:1", "test:1", "debugging:1", "test:1", "debugging:1"),
        *("coding:2", "test:2", "debugging:2", "test:2", "debugging:2"),
    ]


def test_plans_are_tried_by_confidence_and_ties_keep_the_order_of_the_exemplars() -> None:
    bench = scripted(scores=(50, 90, 90))
    mapcoder(sum_problem(), bench, Params(t=0))
    tried = [prompt.text for role, _, prompt, _ in bench.asked if role is Role.CODING]
    assert ["plan 2" in tried[0], "plan 3" in tried[1], "plan 1" in tried[2]] == [True] * 3
    assert [row["exemplar"] for row in bench.noted("plans_ranked")[0]["order"]] == [2, 3, 1]
    assert [row["exemplar"] for row in bench.noted("plan_chosen")] == [2, 3, 1]


def test_the_first_program_that_passes_ends_the_run() -> None:
    bench = scripted(passes=lambda code: 2 * ("code 2" in code))
    outcome = mapcoder(sum_problem(), bench, Params(t=1))
    assert outcome.code is not None and "code 2" in outcome.code
    assert (outcome.attempt, outcome.samples_passed, outcome.samples_total) == (2, 2, 2)
    assert bench.roles()[-3:] == ["coding", "debugging", "coding"]


def test_a_correct_last_repair_is_tested_before_it_is_dropped() -> None:
    bench = scripted(passes=lambda code: 2 * ("repair 1" in code))
    outcome = mapcoder(sum_problem(), bench, Params(t=1))
    assert outcome.code is not None and "repair 1" in outcome.code
    assert outcome.attempt == 1


def test_upstream_never_tests_the_last_repair_and_submits_the_last_program() -> None:
    bench = scripted(passes=lambda code: 2 * ("repair 1" in code))
    outcome = mapcoder(sum_problem(), bench, Params(t=1, profile="upstream"))
    assert outcome.code is not None and "repair 3" in outcome.code
    assert outcome.attempt == 3
    assert bench.tested == ["# code 1", "# code 2", "# code 3"]


def test_upstream_without_repairs_tests_nothing_and_submits_the_lowest_plan() -> None:
    bench = scripted(passes=lambda code: 2)
    outcome = mapcoder(sum_problem(), bench, Params(t=0, profile="upstream"))
    assert bench.tested == []
    assert outcome.code is not None and "code 3" in outcome.code


def test_the_program_that_passed_most_samples_is_the_fallback() -> None:
    bench = scripted(passes=lambda code: int("repair 2" in code))
    outcome = mapcoder(sum_problem(), bench, Params(t=1))
    assert outcome.code is not None and "repair 2" in outcome.code
    assert (outcome.attempt, outcome.samples_passed) == (2, 1)
    assert bench.noted("fallback")[0]["attempt"] == 2


def test_between_equal_programs_the_most_confident_plan_decides() -> None:
    outcome = mapcoder(sum_problem(), scripted(), Params(t=1))
    assert outcome.code is not None and "code 1" in outcome.code
    assert outcome.attempt == 1


@pytest.mark.parametrize("profile", ["lab", "upstream"])
def test_without_samples_the_first_program_of_the_best_plan_is_submitted(profile: str) -> None:
    bench = scripted(total=0)
    outcome = mapcoder(sum_problem(samples=[]), bench, Params(profile=profile))
    assert outcome.attempt == 1
    assert "no samples" in outcome.reason
    assert len(bench.asked) == 8


def test_the_debugger_reads_its_own_last_answer_and_no_older_one() -> None:
    answers = {
        Role.DEBUGGING: ["first thoughts ```python\nx=1\n```", "second ```python\nx=2\n```", program("z")]
    }
    bench = scripted(k=1, scores=(90,), answers=answers)
    mapcoder(sum_problem(), bench, Params(k=1, t=3))
    rounds = [prompt.text for role, _, prompt, _ in bench.asked if role is Role.DEBUGGING]
    assert "plan 1" in rounds[0] and "# code 1" in rounds[0]
    assert "first thoughts" in rounds[1] and "# code 1" not in rounds[1]
    assert "second" in rounds[2] and "first thoughts" not in rounds[2]
    assert "0 of 2 sample tests passed" in rounds[0] and "wrong answer" in rounds[0]


def test_surplus_exemplars_are_cut_to_k_in_the_lab_and_all_planned_upstream() -> None:
    lab, upstream = (scripted(k=4, scores=(1, 2, 3, 4)) for _ in range(2))
    mapcoder(sum_problem(), lab, Params(k=3, t=0))
    mapcoder(sum_problem(), upstream, Params(k=3, t=0, profile="upstream"))
    assert lab.roles().count("planning") == 3
    assert upstream.roles().count("planning") == 4


def test_an_unusable_answer_is_asked_for_again_with_the_error_shown() -> None:
    bench = scripted(answers={Role.RETRIEVAL: ["I would use greedy.", exemplars(3)]})
    mapcoder(sum_problem(), bench, Params(t=0))
    role, attempt, prompt, detail = bench.asked[1]
    assert (role, attempt, detail) == (Role.RETRIEVAL, 0, {"retry": 1, "retry_of": 1})
    assert prompt.text.startswith(bench.asked[0][2].text)
    assert "no element of the answer format was found" in prompt.text
    assert "I would use greedy." in prompt.text
    assert bench.roles().count("planning") == 3


def test_too_few_exemplars_are_asked_for_again_and_used_if_the_second_answer_is_worse() -> None:
    bench = scripted(answers={Role.RETRIEVAL: [exemplars(2), "nothing"]})
    mapcoder(sum_problem(), bench, Params(t=0))
    assert "2 problems were recalled, 3 were asked for" in bench.asked[1][2].text
    assert bench.roles().count("planning") == 2


def test_retrieval_that_stays_unusable_leaves_one_plan_without_an_exemplar() -> None:
    bench = scripted(answers={Role.RETRIEVAL: ["no", "no"]})
    outcome = mapcoder(sum_problem(), bench, Params(t=0))
    assert outcome.code is not None
    assert bench.roles().count("planning") == 1
    assert "retrieval" in bench.noted("no_exemplars")[0]["why"]


@pytest.mark.parametrize(
    ("role", "texts", "code"),
    [
        (Role.RETRIEVAL, [exemplars(1)], "too_few_problems"),
        (Role.RETRIEVAL, ["<root><problem>"], "unclosed"),
        (Role.CONFIDENCE, [confidence(90), confidence("95%")], "bad_confidence"),
        (Role.CODING, ["```python\nx = 1"], "unclosed_fence"),
        (Role.DEBUGGING, ["```python\nx = 1"], "unclosed_fence"),
    ],
)
def test_upstream_ends_at_the_first_answer_the_published_parser_refuses(
    role: Role, texts: list[str], code: str
) -> None:
    bench = scripted(answers={role: texts})
    outcome = mapcoder(sum_problem(), bench, Params(profile="upstream"))
    assert outcome.code is None
    assert f"{role} gave an unusable answer ({code})" in outcome.reason
    assert bench.asked[-1][0] is role


def test_an_unreadable_confidence_ranks_last_in_the_lab() -> None:
    bench = scripted(answers={Role.CONFIDENCE: ["high", "quite high", confidence(1), confidence(2)]})
    mapcoder(sum_problem(), bench, Params(t=0))
    order = bench.noted("plans_ranked")[0]["order"]
    assert order == [
        {"exemplar": 3, "confidence": 2},
        {"exemplar": 2, "confidence": 1},
        {"exemplar": 1, "confidence": 0},
    ]
    assert bench.noted("confidence_unknown") == [{"exemplar": 1, "instead": 0}]


def test_a_plan_without_a_program_is_given_up_and_the_next_one_tried() -> None:
    bench = scripted(answers={Role.CODING: ["Sorry.", "Sorry.", program("late")]}, passes=lambda code: 2)
    outcome = mapcoder(sum_problem(), bench, Params())
    assert outcome.code is not None and "late" in outcome.code
    assert outcome.attempt == 2


def test_a_run_without_any_program_says_so() -> None:
    outcome = mapcoder(sum_problem(), scripted(answers={Role.CODING: ["Sorry."] * 6}), Params())
    assert (outcome.code, outcome.reason) == (None, "no agent gave a usable plan and program")


def test_a_spent_budget_submits_the_best_program_so_far() -> None:
    bench = scripted(passes=lambda code: int("repair 1" in code), max_calls=10)
    outcome = mapcoder(sum_problem(), bench, Params())
    assert outcome.code is not None and "repair 1" in outcome.code
    assert "10 calls" in outcome.reason


def test_a_budget_spent_before_the_first_program_ends_the_run() -> None:
    with pytest.raises(BudgetExceeded):
        mapcoder(sum_problem(), scripted(max_calls=5), Params())


def test_defects_can_be_switched_by_name() -> None:
    everything_but_one = [d.value for d in Defect if d is not Defect.UNTESTED_LAST_REPAIR]
    bench = scripted(passes=lambda code: 2 * ("repair 1" in code))
    params = Params(t=1, profile="upstream", extra={"defects": everything_but_one})
    outcome = mapcoder(sum_problem(), bench, params)
    assert outcome.code is not None and "repair 1" in outcome.code


def test_an_unknown_defect_or_profile_is_named_in_the_error() -> None:
    with pytest.raises(ValueError, match="no defects named tyop"):
        mapcoder(sum_problem(), scripted(), Params(extra={"defects": ["tyop"]}))
    with pytest.raises(ValueError, match="no profile 'best'"):
        mapcoder(sum_problem(), scripted(), Params(profile="best"))


def test_a_template_set_without_a_retry_text_is_not_asked_again() -> None:
    bench = scripted(k=1, scores=(90,), answers={Role.CODING: ["Sorry."]})
    outcome = mapcoder(sum_problem(), bench, Params(k=1, templates="micro"))
    assert outcome.code is None
    assert len(bench.noted("not_retried")) == 1


def test_the_same_answers_give_the_same_prompts() -> None:
    def prompts() -> list[str]:
        bench = scripted()
        mapcoder(sum_problem(), bench, Params(t=2))
        return [prompt.text for _, _, prompt, _ in bench.asked]

    assert prompts() == prompts()


def test_the_strategy_stays_under_two_hundred_lines() -> None:
    source = inspect.getsource(inspect.getmodule(mapcoder) or mapcoder)
    assert len(source.splitlines()) < 200
