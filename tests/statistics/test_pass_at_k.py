"""pass@k against its definition: the share of all k-subsets of the programs that hold a right one."""

from __future__ import annotations

from itertools import combinations
from math import comb, isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solver.benchmarks.pass_at_k import pass_at_k


@given(st.data(), st.integers(1, 9))
def test_the_estimate_is_the_share_of_subsets_with_a_right_program(data: st.DataObject, n: int) -> None:
    c, k = data.draw(st.integers(0, n)), data.draw(st.integers(1, n))
    programs = [True] * c + [False] * (n - c)
    subsets = list(combinations(programs, k))
    assert isclose(pass_at_k(n, c, k), sum(any(subset) for subset in subsets) / len(subsets), abs_tol=1e-12)


@given(st.integers(1, 12), st.integers(1, 12), st.floats(0.05, 0.95))
def test_the_estimate_is_unbiased(n: int, k: int, p: float) -> None:
    """Averaged over how many of n programs a model with solve rate p gets right, it is exactly 1 - (1 - p)^k."""
    k = min(k, n)
    expected = sum(comb(n, c) * p**c * (1 - p) ** (n - c) * pass_at_k(n, c, k) for c in range(n + 1))
    assert isclose(expected, 1 - (1 - p) ** k, abs_tol=1e-9)


@given(st.integers(1, 200), st.integers(0, 200))
def test_pass_at_1_is_the_share_of_right_programs(n: int, c: int) -> None:
    c = min(c, n)
    assert isclose(pass_at_k(n, c, 1), c / n, abs_tol=1e-12)


def test_a_worked_example() -> None:
    assert isclose(pass_at_k(5, 2, 2), 0.7)  # 3 of the 10 pairs hold none of the two right ones
    assert isclose(pass_at_k(200, 1, 100), 0.5)  # either the right one is in the half that is drawn, or not


@pytest.mark.parametrize(("n", "c", "k"), [(3, 1, 4), (3, 4, 1), (3, 1, 0), (0, 0, 1), (3, -1, 1)])
def test_impossible_counts_are_refused(n: int, c: int, k: int) -> None:
    with pytest.raises(ValueError, match=f"pass@{k}"):
        pass_at_k(n, c, k)
