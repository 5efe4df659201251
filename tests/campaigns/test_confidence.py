"""A stated confidence is worth what it says about the program: an order of plans, and a score beside that of a constant."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solver.campaigns.confidence import worth
from solver.campaigns.measures import RoleMeasures, RunMeasures
from solver.campaigns.scoring import Result
from tests.campaigns.test_measures import Log
from trajectories import events

Said = tuple[int, bool]
SAID = st.tuples(st.integers(0, 100), st.booleans())


def result(
    number: int, stated: int | None, passed: bool, *, unit: str = "", samples: str = "", unread: bool = False
) -> Result:
    measures = RunMeasures(
        stated=stated, stated_unread=unread, first_samples=samples or ("AC" if passed else "WA")
    )
    return Result(1, number, unit or str(number), 1, number, "AC", measures, RoleMeasures())


def of(said: list[Said]) -> list[Result]:
    return [result(number, stated, passed) for number, (stated, passed) in enumerate(said)]


@given(st.lists(SAID, min_size=1, max_size=30))
def test_the_order_is_the_share_of_pairs_in_which_the_passing_plan_is_the_surer_one(said: list[Said]) -> None:
    found = worth(of(said))
    good, bad = ([stated for stated, passed in said if passed is kind] for kind in (True, False))
    assert found is not None and found.runs == found.brier.n == len(said)
    if not good or not bad:
        assert found.orders is None
        return
    pairs = [(a > b) + (a == b) / 2 for a, b in product(good, bad)]
    assert found.orders is not None and found.orders.n == len(said)
    assert found.orders.value == pytest.approx(sum(pairs) / len(pairs))
    assert 0 <= found.orders.low <= found.orders.value <= found.orders.high <= 1


@given(st.lists(SAID, min_size=2, max_size=20))
def test_saying_the_opposite_turns_the_order_round(said: list[Said]) -> None:
    found, turned = worth(of(said)), worth(of([(100 - stated, passed) for stated, passed in said]))
    assert found is not None and turned is not None
    if found.orders and turned.orders:
        assert found.orders.value == pytest.approx(1 - turned.orders.value)


def test_a_planner_that_knows_is_told_from_one_that_always_says_the_same() -> None:
    knows = worth(of([(95, True), (10, False)] * 40))
    same = worth(of([(90, True), (90, False)] * 40))
    assert knows is not None and knows.orders is not None and same is not None and same.orders is not None
    assert knows.orders.low > 0.9 and knows.brier.value < 0.01
    assert same.orders.value == 0.5 and same.brier.value > same.constant == 0.25
    assert [(bin.low, bin.runs) for bin in knows.bins if bin.runs] == [(0, 40), (80, 40)]
    assert knows.bins[-1].passed.value == 1 and knows.bins[0].passed.value == 0


def test_a_hundred_belongs_to_the_last_bin_and_every_run_to_one() -> None:
    found = worth(of([(0, False), (20, True), (79, True), (80, False), (100, True)]))
    assert found is not None and [bin.runs for bin in found.bins] == [1, 1, 0, 1, 2]


def test_a_problem_weighs_the_same_however_often_it_was_run() -> None:
    often = [result(1, 90, True, unit="a") for _ in range(9)]
    once = [result(2, 20, True, unit="b"), result(3, 50, False, unit="c")]
    found = worth([*often, *once])
    assert found is not None and found.orders is not None
    assert (found.orders.value, found.orders.n, found.runs) == (0.5, 3, 11)


def test_what_could_not_be_read_is_counted_and_a_run_without_a_program_is_not() -> None:
    results = [result(1, 50, True), result(2, None, True, unread=True), result(3, None, False)]
    nothing = Result(1, 4, "4", 1, 4, "", RunMeasures(stated=80), RoleMeasures())
    found = worth([*results, nothing])
    assert found is not None and (found.runs, found.unread) == (1, 1)
    assert worth([nothing]) is None and worth([]) is None


def test_without_samples_the_hidden_verdict_of_the_first_program_decides() -> None:
    hidden = Result(1, 1, "1", 1, 1, "AC", RunMeasures(stated=70, first_hidden="AC"), RoleMeasures())
    found = worth([hidden])
    assert found is not None and found.passed.value == 1


def chosen(log: Log, exemplar: int, confidence: object) -> None:
    detail = {"attempt": 1, "exemplar": exemplar, "confidence": confidence}
    log.add(events.Note(name="plan_chosen", detail=detail))


def test_the_confidence_is_that_of_the_plan_behind_the_first_program() -> None:
    log = Log().ask("planning").ask("confidence")
    chosen(log, 2, 85)
    log.ask("coding").test("a", "WA")
    chosen(log, 1, 40)
    found = log.ask("coding").test("b", "AC").test("b", "AC", "hidden").read()
    assert (found.stated, found.stated_unread, found.first_samples) == (85, False, "WA")


def test_a_plan_whose_coder_gave_no_program_is_not_the_one_behind_the_first() -> None:
    log = Log().ask("planning")
    chosen(log, 1, 90)
    log.ask("coding", "no_code", usable=False)
    chosen(log, 2, 30)
    assert log.ask("coding").test("a", "AC").read().stated == 30


@pytest.mark.parametrize("stated", [None, "80", True, 101, -1])
def test_what_is_no_number_from_0_to_100_is_none(stated: object) -> None:
    log = Log().ask("planning")
    chosen(log, 1, stated)
    assert log.ask("coding").test("a", "AC").read().stated is None


def test_a_zero_that_stands_for_an_unread_answer_is_no_confidence() -> None:
    log = Log().ask("planning").ask("confidence", "no_confidence", usable=False)
    log.add(events.Note(name="confidence_unknown", detail={"exemplar": 1, "instead": 0}))
    chosen(log, 1, 0)
    found = log.ask("coding").test("a", "AC").read()
    assert found.stated is None and found.stated_unread


def test_measures_stored_before_there_was_this_figure_are_read() -> None:
    old = RunMeasures(first_samples="AC").to_dict()
    del old["stated"], old["stated_unread"]
    assert RunMeasures.from_dict(old).stated is None
