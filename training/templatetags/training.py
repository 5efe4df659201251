"""Small parts of the training pages."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from solver.benchmarks.interval import Estimate
from solver.campaigns.charts import small_interval
from training.models import Adapter, TrainingRun
from training.run_models import TrainingStatus
from trajectories.templatetags.lab import glyph

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
def gain_interval(result: dict[str, Any], width: int = 150) -> SafeString:
    """Points gained on an axis that is the same for every adapter."""
    found = Estimate(result["points"] / 100, result["low"] / 100, result["high"] / 100, result["n"])
    return small_interval(found, -0.4, 0.4, width)


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
