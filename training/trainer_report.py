"""The trainer's only channel to its supervisor: JSON lines in one file, each written whole. Pure.

Kinds: `started`, `batch` (the first one, as tokens), `metrics` (a step), `eval`, `checkpoint`, `alert`, and as the last line
one of `finished`, `stopped`, `failed`.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LAST = ("finished", "stopped", "failed")
MOST_AT_ONCE = 4_000_000  # bytes


class TrainingFailed(Exception):
    """The run cannot go on: a code, and one sentence that says what to change."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Report:
    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def tell(self, kind: str, **fields: Any) -> None:
        line = json.dumps({"kind": kind, "at": round(time.time(), 3), **fields}, ensure_ascii=False) + "\n"
        os.write(self._file, line.encode())


def read_lines(path: Path, offset: int) -> tuple[list[dict[str, Any]], int]:
    """The whole lines after `offset`, and where they end; a line that is still being written waits."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read(MOST_AT_ONCE)
    except FileNotFoundError:
        return [], offset
    end = data.rfind(b"\n") + 1
    return [json.loads(line, parse_constant=_no_number) for line in data[:end].splitlines()], offset + end


def read_parts(path: Path, offset: int = 0) -> Iterator[tuple[list[dict[str, Any]], int]]:
    """What `read_lines` gives, again and again until nothing is left."""
    while True:
        lines, offset = read_lines(path, offset)
        if not lines:
            return
        yield lines, offset


def _no_number(_: str) -> None:
    """NaN and Infinity, which Python writes and a database refuses."""
