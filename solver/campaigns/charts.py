"""Server-rendered drawings of a report: intervals on one shared axis, stacked bars.

Widths are fixed and wide figures scroll in their panel. No drawing carries a style attribute: the content security
policy allows none. Text is escaped by `format_html`; everything else is a number or from a fixed table.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from solver.benchmarks.interval import Estimate

LABEL, PLOT, AFTER, ROW, TOP = 250, 420, 120, 26, 24
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


def _x(value: float, low: float = 0.0, high: float = 1.0, width: int = PLOT) -> str:
    return f"{(value - low) / (high - low) * width:.1f}"


def _cut(label: str, most: int = 40) -> str:
    return label if len(label) <= most else f"{label[: most - 1]}…"


def words(estimate: Estimate) -> str:
    return f"{estimate.value * 100:.1f} % [{estimate.low * 100:.1f}, {estimate.high * 100:.1f}]"


def _ticks(height: int) -> SafeString:
    return format_html_join(
        "",
        '<path class="ci-ax" d="M{0} 18V{1}"/><text x="{0}" y="11" text-anchor="middle">{2}</text>',
        ((_x(tick), height, f"{tick * 100:.0f} %" if tick == 1 else f"{tick * 100:.0f}") for tick in _TICKS),
    )


def intervals(rows: Sequence[tuple[str, Estimate]], title: str, base: float | None = None) -> SafeString:
    """One estimate a row with its interval, all on an axis from 0 to 100 %; `base` is drawn as a dashed line."""
    height = TOP + ROW * len(rows)
    dashed = (
        format_html('<path class="ci-base" d="M{0} 18V{1}"/>', _x(base), height) if base is not None else ""
    )
    marks = format_html_join(
        "",
        '<g transform="translate(0 {0})"><text class="lbl" x="-12" y="4" text-anchor="end">{1}<title>{2}</title></text>'
        '<path class="ci-w" d="M{3} 0H{4}M{3} -4v8M{4} -4v8"/><circle cx="{5}" r="3.4"/>'
        '<text class="val" x="{6}" y="4">{7}</text></g>',
        (
            (
                TOP + ROW * place + ROW // 2,
                *(_cut(label), label),
                *(_x(found.low), _x(found.high), _x(found.value)),
                *(PLOT + 12, words(found) if found.n else "nothing measured"),
            )
            for place, (label, found) in enumerate(rows)
        ),
    )
    return _figure(title, height, format_html("{}{}{}", _ticks(height), dashed, marks))


def stacked(
    rows: Sequence[tuple[str, Sequence[tuple[str, str, int]]]], title: str, whole: int | None = None
) -> SafeString:
    """Bars of parts (class, word, count). Without `whole` each bar is 100 % of its row; with it all share that scale."""
    height = TOP + ROW * len(rows)
    bars = format_html_join(
        "", "{}", ((_bar(place, label, parts, whole),) for place, (label, parts) in enumerate(rows))
    )
    axis = _ticks(height) if whole is None else _count_ticks(height, whole)
    return _figure(title, height, format_html("{}{}", axis, bars))


def _bar(place: int, label: str, parts: Sequence[tuple[str, str, int]], whole: int | None) -> SafeString:
    total = sum(count for _, _, count in parts)
    scale = max(1, total if whole is None else whole)
    drawn, start = [], 0
    for css, word, count in parts:
        if count:
            drawn.append((css, _x(start / scale), _x(count / scale), f"{word}: {count}"))
        start += count
    return format_html(
        '<g transform="translate(0 {0})"><text class="lbl" x="-12" y="14" text-anchor="end">{1}<title>{2}</title></text>'
        '{3}<text class="val" x="{4}" y="14">{5}</text></g>',
        TOP + ROW * place + 4,
        *(_cut(label), label),
        format_html_join(
            "", '<rect class="{0}" x="{1}" width="{2}" height="18"><title>{3}</title></rect>', drawn
        ),
        *(PLOT + 12, f"{total:,}"),
    )


def _count_ticks(height: int, whole: int) -> SafeString:
    return format_html_join(
        "",
        '<path class="ci-ax" d="M{0} 18V{1}"/><text x="{0}" y="11" text-anchor="middle">{2}</text>',
        ((_x(tick), height, f"{tick * whole:,.0f}") for tick in (0.0, 0.5, 1.0)),
    )


def _figure(title: str, height: int, inside: SafeString) -> SafeString:
    return format_html(
        '<svg class="chart" width="{0}" height="{1}" role="img" aria-label="{2}"><g transform="translate({3} 0)">{4}</g></svg>',
        LABEL + PLOT + AFTER + 40,
        height + 6,
        title,
        LABEL,
        inside,
    )


def small_interval(estimate: Estimate, low: float = 0.0, high: float = 1.0, width: int = 110) -> SafeString:
    """For a table cell: the estimate on an axis from `low` to `high`, a dashed line at 0 where that lies inside.

    An end beyond the axis is an arrow, and a value beyond it has no dot: neither may seem to lie where the axis ends.
    """
    span = width - 8

    def x(value: float) -> str:
        return f"{4 + (min(max(value, low), high) - low) / (high - low) * span:.1f}"

    def end(value: float) -> str:
        if value < low:
            return f"M{x(value)} 8l4-3m-4 3l4 3"
        return f"M{x(value)} 8l-4-3m4 3l-4 3" if value > high else f"M{x(value)} 5v6"

    inside = low <= estimate.value <= high
    dot = format_html('<circle cx="{}" cy="8" r="3.2"/>', x(estimate.value)) if inside else ""
    zero = format_html('<path class="ci-base" d="M{} 2v12"/>', x(0.0)) if low < 0 < high else ""
    return format_html(
        '<svg class="ci" width="{0}" height="16" role="img" aria-label="{1}"><path class="ci-ax" d="M4 8H{2}"/>{3}'
        '<path class="ci-w" d="M{4} 8H{5}{6}{7}"/>{8}</svg>',
        *(width, words(estimate), width - 4, zero),
        *(x(estimate.low), x(estimate.high), end(estimate.low), end(estimate.high), dot),
    )
