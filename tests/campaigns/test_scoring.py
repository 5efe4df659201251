"""From results to estimates: seeds within problems, copies within units, and pairs that are really pairs."""

from __future__ import annotations

from math import isclose

from hypothesis import given
from hypothesis import strategies as st

from solver.campaigns.breakdown import difficulty_group
from solver.campaigns.measures import Origin, RoleMeasures, RunMeasures
from solver.campaigns.scoring import Outcome, Result, compare, pass_at, share, unit_means, which_k


def result(
    problem: int, solved: bool, seed: int = 0, unit: str = "", origin: Origin = Origin.FIRST
) -> Result:
    verdict = "AC" if solved else "WA"
    return Result(
        0, problem, unit or str(problem), seed, 0, verdict, RunMeasures(origin=origin), RoleMeasures()
    )


def results(*problems: list[bool]) -> list[Result]:
    """A problem a list, a seed an entry."""
    return [
        result(number, solved, seed)
        for number, runs in enumerate(problems)
        for seed, solved in enumerate(runs)
    ]


def solved(found: Result) -> bool:
    return found.solved


def test_a_problem_run_often_weighs_no_more_than_one_run_once() -> None:
    found = share(results([True] * 9, [False]), solved)
    assert (found.value, found.n) == (0.5, 2)


def test_copies_of_a_problem_count_once() -> None:
    copies = [result(1, True, unit="u"), result(2, False, unit="u"), result(3, True)]
    found = share(copies, solved)
    assert (found.value, found.n) == (0.75, 2)


def test_pass_at_k_leaves_out_problems_with_too_few_runs_and_counts_them() -> None:
    found = pass_at(results([True, False, False], [False]), 2)
    assert isclose(found.estimate.value, 1 - 1 / 3) and (found.estimate.n, found.left_out) == (1, 1)


@given(st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=1, max_size=20))
def test_pass_at_1_is_the_solve_rate_and_more_tries_never_hurt(problems: list[list[bool]]) -> None:
    rows = results(*problems)
    one, two, three = (pass_at(rows, k).estimate.value for k in (1, 2, 3))
    assert isclose(one, share(rows, solved).value, abs_tol=1e-12)
    assert one <= two + 1e-12 and two <= three + 1e-12
    assert isclose(three, sum(any(runs) for runs in problems) / len(problems), abs_tol=1e-12)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(Origin)), min_size=1, max_size=30))
def test_every_run_has_exactly_one_outcome(runs: list[tuple[bool, Origin]]) -> None:
    rows = [result(i, ok and origin is not Origin.NONE, origin=origin) for i, (ok, origin) in enumerate(runs)]
    solved_outcomes = {Outcome.FIRST, Outcome.OTHER, Outcome.REPAIR}
    assert all((row.outcome in solved_outcomes) == row.solved for row in rows)


def test_unit_means_average_runs_before_problems() -> None:
    rows = [
        result(1, True, 0, "u"),
        result(1, True, 1, "u"),
        result(1, True, 2, "u"),
        result(2, False, 0, "u"),
    ]
    assert unit_means(rows, lambda row: float(row.solved)) == {"u": 0.5}


def test_a_comparison_uses_common_problems_only_and_says_what_it_left_out() -> None:
    first = [result(1, True), result(2, False), result(3, True), result(9, True)]
    second = [result(1, True), result(2, True), result(3, False), result(7, True), result(8, True)]
    found = compare(first, second)
    assert (found.common, found.only_first, found.only_second) == (3, 1, 2)
    assert (found.won, found.lost, found.both, found.neither) == (("2",), ("3",), 1, 0)
    assert (found.test.won, found.test.lost, found.test.p) == (1, 1, 1.0)


def test_with_several_seeds_the_higher_share_wins_the_problem() -> None:
    found = compare(results([True, False], [True, True]), results([True, True], [True, False]))
    assert (found.won, found.lost) == (("0",), ("1",))


def test_copies_known_to_the_first_campaign_pair_as_one() -> None:
    first = [result(1, True, unit="u"), result(2, True, unit="u")]
    second = [result(1, False), result(2, False)]
    found = compare(first, second)
    assert (found.common, found.lost) == (1, ("u",))
    assert found.points.estimate.value == -1.0


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40))
def test_swapping_the_cells_swaps_won_and_lost_and_turns_the_difference(
    pairs: list[tuple[bool, bool]],
) -> None:
    first = [result(i, a) for i, (a, _) in enumerate(pairs)]
    second = [result(i, b) for i, (_, b) in enumerate(pairs)]
    one, other = compare(first, second), compare(second, first)
    assert (one.won, one.lost) == (other.lost, other.won)
    assert one.test.p == other.test.p
    assert isclose(one.points.estimate.value, -other.points.estimate.value, abs_tol=1e-12)
    assert one.both + one.neither + len(one.won) + len(one.lost) == one.common == len(pairs)


def test_nothing_in_common_compares_to_nothing() -> None:
    found = compare([result(1, True)], [result(2, True)])
    assert (found.common, found.test.p, found.points.estimate.n) == (0, 1.0, 0)


def test_k_goes_up_to_the_number_of_seeds() -> None:
    assert which_k(1) == [1] and which_k(4) == [1, 2, 3, 4] and which_k(12) == [1, 2, 3, 5, 10, 12]


def test_ratings_fall_into_the_published_groups_and_other_scales_stay_as_they_are() -> None:
    groups = [
        difficulty_group(text)
        for text in ("800", "1000", "1001", "2000", "2400", "8", "interview", "", "nan")
    ]
    assert groups == [
        "up to 1000",
        "up to 1000",
        "1001 to 1500",
        "1501 to 2000",
        "over 2000",
        "8",
        "interview",
        "not given",
        "nan",
    ]
