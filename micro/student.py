"""The student: the lab's own in-process engine over what the recipe has made so far."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from micro.remembering import Remembering
from solver.engines.protocol import ChatModel
from solver.engines.spec import EngineKind, EngineSpec, LocalSettings

ROWS = 64


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
