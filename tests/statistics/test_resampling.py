"""The bootstrap against a published standard error, coverage it must have, and Holm against a known table."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solver.benchmarks import bootstrap
from solver.benchmarks.holm import holm

# B. Efron, R. J. Tibshirani, An Introduction to the Bootstrap (1993), table 2.1: survival of treated mice in days.
MICE = [94.0, 197.0, 16.0, 38.0, 99.0, 141.0, 23.0]
NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)


def test_the_spread_of_the_means_is_the_published_standard_error() -> None:
    """Their limit for infinitely many resamples is 23.36 days."""
    means = bootstrap.resampled_means(MICE, 50_000)
    assert abs(float(means.std()) - 23.36) < 0.3
    assert abs(float(means.mean()) - 86.86) < 0.5


@given(st.lists(NUMBERS, min_size=1, max_size=40))
def test_the_interval_holds_the_mean_and_stays_within_the_values(values: list[float]) -> None:
    found = bootstrap.mean(values, resamples=200)
    slack = 1e-6 * (1 + max(abs(value) for value in values))
    assert min(values) - slack <= found.low <= found.value <= found.high <= max(values) + slack


def test_the_same_values_give_the_same_interval_every_time() -> None:
    assert bootstrap.mean(MICE) == bootstrap.mean(MICE)


def test_drawing_in_chunks_changes_only_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = bootstrap.mean(MICE)
    monkeypatch.setattr(bootstrap, "_CHUNK", 7)
    assert bootstrap.mean(MICE) == whole


def test_about_95_of_100_intervals_hold_the_true_mean() -> None:
    draws = np.random.default_rng(7)
    held = sum(
        found.low <= 3.0 <= found.high
        for found in (bootstrap.mean(list(draws.exponential(3.0, 60)), 400) for _ in range(300))
    )
    assert 0.88 <= held / 300 <= 0.98  # the percentile interval is a little narrow on skewed values


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=30))
def test_a_paired_difference_is_the_difference_of_the_means(pairs: list[tuple[float, float]]) -> None:
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    found = bootstrap.paired_difference(first, second, resamples=50)
    assert found.estimate.value == pytest.approx(found.second - found.first, abs=1e-6)


def test_pairing_removes_what_the_problems_have_in_common() -> None:
    easy_and_hard = [float(i * 10) for i in range(40)]
    found = bootstrap.paired_difference(easy_and_hard, [value + 1 for value in easy_and_hard])
    assert (found.estimate.low, found.estimate.value, found.estimate.high) == (1.0, 1.0, 1.0)


def test_unpaired_lists_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be paired"):
        bootstrap.paired_difference([1.0], [1.0, 2.0])


def test_nothing_measured_gives_an_empty_estimate() -> None:
    assert bootstrap.mean([]).n == 0


def test_holm_gives_the_known_adjusted_values() -> None:
    """The example of many textbooks, e.g. 4 x 0.005, 3 x 0.01, 2 x 0.03, and 0.04 not below its predecessor."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@given(st.lists(st.floats(0, 1), max_size=20))
def test_holm_never_makes_a_p_smaller_and_keeps_their_order(ps: list[float]) -> None:
    adjusted = holm(ps)
    assert all(p <= q <= 1 for p, q in zip(ps, adjusted, strict=True))
    assert sorted(adjusted) == [adjusted[i] for i in sorted(range(len(ps)), key=ps.__getitem__)]
