"""Token deltas of an answer being written, coalesced so that viewers get at most ten frames a second a step."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

EVERY_S = 0.1
CHARS = 256


class Draft:
    """Collects pieces and sends them as (offset, text). The step's event carries the whole text, so the tail of a
    draft that was never sent is no loss."""

    def __init__(self, send: Callable[[int, str], None]) -> None:
        self._send = send
        self._lock = threading.Lock()
        self._pending: list[str] = []
        self._size = self._offset = 0
        self._sent_at = 0.0

    def push(self, text: str) -> None:
        with self._lock:
            self._pending.append(text)
            self._size += len(text)
            if self._size >= CHARS or time.monotonic() - self._sent_at >= EVERY_S:
                self._flush()

    def _flush(self) -> None:
        piece = "".join(self._pending)
        self._send(self._offset, piece)
        self._offset += len(piece)
        self._pending, self._size, self._sent_at = [], 0, time.monotonic()
