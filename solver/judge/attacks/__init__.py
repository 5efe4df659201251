"""Programs that try to cheat, to escape or to break the judge, each with the verdicts that are right for it.

One module a subject. `ALL` holds every attack; names are unique.
"""

from __future__ import annotations

from . import compilers, disguises, files, functions, honest, isolation, kernel, limits, processes
from .attack import Attack

ALL: tuple[Attack, ...] = (
    *honest.ATTACKS,
    *disguises.ATTACKS,
    *limits.ATTACKS,
    *files.ATTACKS,
    *processes.ATTACKS,
    *kernel.ATTACKS,
    *isolation.ATTACKS,
    *functions.ATTACKS,
    *compilers.ATTACKS,
)

__all__ = ["ALL", "Attack"]
