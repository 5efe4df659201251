"""First handling of a model's answer: it is hostile text of any length."""

from __future__ import annotations

from typing import TypeVar

from solver.agents.formats import FormatFailure, Parsed

T = TypeVar("T")

MAX_ANSWER_CHARS = 1_000_000  # some 250 thousand tokens; no honest answer comes near it
_EXCERPT = 80


def too_long(text: str) -> bool:
    return len(text) > MAX_ANSWER_CHARS


def refused_as_too_long(text: str) -> Parsed[T]:
    return Parsed(
        None,
        FormatFailure.TOO_LONG,
        f"the answer has {len(text):,} characters, more than {MAX_ANSWER_CHARS:,}; it was not read",
        excerpt(text, 0),
    )


def excerpt(text: str, at: int) -> str:
    """A short piece of `text` around position `at`, for the page."""
    start = max(0, min(at, len(text)) - _EXCERPT // 2)
    return text[start : start + _EXCERPT]


def without_thinking(text: str) -> str:
    """The answer proper of a reasoning model: what follows the last `</think>`."""
    return text.rpartition("</think>")[2]
