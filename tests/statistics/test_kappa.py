"""Kappa: known values, what it means at the edges, and intervals that hold what they promise."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solver.benchmarks.kappa import confusion, kappa, one_against_rest

NAMES = ["retrieval", "planning", "coding"]
pairs_of = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), min_size=1, max_size=60)


def test_cohens_own_example_gives_his_figure() -> None:
    """Cohen 1960, table 1: proportions of 200 judgements with po 0.70 and pe 0.41, kappa 0.492."""
    table = [[88, 14, 18], [10, 40, 10], [2, 6, 12]]
    pairs = [(NAMES[i], NAMES[j]) for i, row in enumerate(table) for j, n in enumerate(row) for _ in range(n)]
    found = kappa(pairs)
    assert found.observed.value == pytest.approx(0.70)
    assert found.expected == pytest.approx(0.41)
    assert found.kappa and found.kappa.value == pytest.approx(0.492, abs=0.0005)


@given(pairs_of)
def test_kappa_knows_no_order_of_the_judges_and_lies_in_its_interval(pairs: list[tuple[str, str]]) -> None:
    one, other = kappa(pairs), kappa([(b, a) for a, b in pairs])
    assert (one.kappa is None) == (other.kappa is None)
    if one.kappa and other.kappa:
        assert one.kappa.value == pytest.approx(other.kappa.value)
        assert one.kappa.low <= one.kappa.value <= one.kappa.high <= 1.0 + 1e-9
        assert one.kappa.n == len(pairs)


@given(pairs_of)
def test_the_matrix_counts_every_pair_once(pairs: list[tuple[str, str]]) -> None:
    matrix = confusion(pairs, NAMES)
    assert sum(map(sum, matrix)) == len(pairs)
    assert sum(matrix[i][i] for i in range(3)) == sum(a == b for a, b in pairs)


def test_few_cases_that_all_agree_do_not_claim_certainty() -> None:
    found = kappa([("planning", "planning")] * 2 + [("coding", "coding")] * 2)
    assert found.kappa and found.kappa.value == 1.0 and found.kappa.low < 0.2


def test_the_interval_ends_where_kappa_does() -> None:
    """Expected agreement above half: the formula alone would give -1.27 as the lower end."""
    found = one_against_rest(
        [("none", "planning"), ("planning", "none"), ("planning", "none"), *[("coding", "coding")] * 6],
        "none",
    )
    assert found.expected > 0.5
    assert found.kappa and found.kappa.low == -1.0 < found.kappa.value < found.kappa.high < 1.0


def test_judges_who_always_say_the_same_have_no_kappa() -> None:
    assert kappa([("planning", "planning")] * 9).kappa is None
    assert kappa([]).kappa is None
    assert one_against_rest([("planning", "coding")] * 3, "retrieval").kappa is None


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    """Two judges who agree by design in 70 % of cases beyond chance; 40 cases a sample."""
    draws = random.Random(7)
    hits = 0
    for _ in range(400):
        pairs = []
        for _ in range(40):
            first = draws.choice(NAMES)
            pairs.append((first, first if draws.random() < 0.7 else draws.choice(NAMES)))
        found = kappa(pairs).kappa
        hits += bool(found and found.low <= 0.7 <= found.high)
    assert 0.90 <= hits / 400 <= 1.0
