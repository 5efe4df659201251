"""Authored text is wrapped and indented for the reader of the source; this undoes both for everyone else."""

from __future__ import annotations

import re
from textwrap import dedent

_ITEM = re.compile(r"(\d+\.|-) ")


def unwrapped(text: str) -> str:
    """One line a paragraph or list item. A blank line ends a paragraph, `1. ` and `- ` begin an item."""
    out: list[str] = []
    for line in dedent(text).strip().splitlines():
        words = line.strip()
        if not words or not out or not out[-1] or _ITEM.match(words):
            out.append(words)
        else:
            out[-1] += f" {words}"
    return "\n".join(out)


def verbatim(text: str) -> str:
    """A program without the indentation of the module it stands in."""
    return dedent(text).strip()
