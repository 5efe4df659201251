"""The supervisor's prompt, and what is made of its answer: one agent, checked citations, no solution."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from solver.agents import supervisor
from solver.agents.formats import FormatFailure
from solver.agents.supervisor import Citation, ShownStep
from tests.factories import problem_spec

STEPS = [
    ShownStep(2, "planning", "the plan", "1. Read a and b.\n2. Print a - b."),
    ShownStep(3, "coding", "Python", "print(1)"),
]


def answer(**changes: Any) -> str:
    base = {
        "responsible_agent": "planning",
        "step": 2,
        "others": ["coding", "planning", "nobody"],
        "confidence": 80,
        "diagnosis": "It subtracts.",
        "feedback": "The problem asks for the sum.",
        "evidence": [{"step": 2, "lines": [2, 2], "quote": "Print a - b."}],
    }
    return json.dumps({**base, **changes})


def test_the_prompt_numbers_every_line_and_shows_no_hidden_test() -> None:
    problem = problem_spec()
    text = supervisor.prompt(problem, STEPS).text
    assert "[step 2] planning: the plan\n1| 1. Read a and b.\n2| 2. Print a - b." in text
    assert problem.statement in text
    assert str(2 * 10**12 + 1) not in text


def test_an_answer_is_read_whole() -> None:
    found = supervisor.parse(answer())
    assert found.failure is None and found.value is not None
    assert found.value.ranking == ("planning", "coding")
    assert found.value.confidence == 0.8
    assert [citation.known for citation in supervisor.checked(found.value.evidence, STEPS)] == [True]


@pytest.mark.parametrize(
    ("said", "share"),
    [(10**400, 1.0), (-(10**400), 0.0), (1e308, 1.0), (float("nan"), 0.0), (12.5, 0.125), (True, None)],
)
def test_a_confidence_of_any_size_is_a_share(said: Any, share: float | None) -> None:
    found = supervisor.parse(answer(confidence=said)).value
    assert found is not None and found.confidence == share


@pytest.mark.parametrize("around", ["```json\n{}\n```", "<think>hm {{</think>{}"])
def test_fences_and_thoughts_are_taken_off(around: str) -> None:
    found = supervisor.parse(around.replace("{{", "").replace("{}", answer()))
    assert found.value is not None and found.failure is None


def test_text_around_the_object_is_rescued_and_counted() -> None:
    found = supervisor.parse(f"Here you are: {answer()} Good luck!")
    assert found.value is not None and found.failure is FormatFailure.BAD_JSON


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        ("", FormatFailure.EMPTY),
        ("The planner.", FormatFailure.BAD_JSON),
        ('{"responsible_agent": "planning", ', FormatFailure.BAD_JSON),
        (answer(responsible_agent="judge"), FormatFailure.MISSING_FIELD),
        (answer(feedback=" "), FormatFailure.MISSING_FIELD),
    ],
)
def test_an_answer_that_names_nobody_or_advises_nothing_is_unusable(
    text: str, failure: FormatFailure
) -> None:
    found = supervisor.parse(text)
    assert found.value is None and found.failure is failure


@pytest.mark.parametrize(
    "wrong",
    [
        Citation(9, None, ""),
        Citation(2, (2, 3), ""),
        Citation(2, (0, 1), ""),
        Citation(2, (1, 1), "Print a - b."),
        Citation(3, None, "print(2)"),
    ],
)
def test_a_citation_of_what_is_not_there_is_a_defect(wrong: Citation) -> None:
    assert not supervisor.checked([wrong], STEPS)[0].known


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=300))
def test_any_text_is_read_without_an_error(text: str) -> None:
    supervisor.parse(text)
    supervisor.parse("{" + text)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
        max_leaves=8,
    )
)
def test_any_value_in_any_field_is_read_without_an_error(value: Any) -> None:
    for field in ("responsible_agent", "step", "others", "confidence", "evidence", "feedback"):
        supervisor.parse(answer(**{field: value}))
    supervisor.parse(json.dumps(value))
    supervisor.parse(answer(evidence=[{"step": value, "lines": value, "quote": value}]))


def test_advice_that_writes_the_solution_is_known_from_advice_in_words() -> None:
    assert supervisor.holds_code("Try this:\n```python\nprint(1)\n```")
    assert supervisor.holds_code("a = int(input())\nb = int(input())\nprint(a + b)")
    assert not supervisor.holds_code("Print the sum, not the difference.\nMind n = 0.")
