"""Small server-rendered drawings: judge strip, interval, meter.

Every value that reaches the markup is a number or comes from a fixed table, and no drawing carries a style attribute:
the content security policy allows none.
"""

from __future__ import annotations

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from trajectories.lanes import Timeline
from trajectories.verdicts import FAMILY, VERDICT, WORD
from trajectories.wilson import Share

# Marks inside a 6 x 6 square, drawn in the ground colour, so that no verdict is told by hue alone.
MARKS = {"wa": "m1.7 1.7 2.6 2.6m0-2.6-2.6 2.6", "tle": "m1.5 3h3", "re": "m3 1.2v2m0 1.1v.7"}
PITCH = 7


def strip_label(letters: str, total: int) -> str:
    """The strip in words: what a screen reader says and a pointer shows."""
    if not letters:
        return f"{total} tests, not judged yet" if total else "not judged"
    passed = letters.count("a")
    first = next((i for i, letter in enumerate(letters) if letter not in "a-"), None)
    if first is None:
        return f"{total} tests: {passed} passed"
    word = WORD[VERDICT.get(letters[first], "")]
    return f"{total} tests: {passed} passed, first failure test {first + 1}, {word}"


def strip(letters: str, total: int = 0, limit: int = 24) -> SafeString:
    """One square a test, in order. Tests beyond `limit` are counted behind the squares; unjudged ones are dashed."""
    total = max(total, len(letters))
    shown = min(total, limit)
    squares: dict[str, list[str]] = {}
    marks: list[str] = []
    for place in range(shown):
        verdict = VERDICT.get(letters[place], "") if place < len(letters) else None
        family = "pe" if verdict is None else FAMILY[verdict]
        x = place * PITCH
        squares.setdefault(family, []).append(f"M{x}.5.5h5v5h-5z")
        if family in MARKS:
            marks.append(f"M{x} 0{MARKS[family]}")
    paths = "".join(f'<path class="t-{family}" d="{"".join(d)}"/>' for family, d in squares.items())
    drawing = paths + (f'<path class="t-mark" d="{"".join(marks)}"/>' if marks else "")
    more = total - shown
    return format_html(
        '<svg class="strip" width="{}" height="6" role="img" aria-label="{}">{}</svg>{}',
        max(1, shown * PITCH - 1),
        strip_label(letters, total),
        mark_safe(drawing),  # numbers and fixed path pieces only
        format_html('<span class="more">+{}</span>', more) if more else "",
    )


SQUARE_MARKS = {"wa": "m2.2 2.2 3.6 3.6m0-3.6-3.6 3.6", "tle": "M1.8 4h4.4", "re": "M4 1.5v3M4 5.5v1.2"}


def squares(letters: str, total: int, address: str, current: int, limit: int = 400) -> SafeString:
    """The clickable strip: list items that link to `address` + number. `current` is the test shown below."""
    href = escape(address)
    items = []
    for number in range(1, min(total, limit) + 1):
        verdict = VERDICT.get(letters[number - 1], "") if number <= len(letters) else ""
        family, word = (FAMILY[verdict], WORD[verdict]) if verdict else ("pe", "not run")
        mark = f'<path class="t-mark" d="{SQUARE_MARKS[family]}"/>' if family in SQUARE_MARKS else ""
        drawn = (
            f'<svg class="sq" viewBox="0 0 8 8" aria-hidden="true"><rect class="t-{family}" x=".5" y=".5" width="7" '
            f'height="7" rx="1"/>{mark}</svg><span class="vh">Test {number}: {word}</span>'
        )
        here = ' aria-current="true"' if number == current else ""
        if verdict:
            items.append(f'<li><a href="{href}{number}/" title="{number} {word}"{here}>{drawn}</a></li>')
        else:
            items.append(f'<li><span title="{number} not run">{drawn}</span></li>')
    return mark_safe("".join(items))  # numbers and words of fixed tables; the address was escaped


def bars(axis: Timeline) -> SafeString:
    """Bars and marks of the time axis. Roles and messages come from runs, so every label is escaped."""
    drawn = []
    for bar in axis.bars:
        place = f'x="{bar.x}%" y="{bar.y + 3}" width="{bar.width}%" height="11"'
        hatch = f'<rect class="hatch running" {place}/>' if bar.running else ""
        drawn.append(
            f'<g data-step="s{bar.number}" data-agent="{bar.agent}"><title>{escape(bar.label)}</title>'
            f'<rect class="bar{" running" if bar.running else ""}" {place} rx="1.5"/>{hatch}</g>'
        )
    drawn += [
        f'<svg x="{mark.x}%" y="{mark.y}" overflow="visible" class="m-{mark.kind}"><title>{escape(mark.label)}</title>'
        f'<path d="{AXIS_MARKS[mark.kind]}"/></svg>'
        for mark in axis.marks
    ]
    return mark_safe("".join(drawn))  # numbers, fixed names and escaped labels


AXIS_MARKS = {
    "ok": "m1.5 8.5 3 3 5.5-6",
    "fail": "M6 3 11.5 13H.5Z",
    "format": "M2 4h7M2 8h4M2 12h7",
    "stop": "m2 5 7 7m0-7-7 7",
    "blame": "M6 3.5 10.500 8 6 12.500 1.500 8Z",
}


def interval(share: Share, width: int = 110) -> SafeString:
    """The share as a dot and its 95 % interval as a bar on an axis from 0 to 1; all rows share the axis."""
    span = width - 8

    def x(value: float) -> str:
        return f"{4 + value * span:.1f}"

    label = f"{share.rate * 100:.0f} % (95 % interval {share.low * 100:.0f} to {share.high * 100:.0f})"
    return format_html(
        '<svg class="ci" width="{0}" height="16" role="img" aria-label="{1}">'
        '<path class="ci-ax" d="M4 8H{2}"/>'
        '<path class="ci-w" d="M{3} 8H{4}M{3} 5v6M{4} 5v6"/><circle cx="{5}" cy="8" r="3.2"/></svg>',
        width,
        label,
        width - 4,
        x(share.low),
        x(share.high),
        x(share.rate),
    )


def meter(value: float, label: str, width: int = 34) -> SafeString:
    """A bar filled to `value` of 1."""
    filled = round(max(0.0, min(1.0, value)) * width, 1)
    return format_html(
        '<svg class="meter" width="{0}" height="6" role="img" aria-label="{1}"><rect class="m-bg" width="{0}" height="6" '
        'rx="1"/><rect class="m-fg" width="{2}" height="6" rx="1"/></svg>',
        width,
        label,
        filled,
    )
