"""Wilson's interval against published figures, its own equation, and the lab's interval for whole counts."""

from __future__ import annotations

from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solver.benchmarks.interval import Z_95, wilson
from trajectories.wilson import share


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [  # R. G. Newcombe, Statistics in Medicine 17 (1998), 857-872, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_limits(hits: int, n: int, low: float, high: float) -> None:
    found = wilson([1.0] * hits + [0.0] * (n - hits))
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)
    assert (found.value, found.n) == (hits / n, n)


@given(st.integers(0, 60), st.integers(0, 60))
def test_whole_counts_give_the_same_interval_as_the_lists_of_the_lab(hits: int, misses: int) -> None:
    ours, theirs = wilson([1.0] * hits + [0.0] * misses), share(hits, hits + misses)
    assert isclose(ours.low, theirs.low, abs_tol=1e-12)
    assert isclose(ours.high, theirs.high, abs_tol=1e-12)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=80))
def test_the_interval_holds_its_estimate_and_stays_between_0_and_1(scores: list[float]) -> None:
    found = wilson(scores)
    assert 0 <= found.low <= found.value <= found.high <= 1


@given(st.integers(1, 59), st.integers(1, 60))
def test_each_limit_is_a_share_from_which_the_estimate_is_z_standard_errors_away(
    hits: int, misses: int
) -> None:
    found = wilson([1.0] * hits + [0.0] * misses)
    for limit in (found.low, found.high):
        error = (limit * (1 - limit) / found.n) ** 0.5
        assert isclose(abs(found.value - limit), Z_95 * error, rel_tol=1e-9)


def test_nothing_measured_says_that_nothing_is_known() -> None:
    assert (wilson([]).low, wilson([]).high, wilson([]).n) == (0.0, 1.0, 0)


def test_a_score_outside_0_to_1_is_refused() -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        wilson([1.5])
