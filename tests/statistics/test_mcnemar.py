"""McNemar's test against published p values and against the binomial distribution it stands on."""

from __future__ import annotations

from math import comb, isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solver.benchmarks.mcnemar import EXACT_UP_TO, Method, mcnemar


def test_a_small_published_table_gives_its_exact_and_mid_p_values() -> None:
    """Fagerland et al. 2013, airway hyper-responsiveness: 1 and 7 discordant pairs, p 0.070 exact and 0.039 mid-p."""
    found = mcnemar(1, 7)
    assert found.method is Method.EXACT and found.mid_p is not None
    assert (round(found.p, 4), round(found.mid_p, 4)) == (0.0703, 0.0391)


def test_a_large_table_gives_the_corrected_chi_squared_p() -> None:
    """Ten times the discordant counts 86 and 150 of the approval ratings in Agresti, Categorical Data Analysis."""
    found = mcnemar(860, 1500)
    assert found.method is Method.CHI_SQUARED
    statistic = (1500 - 860 - 1) ** 2 / 2360
    assert round(statistic, 2) == 173.02 and found.p < 1e-38


@given(st.integers(0, 60), st.integers(0, 60))
def test_the_exact_p_is_the_chance_of_a_split_at_least_as_uneven(won: int, lost: int) -> None:
    n = won + lost
    uneven = sum(comb(n, i) for i in range(n + 1) if abs(2 * i - n) >= abs(won - lost))
    assert isclose(mcnemar(won, lost).p, uneven / 2**n, rel_tol=1e-12)


@given(st.integers(0, 200), st.integers(0, 200))
def test_swapping_the_systems_changes_no_p(won: int, lost: int) -> None:
    one, other = mcnemar(won, lost), mcnemar(lost, won)
    assert one.p == other.p and one.mid_p == other.mid_p
    assert one.mid_p is not None and 0 < one.mid_p <= one.p <= 1


@pytest.mark.parametrize("won", [480, 500, 530])
def test_the_two_forms_agree_where_one_hands_over_to_the_other(won: int) -> None:
    exact, approximate = mcnemar(won, EXACT_UP_TO - won), mcnemar(won, EXACT_UP_TO - won + 1)
    assert {exact.method, approximate.method} == {Method.EXACT, Method.CHI_SQUARED}
    assert abs(exact.p - approximate.p) < 0.03


def test_no_discordant_problem_is_no_evidence() -> None:
    assert mcnemar(0, 0).p == 1.0


@pytest.mark.parametrize("each", [7, 700])
def test_a_tie_is_no_evidence_in_either_form(each: int) -> None:
    assert mcnemar(each, each).p == 1.0


def test_negative_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        mcnemar(-1, 3)
