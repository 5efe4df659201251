"""The small parts every page is set from: glyphs, agents, verdict pills, strips, intervals, durations."""

from __future__ import annotations

import re
import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import template
from django.urls import reverse
from django.utils.html import conditional_escape, escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import now

from trajectories import highlight, lanes, svg, wording
from trajectories.bodies import Body
from trajectories.card import Card
from trajectories.expressions import BadExpression
from trajectories.models import Judgement, Run, RunStatus, Step
from trajectories.side_by_side import Line
from trajectories.wilson import Share, share

register = template.Library()
VERDICT_GLYPH = {"ac": "ok", "wa": "no", "tle": "clock", "re": "bang", "skip": "bang"}
STATUS_GLYPH = {
    RunStatus.QUEUED: "clock",
    RunStatus.RUNNING: "run",
    RunStatus.CANCELLED: "stop",
    RunStatus.FAILED: "bang",
}
_CODE = re.compile(r"`([^`\n]+)`")


@register.simple_tag
def glyph(name: str) -> SafeString:
    return format_html('<svg class="g" aria-hidden="true"><use href="#g-{}"/></svg>', name)


@register.simple_tag
def agent(role: str, label: str | None = None) -> SafeString:
    """Glyph and name in the agent's colour."""
    name = lanes.agent_of(role)
    title = wording.TITLES.get(role, role) if label is None else label
    return format_html('<span class="agent" data-agent="{}">{}{}</span>', name, glyph(name), title)


@register.simple_tag
def misread(text: str, error: BadExpression) -> SafeString:
    """The filter with the place that could not be read marked."""
    end = error.at + error.length
    return format_html(
        '{}<mark class="hit got">{}</mark>{}', text[: error.at], text[error.at : end] or " ", text[end:]
    )


@register.simple_tag
def verdict_pill(verdict: str, label: str = "", extra: str = "") -> SafeString:
    """`extra` is a class: `quiet` has no ground."""
    family = wording.family(verdict)
    text = label or wording.word(verdict)
    return format_html(
        '<span class="pill {}" data-v="{}">{}{}</span>', extra, family, glyph(VERDICT_GLYPH[family]), text
    )


@register.simple_tag
def run_pill(run: Run, extra: str = "") -> SafeString:
    """How a run stands: its verdict once it has one, else its state."""
    if run.status == RunStatus.FINISHED and run.verdict:
        return verdict_pill(run.verdict, wording.word(run.verdict), extra)
    if run.status == RunStatus.FINISHED:
        word = "not judged" if run.unjudged else "no program"
        return format_html('<span class="pill {}" data-v="skip">{}{}</span>', extra, glyph("no"), word)
    word = "cancelling" if run.cancel_requested and not run.ended else run.get_status_display().lower()
    family = "re" if run.status == RunStatus.FAILED else ""
    return format_html(
        '<span class="pill {}" data-v="{}">{}{}</span>',
        extra,
        family,
        glyph(STATUS_GLYPH[RunStatus(run.status)]),
        word,
    )


@register.simple_tag
def strip(letters: str, total: int = 0, limit: int = 24) -> SafeString:
    return svg.strip(letters, total, limit)


@register.simple_tag
def squares(body: Body, card: Card) -> SafeString:
    address = reverse("run-case", args=[card.step.run_id, card.number, 1]).removesuffix("1/")
    current = body.case.number if body.case else 0
    return svg.squares(card.step.strip, card.step.total, address, current)


@register.simple_tag
def lane_bars(axis: lanes.Timeline) -> SafeString:
    return svg.bars(axis)


@register.simple_tag
def code_lines(shown: list[SafeString], step: int | str = "") -> SafeString:
    return highlight.listing(shown, f"s{step}-L" if step else "")


@register.simple_tag
def interval(hits: int, n: int, width: int = 110) -> SafeString:
    return svg.interval(share(hits, n), width)


DOT = ("", "M4 4V.6a3.4 3.4 0 0 1 3.4 3.4z", "M4 .6a3.4 3.4 0 0 1 0 6.8z", "M4 4V.6a3.4 3.4 0 1 1-3.4 3.4z",
       "M4 .6a3.4 3.4 0 1 1 0 6.8 3.4 3.4 0 0 1 0-6.8z")  # fmt: skip


@register.simple_tag
def confirmed_dot(quarters: int) -> SafeString:
    """A dot filled in quarters."""
    return format_html(
        '<svg class="conf-dot" viewBox="0 0 8 8" aria-hidden="true"><circle cx="4" cy="4" r="3.4"/><path d="{}"/></svg>',
        DOT[max(0, min(4, quarters))],
    )


@register.filter
def points(gap: float) -> str:
    """A difference of shares in points, with its sign."""
    return f"{gap * 100:+.0f}"


@register.simple_tag
def meter(value: float, whole: float, label: str, width: int = 34) -> SafeString:
    return svg.meter(value / whole if whole else 0.0, label, width)


@register.simple_tag
def wilson(hits: int, n: int) -> Share:
    return share(hits, n)


@register.filter
def gist(step: Step) -> str:
    return wording.gist(step)


