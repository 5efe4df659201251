"""Small parts of the training pages."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from solver.benchmarks.interval import Estimate
from solver.campaigns.charts import small_interval
from training.exam_page import Paired, Score
from training.models import Adapter, TrainingRun
from training.run_models import TrainingStatus
from trajectories.templatetags.lab import glyph, percent

register = template.Library()
_PILLS = {
    TrainingStatus.QUEUED: ("", "clock"),
    TrainingStatus.RUNNING: ("", "run"),
    TrainingStatus.FINISHED: ("ac", "ok"),
    TrainingStatus.STOPPED: ("", "stop"),
    TrainingStatus.CANCELLED: ("", "stop"),
    TrainingStatus.FAILED: ("re", "bang"),
}
_GATE = {"no": ("wa", "no"), "warn": ("tle", "bang"), "ok": ("ac", "ok")}


@register.simple_tag
def training_pill(run: TrainingRun) -> SafeString:
    family, sign = _PILLS[TrainingStatus(run.status)]
    word = "stopping" if run.ask and not run.ended else run.get_status_display().lower()
    return format_html('<span class="pill" data-v="{}">{}{}</span>', family, glyph(sign), word)


@register.simple_tag
def gate_line(level: str, title: str, detail: str = "") -> SafeString:
    family, sign = _GATE[level]
    more = format_html('<br><span class="muted">{}</span>', detail) if detail else ""
    text = format_html("<b>{}</b>", title) if level == "no" else title
    return format_html('<li data-v="{}">{}<span>{}{}</span></li>', family, glyph(sign), text, more)


@register.simple_tag
def gain_interval(result: dict[str, Any] | Paired, width: int = 150) -> SafeString:
    """Points gained on an axis that is the same for every adapter."""
    told = asdict(result) if isinstance(result, Paired) else result
    found = Estimate(told["points"] / 100, told["low"] / 100, told["high"] / 100, told["n"])
    return small_interval(found, -0.6, 0.6, width)


@register.simple_tag
def exam_score(score: Score) -> SafeString:
    """What it rests on: prompts, and the problems that are the units of the interval."""
    n, told = score.estimate.n, f"{score.hits} of {score.prompts}"
    return format_html("{}{}", told, f", {n} problem{'' if n == 1 else 's'}" if n != score.prompts else "")


@register.simple_tag
def score_interval(score: Score) -> SafeString:
    return small_interval(score.estimate)


@register.simple_tag
def share_of(share: dict[str, Any]) -> SafeString:
    """A share with its 95 % interval and n."""
    low, high = percent(share["low"]), percent(share["high"])
    return format_html(
        '{} <span class="muted">[{}, {}] of {}</span>', percent(share["value"]), low, high, share["n"]
    )


@register.simple_tag
def pieces(row: dict[str, Any]) -> SafeString:
    """Tokens of a row: masked ones grey, trained ones marked, special ones boxed. Text of models: escaped."""
    return format_html_join(
        "",
        "{}",
        (
            (
                format_html("<u>{}</u>" if special and not trained else "<b><u>{}</u></b>", text)
                if special
                else format_html("<b>{}</b>" if trained else "{}", text),
            )
            for text, trained, special in row["pieces"]
        ),
    )


@register.filter
def signed(value: float) -> str:
    return f"{value:+.1f}".replace("-", "−")


@register.filter
def small_p(value: float) -> str:
    return f"{value:.2g}" if value >= 0.0001 else "< 0.0001"


@register.filter
def megabytes(value: float | None) -> str:
    if not value:
        return ""
    return f"{value / 1e9:.1f} GB" if value >= 1e9 else f"{value / 1e6:.1f} MB"


@register.filter
def adapter_label(adapter: Adapter) -> str:
    return str(adapter)
