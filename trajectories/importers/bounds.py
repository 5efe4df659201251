"""How much of a file that nobody has vetted may reach memory or the database."""

from __future__ import annotations

from dataclasses import dataclass

MB = 1 << 20


@dataclass(frozen=True, slots=True)
class Bounds:
    """Sizes in bytes after decompression. The defaults fit every published set that the importers know.

    `row` is the longest line of a JSON Lines file (LiveCodeBench has lines of many megabytes), `text` one
    input, output, statement or program, `problem` all texts of one problem together.
    """

    file: int = 64 << 30
    row: int = 256 * MB
    text: int = 32 * MB
    problem: int = 256 * MB
    members: int = 100_000
    tests: int = 50_000
    faults: int = 1000


def size(number: int) -> str:
    """A size as a reader takes it in: `512 bytes`, `32 MB`."""
    if number < 10_000:
        return f"{number} bytes"
    if number < MB:
        return f"{number / 1024:.0f} kB"
    return f"{number / MB:.4g} MB"
