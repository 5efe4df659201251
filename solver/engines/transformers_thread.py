"""The one thread that owns the model. Everything that touches weights or the batch happens on it.

Two threads in one model give wrong tokens without an error (the adapter choice is state of the model), so
there is exactly one, and others hand it rows and commands.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import torch

from solver.engines.protocol import EngineUnreachable
from solver.engines.transformers_batch import Batch, Row

log = logging.getLogger(__name__)


class ModelThread:
    """Runs steps while there is work, commands between steps, and sleeps otherwise."""

    def __init__(self, name: str, batch: Batch, threads: int | None) -> None:
        self._name = name
        self._batch = batch
        self._threads = threads
        self._wake = threading.Condition()
        self._arrived: deque[Row] = deque()
        self._commands: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=f"model-{name}", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive() and not self._closing

    def submit(self, row: Row) -> None:
        with self._wake:
            if self._closing:
                raise EngineUnreachable(f"The engine {self._name!r} is closed; open it again.")
            self._arrived.append(row)
            self._wake.notify()

    def command(self, act: Callable[[], Any]) -> Future[Any]:
        """Run `act` between two steps."""
        future: Future[Any] = Future()
        with self._wake:
            if self._closing:
                raise EngineUnreachable(f"The engine {self._name!r} is closed; open it again.")
            self._commands.append((act, future))
            self._wake.notify()
        return future

    def close(self) -> None:
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join()

    def _run(self) -> None:
        if self._threads is not None:
            torch.set_num_threads(self._threads)
        while self._gather():
            try:
                self._batch.step()
            except Exception:  # the thread's edge: a failed step must not end the engine
                log.exception("engine %s: a step failed; its rows are given up", self._name)
                self._fail(
                    f"The engine {self._name!r} failed while computing; retry the run and see its log."
                )
        self._fail(f"The engine {self._name!r} was closed during the call; retry the run.")

    def _gather(self) -> bool:
        """Take over what arrived, waiting while there is nothing to do. False when closing."""
        with self._wake:
            while not (self._closing or self._arrived or self._commands or self._batch.busy):
                self._wake.wait()
            self._batch.waiting.extend(self._arrived)
            self._arrived.clear()
            commands = list(self._commands)
            self._commands.clear()
            closing = self._closing
        for act, future in commands:
            try:
                future.set_result(act())
            except BaseException as error:  # noqa: BLE001 - handed to the caller who waits for it
                future.set_exception(error)
        return not closing

    def _fail(self, sentence: str) -> None:
        with self._wake:
            late = list(self._arrived)
            self._arrived.clear()
        for row in (*self._batch.reset(), *late):
            row.emit(EngineUnreachable(sentence))
