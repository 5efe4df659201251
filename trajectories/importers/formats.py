"""Every file format that problems are read from."""

from __future__ import annotations

from trajectories.importers import (
    apps,
    codecontests,
    humaneval,
    kattis,
    livecodebench,
    mbpp,
    normalised,
    xcodeeval,
)
from trajectories.importers.source import Format

# The order matters where a row fits several: the more telling format comes first.
FORMATS: tuple[Format, ...] = (
    normalised.FORMAT,
    livecodebench.FORMAT,
    codecontests.FORMAT,
    xcodeeval.FORMAT,
    apps.FORMAT,
    humaneval.FORMAT,
    mbpp.FORMAT,
    kattis.FORMAT,
)
