"""A title for problems that are published without one."""

from __future__ import annotations

_LONGEST = 200
_WISHED = 72


def clipped(title: str) -> str:
    """A title on one line, of the length that a problem may have."""
    title = " ".join(title.split())
    return title if len(title) <= _LONGEST else f"{title[: _LONGEST - 1].rstrip()}…"


def from_statement(statement: str, fallback: str) -> str:
    """The statement's first words."""
    words = " ".join(statement.split())
    if not words:
        return clipped(fallback)
    if len(words) <= _WISHED:
        return words
    head = words[: _WISHED - 1]
    sentence, dot, _ = head.partition(". ")
    if dot and len(sentence) > 20:
        return sentence
    return f"{head.rsplit(' ', 1)[0].rstrip(',;:')}…"
