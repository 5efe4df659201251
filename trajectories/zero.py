"""The zero character, which JSON, YAML and forms can carry, PostgreSQL cannot store, and no text needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ZERO = "\0"
REFUSED = "The text holds a zero character (U+0000), which cannot be stored; take it out and send it again."


def holds_zero(value: Any) -> bool:
    """Whether any text in `value`, however deep in lists and mappings, holds the zero character."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, str):
            if ZERO in one:
                return True
        elif isinstance(one, Mapping):
            left += [*one.keys(), *one.values()]
        elif isinstance(one, list | tuple):
            left += one
    return False
