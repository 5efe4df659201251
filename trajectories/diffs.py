"""Line diffs of programs with the changed words marked, as rows for one table. Bounded: hostile programs may be long."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from trajectories import highlight

MOST_LINES = 1500  # beyond this difflib's worst case would be felt; the page says so instead
LONGEST_LINE = 400  # characters; longer lines are marked as a whole
CONTEXT = 3
NOTHING = mark_safe("")
_WORD = re.compile(r"\w+|\s+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Row:
    """`kind` is same, add, del or hunk; a hunk row carries how many unchanged lines were left out."""

    kind: str
    old: int | None = None
    new: int | None = None
    html: SafeString = NOTHING
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Diff:
    rows: tuple[Row, ...]
    added: int
    removed: int
    too_long: bool = False

    @property
    def summary(self) -> str:
        return f"+{self.added} −{self.removed}" if self.rows else "unchanged"

    @property
    def markup(self) -> SafeString:
        """The rows of a table: old number, new number, sign, line."""
        return mark_safe("".join(map(_tr, self.rows)))  # numbers, signs and lines that were escaped when made


_SIGN = {"same": "", "add": "+", "del": "−"}


def _tr(row: Row) -> str:
    if row.kind == "hunk":
        plural = "" if row.skipped == 1 else "s"
        return (
            f'<tr class="hunk"><td></td><td></td><td></td><td>{row.skipped} unchanged line{plural}</td></tr>'
        )
    return (
        f'<tr class="{row.kind}"><td>{row.old or ""}</td><td>{row.new or ""}</td><td>{_SIGN[row.kind]}</td>'
        f"<td>{row.html}</td></tr>"
    )


def diff(old: str, new: str, language: str) -> Diff:
    left, right = highlight.split(old), highlight.split(new)
    if max(len(left), len(right)) > MOST_LINES:
        return Diff((), 0, 0, too_long=True)
    matcher = SequenceMatcher(None, left, right)
    shown_left, shown_right = highlight.lines(old, language), highlight.lines(new, language)
    rows: list[Row] = []
    added = removed = done = 0
    for group in matcher.get_grouped_opcodes(CONTEXT):
        if skipped := group[0][1] - done:
            rows.append(Row("hunk", skipped=skipped))
        done = group[-1][2]
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                rows += [Row("same", i + 1, i - i1 + j1 + 1, shown_left[i]) for i in range(i1, i2)]
                continue
            added, removed = added + j2 - j1, removed + i2 - i1
            before, after = changed_lines(left[i1:i2], right[j1:j2], shown_left[i1:i2], shown_right[j1:j2])
            rows += [Row("del", i1 + n + 1, None, html) for n, html in enumerate(before)]
            rows += [Row("add", None, j1 + n + 1, html) for n, html in enumerate(after)]
    if rows and (skipped := len(left) - done):
        rows.append(Row("hunk", skipped=skipped))
    return Diff(tuple(rows), added, removed)


def changed_lines(
    old: list[str], new: list[str], shown_old: list[SafeString], shown_new: list[SafeString]
) -> tuple[list[SafeString], list[SafeString]]:
    """Lines that replace each other one to one get their changed words marked; others keep their colours."""
    if len(old) != len(new):
        return shown_old, shown_new
    pairs = [
        _words(a, b) if max(len(a), len(b)) <= LONGEST_LINE else (shown_old[n], shown_new[n])
        for n, (a, b) in enumerate(zip(old, new, strict=True))
    ]
    return [a for a, _ in pairs], [b for _, b in pairs]


def _words(old: str, new: str) -> tuple[SafeString, SafeString]:
    """Mark what stands between the words both lines begin with and the words both end with: linear, and what a reader
    sees as the change."""
    left, right = _WORD.findall(old), _WORD.findall(new)
    short = min(len(left), len(right))
    head = next((n for n in range(short) if left[n] != right[n]), short)
    tail = next((n for n in range(short - head) if left[-n - 1] != right[-n - 1]), short - head)
    return _marked(left, head, tail), _marked(right, head, tail)


def _marked(words: list[str], head: int, tail: int) -> SafeString:
    end = len(words) - tail
    before, changed, after = (escape("".join(part)) for part in (words[:head], words[head:end], words[end:]))
    return mark_safe(
        f"{before}<mark>{changed}</mark>{after}" if changed else before + after
    )  # escaped just above
