"""Every file format that problems are read from."""

from __future__ import annotations

from trajectories.importers import normalised
from trajectories.importers.source import Format

# The order matters where a row fits several: the more telling format comes first.
FORMATS: tuple[Format, ...] = (normalised.FORMAT,)
