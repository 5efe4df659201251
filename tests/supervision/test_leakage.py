"""The guard on a supervisor's words: hidden tests and written-out solutions do not pass, what it was shown does."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import problem_spec
from training import leakage

WORDS = st.lists(st.sampled_from(["read", "the", "sum", "of", "both", "line", "n"]), max_size=8).map(" ".join)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(before=WORDS, after=WORDS, number=st.integers(10**6, 10**12))
def test_a_hidden_expectation_anywhere_in_the_words_is_found(before: str, after: str, number: int) -> None:
    test = {"kind": "stdio", "input": "7 7\n", "outputs": [f"{number}\n"]}
    problem = problem_spec(tests=[test])
    said = f"{before} expected `{number}`. {after}"
    assert leakage.faults(said, problem, "nothing of it")
    assert not leakage.faults(said, problem, f"the sample says {number}")


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(words=WORDS)
def test_plain_advice_passes(words: str) -> None:
    assert leakage.faults(words, problem_spec(), "") == []
