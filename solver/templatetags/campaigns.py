"""Estimates in words and drawings, for the campaign pages."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString

from solver.benchmarks.interval import Estimate
from solver.campaigns import charts

register = template.Library()
MINUS = "\N{MINUS SIGN}"


@register.filter
def estimate_percent(found: Estimate) -> str:
    return charts.words(found)


def _signed(points: float) -> str:
    return f"{points:+.1f}".replace("-", MINUS)


@register.filter
def estimate_points(found: Estimate) -> str:
    """A difference of two shares, in percentage points."""
    value, low, high = (_signed(part * 100) for part in (found.value, found.low, found.high))
    return f"{value} [{low}, {high}]"


@register.filter
def estimate_cosine(found: Estimate) -> str:
    """Three places: cosines, Brier scores."""
    value, low, high = (f"{part:.3f}".replace("-", MINUS) for part in (found.value, found.low, found.high))
    return f"{value} [{low}, {high}]"


@register.filter
def estimate_amount(found: Estimate) -> str:
    digits = 0 if found.value >= 100 else 1
    return f"{found.value:,.{digits}f} [{found.low:,.{digits}f}, {found.high:,.{digits}f}]"


@register.filter
def estimate_cost(found: Estimate) -> str:
    return f"{found.value:.5f} [{found.low:.5f}, {found.high:.5f}]"


@register.filter
def p_value(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


@register.simple_tag
def rate_interval(found: Estimate) -> SafeString:
    return charts.small_interval(found)


@register.simple_tag
def points_interval(found: Estimate) -> SafeString:
    return charts.small_interval(found, -0.5, 0.5, 140)
