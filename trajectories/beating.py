"""A thread that keeps a lease alive while work is done.

A connection that an error has broken stays broken until somebody closes it; requests and tasks have Django and Celery
for that, this thread has only itself. So after an error the next beat begins with a new connection: a database that was
started again costs a beat and not the lease.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator

from django.db import Error, connection

log = logging.getLogger(__name__)


@contextlib.contextmanager
def beating(name: str, beat: Callable[[], None], every_s: float) -> Iterator[None]:
    """Call `beat` every so many seconds from a thread of its own until the body is left; its connection is closed with it."""
    stop = threading.Event()

    def beats() -> None:
        try:
            while not stop.wait(every_s):
                _beat(name, beat)
        finally:
            connection.close()

    thread = threading.Thread(target=beats, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _beat(name: str, beat: Callable[[], None]) -> None:
    try:
        beat()
    except Error:  # psycopg's InterfaceError is no DatabaseError
        log.exception("%s: a beat failed", name)
    if connection.errors_occurred:
        connection.close()
