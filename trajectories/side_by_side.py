"""Two texts beside each other, line by line, in hunks that can be taken one at a time.

A hunk is a stretch of lines that differ. `merged` is the left text with some hunks replaced by the right side's lines:
with none of them it is the left text, with all of them the right one.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from difflib import SequenceMatcher

from django.utils.safestring import SafeString, mark_safe

from trajectories import highlight
from trajectories.diffs import CONTEXT, MOST_LINES, changed_lines

NOTHING = mark_safe("")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of one side. `kind`: same, add, del, fill (the other side has more), fold (`number` lines left out)."""

    kind: str
    number: int | None = None
    html: SafeString = NOTHING


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines of both sides, equally many. `number` 0: unchanged lines around the hunks, nothing to take."""

    number: int
    left: tuple[Line, ...]
    right: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Sides:
    hunks: tuple[Hunk, ...]
    too_long: bool = False

    @property
    def changed(self) -> list[Hunk]:
        return [hunk for hunk in self.hunks if hunk.number]

    @property
    def left(self) -> list[Line]:
        return [line for hunk in self.hunks for line in hunk.left]

    @property
    def right(self) -> list[Line]:
        return [line for hunk in self.hunks for line in hunk.right]


def _opcodes(old: str, new: str) -> list[tuple[str, int, int, int, int]]:
    matcher = SequenceMatcher(None, highlight.split(old), highlight.split(new), autojunk=False)
    return list(matcher.get_opcodes())


def sides(old: str, new: str, language: str) -> Sides:
    left, right = highlight.split(old), highlight.split(new)
    if max(len(left), len(right)) > MOST_LINES:
        return Sides((), too_long=True)
    shown_left, shown_right = highlight.lines(old, language), highlight.lines(new, language)
    hunks: list[Hunk] = []
    number = 0
    opcodes = _opcodes(old, new)
    for place, (tag, i1, i2, j1, j2) in enumerate(opcodes):
        if tag == "equal":
            kept = _folded(i2 - i1, first=place == 0, last=place == len(opcodes) - 1)
            hunks.append(
                Hunk(
                    0,
                    tuple(_same(n, i1, shown_left) for n in kept),
                    tuple(_same(n, j1, shown_right) for n in kept),
                )
            )
            continue
        number += 1
        before, after = changed_lines(left[i1:i2], right[j1:j2], shown_left[i1:i2], shown_right[j1:j2])
        height = max(i2 - i1, j2 - j1)
        hunks.append(
            Hunk(number, _filled("del", before, i1, height), _filled("add", after, j1, height)),
        )
    return Sides(tuple(hunks))


def _filled(kind: str, shown: list[SafeString], start: int, height: int) -> tuple[Line, ...]:
    lines = [Line(kind, start + n + 1, html) for n, html in enumerate(shown)]
    return (*lines, *[Line("fill")] * (height - len(lines)))


def _same(place: tuple[int, int], start: int, shown: list[SafeString]) -> Line:
    offset, folded = place
    if folded:
        return Line("fold", folded)
    return Line("same", start + offset + 1, shown[start + offset])


def _folded(count: int, *, first: bool, last: bool) -> list[tuple[int, int]]:
    """Which of `count` unchanged lines are shown, as (offset, 0); (offset, n) stands for n lines left out."""
    head, tail = 0 if first else CONTEXT, 0 if last else CONTEXT
    if count <= head + tail + 1:
        return [(n, 0) for n in range(count)]
    return [
        *((n, 0) for n in range(head)),
        (head, count - head - tail),
        *((n, 0) for n in range(count - tail, count)),
    ]


def merged(old: str, new: str, taken: Container[int]) -> str:
    """`old` with the hunks whose numbers are in `taken` replaced by the lines of `new`."""
    left, right = highlight.split(old), highlight.split(new)
    lines: list[str] = []
    number = 0
    for tag, i1, i2, j1, j2 in _opcodes(old, new):
        if tag == "equal":
            lines += left[i1:i2]
            continue
        number += 1
        lines += right[j1:j2] if number in taken else left[i1:i2]
    return "\n".join(lines)
