"""The slots of a judge: started when first needed, shared between threads, replaced when one is lost."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

from . import machine
from .errors import JudgeError
from .machine import Isolation
from .slot import Slot

_RECYCLE_RUNS = 20000


class SlotKind(Enum):
    """NATIVE slots also see the toolchains of the compiled languages."""

    PYTHON = "python"
    NATIVE = "native"


class Pool:
    def __init__(
        self, python: str, isolation: Isolation, size: int, packages: tuple[str, ...], first: Slot
    ) -> None:
        self._python = python
        self._isolation = isolation
        self._packages = packages
        self._free = threading.BoundedSemaphore(size)
        self._lock = threading.Lock()
        self._idle: dict[SlotKind, list[Slot]] = {SlotKind.PYTHON: [first], SlotKind.NATIVE: []}
        self._busy: set[Slot] = set()
        self._started = 1
        self._owner = os.getpid()
        self._closed = False

    @contextmanager
    def slot(self, kind: SlotKind) -> Iterator[Slot]:
        """A slot of one's own. One that was lost during the block is ended and not used again."""
        with self._free:
            slot = self._take(kind)
            try:
                yield slot
            except BaseException:
                # Whatever the reason, the slot may hold a run that nobody watches.
                self._drop(slot)
                raise
            self._give_back(kind, slot)

    def _take(self, kind: SlotKind) -> Slot:
        with self._lock:
            if self._owner != os.getpid():
                raise JudgeError("a Judge does not survive a fork: create it in the process that uses it")
            if self._closed:
                raise JudgeError("the judge is closed")
            if self._idle[kind]:
                slot = self._idle[kind].pop()
                self._busy.add(slot)
                return slot
            self._started += 1
            index = self._started
        native = kind is SlotKind.NATIVE
        slot = machine.start_at(self._isolation.level, self._python, self._packages, index, native=native)
        with self._lock:
            self._busy.add(slot)
        return slot

    def _give_back(self, kind: SlotKind, slot: Slot) -> None:
        with self._lock:
            self._busy.discard(slot)
            if not self._closed and slot.runs < _RECYCLE_RUNS:
                self._idle[kind].append(slot)
                return
        slot.close()

    def _drop(self, slot: Slot) -> None:
        with self._lock:
            self._busy.discard(slot)
        slot.close()

    def close(self) -> None:
        """Ends idle slots now and busy ones under their users, who see SlotLost."""
        with self._lock:
            self._closed = True
            slots = [slot for idle in self._idle.values() for slot in idle]
            for idle in self._idle.values():
                idle.clear()
            busy = list(self._busy)
        if self._owner != os.getpid():
            return
        for slot in slots:
            slot.close()
        for slot in busy:
            slot.abandon()
