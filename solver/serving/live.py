"""How an engine is doing right now, in the same few numbers for every engine that tells them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils.timezone import now

from solver.engines.registry import open_engine
from solver.engines.sockets import socket_of
from solver.engines.spec import EngineKind, EngineSpec
from solver.serving.models import EngineService, ServiceState

SILENT_AFTER = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Live:
    """`state` is a word for people; None in a number: this engine does not tell it."""

    state: str
    detail: str = ""
    running: int | None = None  # requests in the batch
    most: int | None = None  # room in the batch
    waiting: int | None = None
    tokens_per_s: float | None = None
    kv_share: float | None = None
    kv_megabytes: float | None = (
        None  # of a million bytes, as in local.kv_megabytes; vLLM tells the share only
    )
    kv_most_megabytes: float | None = None
    prefix_share: float | None = None  # prompt tokens that had been computed before
    adapters: tuple[str, ...] = ()

    @property
    def active(self) -> bool:
        return bool(self.running or self.waiting)

    @property
    def tells(self) -> bool:
        return self.running is not None

    @property
    def verdict(self) -> str:
        """The colour of its meaning, as `data-v` spells it."""
        return {"ready": "ac", "failed": "wa", "away": "wa", "draining": "tle", "starting": "tle"}.get(
            self.state, ""
        )


def of(spec: EngineSpec, service: EngineService | None) -> Live:
    if spec.vllm is not None:
        return _hosted(service)
    if spec.kind is EngineKind.TRANSFORMERS and socket_of(spec) is not None:
        return _own(spec)
    return Live("")


def _hosted(service: EngineService | None) -> Live:
    if service is None or service.beat_at is None:
        return Live("stopped", "No lab process tends engines here yet; manage.py up starts one.")
    if service.beat_at < now() - SILENT_AFTER:
        return Live("away", "Whoever tends it has been silent for a while; manage.py up starts it again.")
    told = service.numbers
    if service.state not in (ServiceState.READY, ServiceState.DRAINING) or not told:
        return Live(str(service.state), service.message)
    return Live(
        str(service.state),
        service.message,
        running=told["running"],
        waiting=told["waiting"],
        tokens_per_s=told["tokens_per_s"],
        kv_share=told["kv_used"],
        prefix_share=_share(told["prefix_hit"], told["prefix_asked"]),
        adapters=tuple(name for name, lacking in service.adapters.items() if not lacking),
    )


def _own(spec: EngineSpec) -> Live:
    from solver.engines.served import ServedEngine

    engine = open_engine(spec)
    told = engine.stats() if isinstance(engine, ServedEngine) else None
    if told is None:
        return Live("away", "Its process does not answer; it is started, or started again.")
    return Live(
        "ready",
        running=int(told["running"]) + int(told["filling"]),
        most=spec.local.max_batch,
        waiting=int(told["waiting"]),
        tokens_per_s=float(told["tokens_per_s"]),
        kv_share=_share(int(told["kv_bytes"]), int(told["kv_most_bytes"])),
        kv_megabytes=int(told["kv_bytes"]) / 1e6,
        kv_most_megabytes=int(told["kv_most_bytes"]) / 1e6,
        prefix_share=_share(int(told["reused_tokens"]), int(told["prompt_tokens"])),
        adapters=tuple(str(name) for name in told["adapters"]),
    )


def _share(part: int, whole: int) -> float:
    return min(1.0, part / whole) if whole else 0.0
