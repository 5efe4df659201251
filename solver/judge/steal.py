"""Time the hypervisor took from this machine's processors, as the kernel counts it ("steal", proc(5)).

The scheduler gives it to nobody: a program whose processor was taken away neither ran nor waited in its
books. A bare machine has none.
"""

from __future__ import annotations

import os
import time

_TICK = os.sysconf("SC_CLK_TCK")
_STEAL = 8  # its column in a line of /proc/stat, the name being 0
_PERIOD = 0.25
_last: tuple[float, tuple[int, ...]] = (float("-inf"), ())

Reading = tuple[int, ...]


def now() -> Reading:
    """Ticks stolen from each processor so far. At most `_PERIOD` seconds old: a look costs more than a short test."""
    global _last
    moment = time.monotonic()
    if moment - _last[0] >= _PERIOD:
        _last = (moment, read())
    return _last[1]


def since(start: Reading) -> float:
    """Seconds stolen since `start` from the processor that lost most: no program lost more on any one of them.

    Errs towards patience, by `_PERIOD` at most and by what one processor lost more than the program's own did.
    """
    return max((end - begin for begin, end in zip(start, read(), strict=False)), default=0) / _TICK


def read() -> Reading:
    """One number a processor; empty where the kernel tells nothing."""
    try:
        with open("/proc/stat") as file:
            lines = [line.split() for line in file if line.startswith("cpu")]
        return tuple(int(fields[_STEAL]) for fields in lines[1:])
    except (OSError, IndexError, ValueError):
        return ()
