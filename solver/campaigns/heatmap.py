"""The heat-map of an alignment: tags of the problems down, tags they are compared with across, darker is nearer."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from solver.benchmarks.alignment import Alignment, Side

CELL, LABEL, HEAD, MOST = 22, 190, 150, 16
LEVELS = 9  # classes heat-0 to heat-8 of the style sheet


def draw(alignment: Alignment, side: Side, title: str) -> SafeString:
    """At most `MOST` tags, the most frequent ones. One scale for both sides, so that they can be compared by eye."""
    tags = list(alignment.tags)[:MOST]
    low, high = scale(alignment)
    squares = [
        (
            f"heat-{_level(side.heat[row][column], low, high)}{' own' if row == column else ''}",
            LABEL + across * CELL,
            HEAD + down * CELL,
            f"problems tagged {row} (n {alignment.tags[row]}) against {column}: {side.heat[row][column]:.3f}",
        )
        for down, row in enumerate(tags)
        for across, column in enumerate(tags)
    ]
    return format_html(
        '<svg class="chart heat" width="{0}" height="{1}" role="img" aria-label="{2}">{3}{4}</svg>',
        LABEL + CELL * len(tags) + 8,
        HEAD + CELL * len(tags) + 8,
        title,
        _labels(tags, alignment.tags),
        format_html_join(
            "",
            '<rect class="{0}" x="{1}" y="{2}" width="21" height="21"><title>{3}</title></rect>',
            squares,
        ),
    )


def scale(alignment: Alignment) -> tuple[float, float]:
    """The least and the greatest cosine that is drawn."""
    tags = list(alignment.tags)[:MOST]
    values = [side.heat[row][column] for side in alignment.sides for row in tags for column in tags]
    return min(values), max(values)


def _level(value: float, low: float, high: float) -> int:
    if high <= low:
        return 0
    return min(LEVELS - 1, int((value - low) / (high - low) * LEVELS))


def _labels(tags: list[str], counts: Mapping[str, int]) -> SafeString:
    rows = format_html_join(
        "",
        '<text class="lbl" x="{0}" y="{1}" text-anchor="end">{2} {3}</text>',
        ((LABEL - 6, HEAD + at * CELL + 15, _cut(tag), counts[tag]) for at, tag in enumerate(tags)),
    )
    columns = format_html_join(
        "",
        '<text class="lbl" transform="translate({0} {1}) rotate(-60)">{2}</text>',
        ((LABEL + at * CELL + 14, HEAD - 6, _cut(tag)) for at, tag in enumerate(tags)),
    )
    return format_html("{}{}", rows, columns)


def _cut(tag: str, most: int = 24) -> str:
    return tag if len(tag) <= most else f"{tag[: most - 1]}…"
