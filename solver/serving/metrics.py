"""The few numbers of a vLLM's `/metrics` that the Engines page shows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

_LINE = re.compile(r"^(vllm:[a-z0-9_]+)(\{[^}]*\})? ([0-9.eE+-]+)$")


@dataclass(frozen=True, slots=True)
class Numbers:
    """Gauges of now and counters since its start; `kv_used` is a share of 1."""

    running: int = 0
    waiting: int = 0
    kv_used: float = 0.0
    prompt_tokens: int = 0
    new_tokens: int = 0
    prefix_asked: int = 0
    prefix_hit: int = 0

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def read(lines: Iterable[str]) -> Numbers:
    """Of several engines of one server (data parallel) the counts add up."""
    sums: dict[str, float] = {}
    for line in lines:
        if found := _LINE.match(line):
            sums[found[1]] = sums.get(found[1], 0.0) + float(found[3])

    def of(name: str) -> int:
        return int(sums.get(f"vllm:{name}", 0))

    return Numbers(
        running=of("num_requests_running"),
        waiting=of("num_requests_waiting"),
        kv_used=round(min(1.0, sums.get("vllm:kv_cache_usage_perc", 0.0)), 4),
        prompt_tokens=of("prompt_tokens_total"),
        new_tokens=of("generation_tokens_total"),
        prefix_asked=of("prefix_cache_queries_total"),
        prefix_hit=of("prefix_cache_hits_total"),
    )
