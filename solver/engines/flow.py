"""What keeps one endpoint usable: requests a minute, a circuit breaker, and the wait before the next try.

All of it is plain state with the clock passed in; the engine's event loop is the only caller, so there are no
locks.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

Clock = Callable[[], float]

MINUTE_S = 60.0
LONGEST_RETRY_AFTER_S = 60.0


@dataclass
class RateLimit:
    """At most `per_minute` requests in any sliding minute; None is no limit."""

    per_minute: int | None
    clock: Clock
    _starts: deque[float] = field(default_factory=deque)

    def reserve(self) -> float:
        """Book the next free moment and return the seconds to wait for it."""
        if self.per_minute is None:
            return 0.0
        now = self.clock()
        while self._starts and self._starts[0] <= now - MINUTE_S:
            self._starts.popleft()
        start = now
        if len(self._starts) >= self.per_minute:
            start = max(now, self._starts[-self.per_minute] + MINUTE_S)
        self._starts.append(start)
        return start - now


@dataclass
class CircuitBreaker:
    """After `threshold` failures in a row nothing is sent for `cooldown_s`; then one call tries for all.

    A refusal (bad key, unknown model) is a success here: somebody answered.
    """

    clock: Clock
    threshold: int = 5
    cooldown_s: float = 30.0
    failures: int = 0
    _open_until: float = 0.0
    _trial_running: bool = False

    def wait_s(self) -> float:
        """Seconds until the next call may be sent; 0 admits this one, as the trial when half open."""
        if self.failures < self.threshold:
            return 0.0
        left = self._open_until - self.clock()
        if left > 0:
            return left
        if self._trial_running:
            return self.cooldown_s
        self._trial_running = True
        return 0.0

    def succeeded(self) -> None:
        self.failures = 0
        self._trial_running = False

    def failed(self) -> None:
        self.failures += 1
        self._trial_running = False
        if self.failures >= self.threshold:
            self._open_until = self.clock() + self.cooldown_s

    def gave_up(self) -> None:
        """The call ended without telling anything about the endpoint (cancelled)."""
        self._trial_running = False


def backoff_s(attempt: int, rng: random.Random, *, base: float = 0.5, cap: float = 8.0) -> float:
    """Exponential, between half of it and all of it at random, so that callers do not come back together."""
    ceiling = min(cap, base * float(2**attempt))
    return ceiling * (1 + rng.random()) / 2


def retry_after_s(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds a server asks to wait (`retry-after-ms`, or `retry-after` as seconds or as an HTTP date)."""
    for name, scale in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers[name]) / scale
        except (KeyError, ValueError):
            continue
        if 0 <= seconds < float("inf"):
            return seconds
    try:
        moment = parsedate_to_datetime(headers["retry-after"])
    except (KeyError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds())
