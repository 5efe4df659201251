"""The door bell: tells listeners that a run has reached an event. Losing a ring does no harm, waiting for one would.

Rings and token deltas leave through one background event loop a process, because the channel layer keeps its
connections per loop and workers are threads.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import Future, wait
from typing import Any

from channels.layers import get_channel_layer

log = logging.getLogger(__name__)
_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None
_on_the_way: set[Future[None]] = set()
LAST_WORDS_S = 1.0
_silent_until = 0.0


def group(run_id: int) -> str:
    return f"run.{run_id}"


def ring(run_id: int, seq: int) -> None:
    _send(group(run_id), {"type": "bell", "run": run_id, "seq": seq})


def delta(run_id: int, step: int, offset: int, text: str) -> None:
    """A piece of an answer being written: ephemeral, never stored; the step's event will carry the whole text."""
    _send(group(run_id), {"type": "delta", "run": run_id, "step": step, "offset": offset, "text": text})


def _send(name: str, message: dict[str, Any]) -> None:
    layer = get_channel_layer()
    if layer is None:
        return
    sent = _submit(layer.group_send(name, message))
    _on_the_way.add(sent)
    sent.add_done_callback(_report)


def _submit(work: Coroutine[Any, Any, None]) -> Future[None]:
    global _loop
    with _lock:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="bell", daemon=True).start()
        return asyncio.run_coroutine_threadsafe(work, _loop)


def _report(done: Future[None]) -> None:
    """One line a minute about a bell that cannot be heard: viewers poll meanwhile, and nothing is lost."""
    global _silent_until
    _on_the_way.discard(done)
    if (error := done.exception()) and time.monotonic() >= _silent_until:
        _silent_until = time.monotonic() + 60
        log.warning("live views fall back to polling, the broker cannot be reached: %s", error)


@atexit.register
def _last_words() -> None:
    """A process that ends right after its last event still rings for it, within a second."""
    wait(list(_on_the_way), timeout=LAST_WORDS_S)
