"""Text from models and programs, made fit to store: no NUL and no lone surrogates, which PostgreSQL's JSON refuses."""

from __future__ import annotations


def printable(text: str) -> str:
    """`text` with NUL and lone surrogates written as escapes; everything else untouched."""
    if "\0" in text:
        text = text.replace("\0", "\\x00")
    return text.encode("utf-8", "backslashreplace").decode()