@register.filter
def verdict_words(step: Step) -> str:
    return wording.verdict_words(step)


@register.filter
def family(verdict: str) -> str:
    return wording.family(verdict)


@register.filter
def verdict_word(verdict: str) -> str:
    return wording.word(verdict)


@register.filter
def duration(seconds: float | None) -> str:
    return "" if seconds is None else lanes.duration(float(seconds))


@register.filter
def clock(seconds: float | None) -> str:
    return "" if seconds is None else lanes.clock(float(seconds))


@register.filter
def ago(moment: datetime | None) -> str:
    """`now`, `4 m`, `3 h`, `2 d`: the column's heading says what it is."""
    if moment is None:
        return ""
    seconds = max(0, int((now() - moment).total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return "now" if seconds < 5 else f"{seconds} s"


@register.filter
def short(number: int) -> str:
    """A count that fits a box: `1,284`, `128 k`, `2.1 M`."""
    if number < 10_000:
        return f"{number:,}"
    if number < 1_000_000:
        return f"{number // 1000} k"
    return f"{number / 1_000_000:.1f} M"


@register.filter
def exact(amount: Decimal) -> str:
    """Every digit that was given, without trailing zeros: `0.075`."""
    return f"{amount.normalize():f}"


@register.filter
def money(amount: Decimal) -> str:
    """Two decimals from a hundredth on, below that the first two digits that say something: `12.40`, `0.00031`."""
    if amount == 0:
        return "0"
    if amount >= Decimal("0.01"):
        return f"{amount:,.2f}"
    return f"{amount:.{1 - amount.adjusted()}f}"


@register.filter
def percent(rate: float) -> str:
    return f"{rate * 100:.0f} %"


@register.filter
def paragraphs(text: str) -> list[tuple[str, SafeString]]:
    """A statement as safe blocks: blank lines divide, a block whose lines are all indented is verbatim, `code` is code.

    Nothing else of the text is interpreted: statements come from anywhere.
    """
    blocks = []
    for raw in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n").strip("\n")):
        lines = [line for line in raw.split("\n") if line.strip()]
        if not lines:
            continue
        if all(line.startswith(("    ", "\t")) for line in lines) or raw.lstrip().startswith("```"):
            blocks.append(("pre", conditional_escape(raw.strip("`\n"))))
        else:
            blocks.append(("p", inline_code("\n".join(lines))))
    return blocks


def inline_code(text: str) -> SafeString:
    pieces = _CODE.split(text)
    marked = [
        f"<code>{escape(piece)}</code>" if place % 2 else escape(piece) for place, piece in enumerate(pieces)
    ]
    return mark_safe("".join(marked))  # every piece was escaped just above


@register.filter
def split(words: str) -> list[str]:
    return words.split()


COPY_TITLES = {"markdown": "Markdown", "curl": "curl", "chat": "chat JSON"}


@register.filter
def forms(names: str) -> list[tuple[str, str]]:
    """Forms in which a step is copied, each with its title."""
    return [(name, COPY_TITLES[name]) for name in names.split()]


@register.filter
def judgement_words(said: Judgement) -> str:
    return wording.judgement(said)


SIGN = {"add": "+", "del": "−"}


@register.simple_tag
def side_rows(lines: list[Line]) -> SafeString:
    """The rows of one side of a comparison: number, sign, line."""
    rows = []
    for line in lines:
        if line.kind == "fold":
            plural = "" if line.number == 1 else "s"
            rows.append(
                f'<tr class="hunk"><td></td><td></td><td>{line.number} unchanged line{plural}</td></tr>'
            )
        else:
            number, sign = line.number or "", SIGN.get(line.kind, "")
            rows.append(f'<tr class="{line.kind}"><td>{number}</td><td>{sign}</td><td>{line.html}</td></tr>')
    return mark_safe("".join(rows))  # numbers, fixed names and lines that were escaped when made


@register.simple_tag
def request_key() -> str:
    """A key of the form's own, so that sending it twice does what it says once."""
    return uuid.uuid4().hex


@register.simple_tag
def new_steps(branch: Run) -> int:
    """Steps of a branch that are its own and not its parent's."""
    return max(0, branch.step_count - int((branch.branch or {}).get("at") or 1) + 1)


@register.filter
def spaced(name: str) -> str:
    """A field's name as a heading."""
    return name.replace("_", " ").capitalize()


@register.filter
def get(mapping: Any, key: Any) -> Any:
    return mapping.get(key, "") if isinstance(mapping, dict) else ""


@register.simple_tag(takes_context=True)
def with_query(context: template.Context, **changes: Any) -> str:
    """The present address with some parameters changed; an empty value removes one. Paging starts over."""
    query = context["request"].GET.copy()
    for name in ("before", "after"):
        query.pop(name, None)
    for name, value in changes.items():
        query.pop(name, None)
        if value not in ("", None):
            query[name] = str(value)
    return f"?{query.urlencode()}" if query else "?"


@register.simple_tag(takes_context=True)
def with_facet(context: template.Context, name: str, value: str) -> str:
    return with_query(context, **{name: value})
