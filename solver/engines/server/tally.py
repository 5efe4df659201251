"""What the server has done since it started, for the engine page and for Prometheus."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from solver.engines.transformers_answer import Answer
from solver.engines.transformers_engine import TransformersEngine

_WINDOW_S = 10.0
_GAUGES = (
    "running",
    "filling",
    "waiting",
    "kv_bytes",
    "kv_most_bytes",
    "prefix_bytes",
    "tokens_per_s",
    "active",
)


@dataclass
class Tally:
    """Used on the event loop only."""

    engine: TransformersEngine
    max_queue: int
    active: int = 0  # requests that are being answered or wait
    ended: Counter[str] = field(
        default_factory=Counter
    )  # by finish reason, `cancelled`, `busy` or an error's code
    models: dict[str, Counter[str]] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)
    _marks: deque[tuple[float, int]] = field(default_factory=deque)  # (moment, tokens so far)

    @property
    def full(self) -> bool:
        return self.active >= self.engine.spec.local.max_batch + self.max_queue

    def count(self, answer: Answer, ending: str) -> None:
        self.ended[ending] += 1
        by_model = self.models.setdefault(answer.origin.model, Counter())
        by_model.update(requests=1, prompt_tokens=answer.prompt_tokens, completion_tokens=answer.tokens)

    def mark(self) -> None:
        """Note how many tokens there are by now; called about once a second."""
        now = time.monotonic()
        self._marks.append((now, self.engine.stats()["new_tokens"]))
        while len(self._marks) > 1 and self._marks[1][0] <= now - _WINDOW_S:
            self._marks.popleft()

    async def keep_marking(self) -> None:
        while True:
            self.mark()
            await asyncio.sleep(1)

    def report(self) -> dict[str, Any]:
        """The page's numbers; bytes, tokens, seconds."""
        self.mark()
        (first, before), (last, now) = self._marks[0], self._marks[-1]
        rate = (now - before) / (last - first) if last > first else 0.0
        return {
            "name": self.engine.spec.name,
            "uptime_s": round(time.monotonic() - self.began, 1),
            "tokens_per_s": round(rate, 1),
            "active": self.active,
            "max_queue": self.max_queue,
            "ended": dict(self.ended),
            "models": {name: dict(counts) for name, counts in self.models.items()},
            "adapters": self.engine.adapters(),
            **self.engine.stats(),
        }


def prometheus(report: Mapping[str, Any]) -> str:
    """The same as text for a Prometheus scraper."""
    engine = f'engine="{report["name"]}"'
    lines = []
    for key in ("steps", "row_steps", "prompt_tokens", "reused_tokens", "new_tokens"):
        lines += [f"# TYPE lab_engine_{key} counter", f"lab_engine_{key}{{{engine}}} {report[key]}"]
    for key in _GAUGES:
        lines += [f"# TYPE lab_engine_{key} gauge", f"lab_engine_{key}{{{engine}}} {report[key]}"]
    lines.append("# TYPE lab_engine_requests counter")
    lines += [
        f'lab_engine_requests{{{engine},ending="{ending}"}} {count}'
        for ending, count in sorted(report["ended"].items())
    ]
    lines.append("# TYPE lab_engine_model_tokens counter")
    lines += [
        f'lab_engine_model_tokens{{{engine},model="{model}"}} {counts["completion_tokens"]}'
        for model, counts in sorted(report["models"].items())
    ]
    return "\n".join(lines) + "\n"
