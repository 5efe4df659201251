"""Stated confidence against what came of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.supervision.calibration import calibration
from training.supervision.models import SupervisionCase


def case(*votes: tuple[str, float | None], **verdicts: str) -> SupervisionCase:
    said: list[dict[str, Any]] = [{"agent": agent, "confidence": confidence} for agent, confidence in votes]
    tried = [{"agent": agent, "verdict": verdict, "branch": 1} for agent, verdict in verdicts.items()]
    return SupervisionCase(votes=said, tried=tried)


def test_the_score_is_the_mean_square_of_confidence_less_outcome_by_run() -> None:
    cases = [
        case(("coding", 0.9), ("coding", 0.5), coding="AC"),
        case(("planning", 0.8), planning="WA"),
    ]
    found = calibration(cases)
    assert found is not None and (found.brier.n, found.votes) == (2, 3)
    assert found.brier.value == pytest.approx(((0.01 + 0.25) / 2 + 0.64) / 2)
    always = case(("coding", 0.5), ("coding", 0.5), coding="AC"), case(("planning", 0.5), planning="WA")
    told = calibration(always)
    assert told is not None and found.constant == told.constant == pytest.approx(told.brier.value)
    assert [(one.came_true.hits, one.came_true.n) for one in found.bins] == [(1, 1), (1, 2)]


def test_votes_that_nothing_was_tried_for_or_that_state_no_confidence_are_not_counted() -> None:
    cases = [case(("coding", 0.9), ("planning", None), planning="AC"), case(("retrieval", 0.4))]
    assert calibration(cases) is None


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=20))
def test_every_vote_is_in_one_bin_and_the_score_is_between_zero_and_one(
    pairs: list[tuple[float, bool]],
) -> None:
    found = calibration([case(("coding", c), coding="AC" if y else "WA") for c, y in pairs])
    assert found is not None
    assert sum(one.came_true.n for one in found.bins) == found.votes == len(pairs)
    assert 0 <= found.brier.low <= found.brier.value <= found.brier.high <= 1
