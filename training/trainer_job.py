"""What the supervisor hands to the trainer: one JSON file, every path in it. Pure."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

EVAL_ROWS = 256  # of the held-out rows, the first so many are measured; said on the page
CHECKPOINTS_KEPT = 2
NOTHING_TO_SAVE = 143  # the trainer's exit code when it is asked to stop before it has begun


@dataclass(frozen=True, slots=True)
class Job:
    """`spec` is a canonical LoraSpec. `checkpoints` survives attempts; `metrics` is one file an attempt.

    `start`: folder of the adapter that training begins with and is measured against, empty for a fresh one on the base;
    `start_digest`: SHA-256 of its weights.
    """

    spec: dict[str, Any]
    base: str
    rows: str
    checkpoints: str
    adapter: str  # where the finished adapter is left, whole or not at all
    metrics: str
    supervisor: int  # the process without which the trainer must not go on; 0: none
    threads: int = 1
    start: str = ""
    start_digest: str = ""
    card: dict[str, Any] = field(default_factory=dict)  # what the adapter's card says of its origin

    def write(self, path: Path) -> None:
        unfinished = path.with_suffix(".part")
        unfinished.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
        unfinished.replace(path)

    @classmethod
    def read(cls, path: Path) -> Job:
        return cls(**json.loads(path.read_text(encoding="utf-8")))


def last_checkpoint(folder: Path) -> Path | None:
    """Checkpoints get their name when they are complete, so the newest name is the newest whole one."""
    numbered = [
        (int(path.name.removeprefix("checkpoint-")), path)
        for path in folder.glob("checkpoint-*")
        if path.name.removeprefix("checkpoint-").isdigit()
    ]
    return max(numbered)[1] if numbered else None
