"""The student: the lab's own in-process engine over what the recipe has made so far."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from solver.engines.protocol import ChatModel, ChatReply, ChatRequest, EngineInfo
from solver.engines.spec import EngineKind, EngineSpec, LocalSettings

ROWS = 64


class Remembering:
    """Asks each question once: greedy answers of one model do not change, and the arms of the ablation and the
    supervisor's replays ask most of theirs again."""

    def __init__(self, engine: ChatModel) -> None:
        self._engine = engine
        self._replies: dict[tuple[str, str, str | None], ChatReply] = {}
        self._lock = threading.Lock()

    def chat(
        self,
        request: ChatRequest,
        *,
        on_delta: Callable[[str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> ChatReply:
        key = (request.model, request.prompt_digest(), request.grammar)
        with self._lock:
            known = self._replies.get(key)
        if known is not None:
            return known
        reply = self._engine.chat(request, on_delta=on_delta, cancelled=cancelled)
        with self._lock:
            self._replies[key] = reply
        return reply

    def info(self) -> EngineInfo:
        return self._engine.info()

    def close(self) -> None:
        self._engine.close()


@contextmanager
def student(base: Path, adapters: Mapping[str, Path], device: str = "cpu") -> Iterator[ChatModel]:
    """fp32 and one thread: an answer does not depend on what else is in the batch."""
    from solver.engines.transformers_engine import TransformersEngine

    spec = EngineSpec(
        name="micro-student",
        kind=EngineKind.TRANSFORMERS,
        base=str(base),
        adapters={name: str(folder) for name, folder in adapters.items()},
        templates="micro",
        local=LocalSettings(device=device, dtype="float32", threads=1, max_batch=ROWS),
    )
    engine = Remembering(TransformersEngine(spec))
    try:
        yield engine
    finally:
        engine.close()
