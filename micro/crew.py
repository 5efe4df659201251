"""Independent pieces of the recipe in processes of their own, each with one thread: a second core halves their time, and
every piece comes out as it would have alone."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from multiprocessing.connection import wait
from types import TracebackType
from typing import Any, Self

MOST = 4  # more adapters or arms at a time than there are agents gain nothing


def usual_workers() -> int:
    return min(
        MOST, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )


class Crew:
    """Processes begin with their first piece. An error of a piece is raised where its result is asked for; leaving the
    block, also by an error or Ctrl-C, ends every process."""

    def __init__(self, workers: int, begin: Callable[[], None]) -> None:
        self._pool = ProcessPoolExecutor(
            workers, multiprocessing.get_context("spawn"), initializer=_enter, initargs=(begin,)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        processes = list((self._pool._processes or {}).values()) if kind is not None else []
        for process in processes:
            process.terminate()
        self._pool.shutdown(cancel_futures=True)

    def start(self, piece: Callable[..., None], *arguments: Any) -> Future[None]:
        return self._pool.submit(piece, *arguments)

    def each(self, piece: Callable[..., None], arguments: Sequence[tuple[Any, ...]]) -> None:
        """One call for each tuple; the first error ends the rest."""
        for done in as_completed([self.start(piece, *given) for given in arguments]):
            done.result()


def _enter(begin: Callable[[], None]) -> None:
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    begin()


def _leave_with_parent() -> None:
    """Also when the parent is killed with -9, which leaves a pool's processes waiting for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(3)


def shares(items: Sequence[str], workers: int) -> list[list[str]]:
    """Neighbours together, as equal as can be: what stands side by side in the ablation shares most of its answers."""
    count = min(workers, len(items))  # no share is empty
    return [list(items[at * len(items) // count : (at + 1) * len(items) // count]) for at in range(count)]
