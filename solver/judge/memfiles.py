"""Files in memory: how inputs reach a program and how its outputs come back, with no pipe to fill or to
drain."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

_F_ADD_SEALS = 1033
_SEAL_ALL = 0x1 | 0x2 | 0x4 | 0x8  # no more sealing, shrinking, growing or writing


def sealed(data: bytes) -> int:
    """A descriptor that reads `data` from the start and through which nothing can be changed."""
    fd = os.memfd_create("input", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]
        fcntl.fcntl(fd, _F_ADD_SEALS, _SEAL_ALL)
        return reopened(fd)
    finally:
        os.close(fd)


def reopened(fd: int) -> int:
    """The same file, read-only, with an offset of its own."""
    return os.open(f"/proc/self/fd/{fd}", os.O_RDONLY | os.O_CLOEXEC)


def empty() -> int:
    return os.memfd_create("output", os.MFD_CLOEXEC)


def contents(fd: int, limit: int) -> tuple[bytes, int]:
    """At most `limit` bytes, and the size of the whole."""
    size = os.fstat(fd).st_size
    wanted = min(size, limit)
    data = os.pread(fd, wanted, 0)
    while len(data) < wanted:
        block = os.pread(fd, wanted - len(data), len(data))
        if not block:
            break
        data += block
    return data, size


@contextmanager
def closing(*descriptors: int) -> Iterator[None]:
    try:
        yield
    finally:
        for fd in descriptors:
            os.close(fd)
