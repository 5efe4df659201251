from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solver.engines.flow import CircuitBreaker, RateLimit, backoff_s, retry_after_s


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@given(st.integers(1, 5), st.lists(st.floats(0, 90), max_size=30))
def test_no_sliding_minute_ever_holds_more_starts_than_allowed(per_minute: int, gaps: list[float]) -> None:
    clock = Clock()
    limit = RateLimit(per_minute, clock)
    starts = []
    for gap in gaps:
        clock.now += gap
        starts.append(clock.now + limit.reserve())
    for index in range(per_minute, len(starts)):
        assert starts[index] - starts[index - per_minute] >= 60 - 1e-6


def test_without_a_limit_nobody_waits() -> None:
    limit = RateLimit(None, Clock())
    assert {limit.reserve() for _ in range(100)} == {0.0}


def test_an_open_circuit_lets_exactly_one_call_try_after_the_cooldown() -> None:
    clock = Clock()
    breaker = CircuitBreaker(clock, threshold=2, cooldown_s=10)
    breaker.failed()
    assert breaker.wait_s() == 0
    breaker.failed()
    assert breaker.wait_s() == 10
    clock.now += 11
    assert breaker.wait_s() == 0, "the trial"
    assert breaker.wait_s() > 0, "everybody else waits for it"
    breaker.succeeded()
    assert breaker.wait_s() == 0


def test_a_trial_that_fails_opens_the_circuit_again_and_a_cancelled_one_leaves_the_trial_free() -> None:
    clock = Clock()
    breaker = CircuitBreaker(clock, threshold=1, cooldown_s=10)
    breaker.failed()
    clock.now += 11
    assert breaker.wait_s() == 0
    breaker.gave_up()
    assert breaker.wait_s() == 0
    breaker.failed()
    assert breaker.wait_s() == 10


@given(st.integers(0, 19), st.integers())
def test_the_wait_between_tries_is_bounded(attempt: int, seed: int) -> None:
    wait = backoff_s(attempt, random.Random(seed))
    assert 0.25 <= wait <= 8.0


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "Sun, 01 Mar 2026 12:00:20 GMT"}, 20.0),
        ({"retry-after": "Sun, 01 Mar 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-4"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
    ],
)
def test_retry_after_is_read_in_every_form(headers: dict[str, str], expected: float | None) -> None:
    assert retry_after_s(headers, datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)) == expected
