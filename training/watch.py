"""What a person watching the curves would notice: not a number, divergence, no progress. Pure."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

SMOOTH = 10  # steps of a mean
DIVERGED = 1.5  # times the best mean so far, and half a nat above it
LEAST_GAIN = 0.01  # of the loss, over `STALE` of the run
STALE = 0.4


@dataclass(frozen=True, slots=True)
class Alert:
    """`fatal` ends the run: going on would only write broken weights over good ones."""

    code: str
    step: int
    message: str
    fatal: bool = False


@dataclass(slots=True)
class Watch:
    """Fed once a step, in order. Each kind of alert is raised once, then again only after it has passed."""

    steps: int
    best: float = math.inf
    best_at: int = 0
    recent: deque[float] = field(default_factory=lambda: deque(maxlen=SMOOTH))
    raised: set[str] = field(default_factory=set)

    def take(self, step: int, loss: float, grad_norm: float) -> list[Alert]:
        if not math.isfinite(loss) or not math.isfinite(grad_norm):
            what = "loss" if not math.isfinite(loss) else "gradient"
            text = (
                f"The {what} is not a number at step {step}. The run was stopped before it could be saved; go on from "
                "the last checkpoint with a lower learning rate, or look at the rows of this step."
            )
            return [Alert("not_a_number", step, text, fatal=True)]
        self.recent.append(loss)
        mean = sum(self.recent) / len(self.recent)
        if len(self.recent) < SMOOTH:
            return []
        found = [*self._diverged(step, mean), *self._stale(step, mean)]
        if mean < self.best * (1 - LEAST_GAIN):
            self.best, self.best_at = mean, step
            self.raised.clear()
        return found

    def _diverged(self, step: int, mean: float) -> list[Alert]:
        if mean < max(self.best * DIVERGED, self.best + 0.5):
            return []
        text = f"The loss diverges: {mean:.3f} over the last {SMOOTH} steps, {self.best:.3f} at step {self.best_at}; try a lower learning rate."
        return self._once(Alert("diverging", step, text))

    def _stale(self, step: int, mean: float) -> list[Alert]:
        since = step - self.best_at
        if self.best == math.inf or since < max(3 * SMOOTH, STALE * self.steps):
            return []
        text = f"No progress for {since} steps: the loss is {mean:.3f} and was {self.best:.3f} at step {self.best_at}."
        return self._once(Alert("no_progress", step, text))

    def _once(self, alert: Alert) -> list[Alert]:
        if alert.code in self.raised:
            return []
        self.raised.add(alert.code)
        return [alert]
