"""The curves of a training run: read from its events, decimated on the server, drawn as SVG.

However long a run is, at most `BUCKETS` pairs of least and greatest value are drawn, so that a spike is never lost. A step that
was taken twice (before and after a kill) counts once, as it was taken last.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from training.models import TrainingEvent, TrainingRun

BUCKETS = 200
SMOOTH = 0.9  # of the exponential mean
LEFT, RIGHT, TOP, BOTTOM = 44, 626, 8, 186

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Series:
    """Points by step; `train` is raw."""

    train: list[Point]
    held_out: list[Point]
    steps: int


def points(run: TrainingRun, field: str = "loss") -> list[Point]:
    rows = TrainingEvent.objects.filter(run=run, kind="metrics").order_by("seq")
    by_step = {
        step: value for step, value in rows.values_list("step", f"payload__{field}") if value is not None
    }
    return [(float(step), float(value)) for step, value in sorted(by_step.items())]


def read(run: TrainingRun) -> Series:
    held = TrainingEvent.objects.filter(run=run, kind="eval").order_by("seq")
    by_step = {step: value for step, value in held.values_list("step", "payload__loss") if value is not None}
    held_out = [(float(step or 0), float(value)) for step, value in sorted(by_step.items())]
    return Series(points(run), held_out, max(run.steps, run.step, 1))


def decimate(series: Sequence[Point], buckets: int = BUCKETS) -> list[Point]:
    """Least and greatest of each bucket, in order of step."""
    if len(series) <= 2 * buckets:
        return list(series)
    kept: list[Point] = []
    for bucket in range(buckets):
        part = series[bucket * len(series) // buckets : (bucket + 1) * len(series) // buckets]
        ends = {min(part, key=_value), max(part, key=_value)}
        kept += sorted(ends)
    return kept


def _value(point: Point) -> float:
    return point[1]


def smooth(series: Sequence[Point]) -> list[Point]:
    """Exponential mean without the bias of its start."""
    told, mean, weight = [], 0.0, 0.0
    for step, value in series:
        mean, weight = SMOOTH * mean + (1 - SMOOTH) * value, SMOOTH * weight + (1 - SMOOTH)
        told.append((step, mean / weight))
    return told


@dataclass(frozen=True, slots=True)
class Axes:
    steps: float
    low: float
    high: float

    def x(self, step: float) -> str:
        return f"{LEFT + step / self.steps * (RIGHT - LEFT):.1f}"

    def y(self, value: float) -> str:
        share = (value - self.low) / (self.high - self.low)
        return f"{BOTTOM - min(1.0, max(0.0, share)) * (BOTTOM - TOP):.1f}"

    def path(self, series: Sequence[Point]) -> str:
        return "M" + "L".join(f"{self.x(step)} {self.y(value)}" for step, value in series) if series else ""


def axes(series: Sequence[Sequence[Point]], steps: int) -> Axes:
    """The value axis covers all but the wildest hundredth, from a round number to a round number."""
    values = sorted(value for one in series for _, value in one)
    if not values:
        return Axes(float(steps), 0.0, 1.0)
    high, low = values[max(0, math.ceil(len(values) * 0.99) - 1)], values[0]
    step = _round_step(max(high - low, high * 0.02, 1e-9) / 4)
    floor = math.floor(low / step) * step
    return Axes(float(steps), floor, floor + step * max(1, math.ceil((high - floor) / step + 1e-9)))


def _round_step(raw: float) -> float:
    power = 10.0 ** math.floor(math.log10(raw))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw * 0.999)


def _ticks(found: Axes) -> list[float]:
    step = _round_step((found.high - found.low) / 5)
    count = round((found.high - found.low) / step)
    return [found.low + step * place for place in range(count + 1)]


def frame(found: Axes) -> SafeString:
    sides = format_html_join(
        "",
        '<path class="grid" d="M{} {}H{}"/><text x="{}" y="{}" text-anchor="end">{}</text>',
        (
            (LEFT, found.y(tick), RIGHT, LEFT - 6, f"{float(found.y(tick)) + 4:.1f}", f"{tick:.3g}")
            for tick in _ticks(found)
        ),
    )
    whole = _round_step(max(found.steps, 1) / 6)
    marks = [place * whole for place in range(int(found.steps / whole) + 1)]
    below = format_html_join(
        "",
        '<text x="{}" y="202" text-anchor="middle">{}</text>',
        ((found.x(mark), f"{mark:g}") for mark in marks),
    )
    return format_html("{}{}", sides, below)


def loss_chart(run: TrainingRun, others: Sequence[TrainingRun] = ()) -> SafeString:
    """Training loss raw and smoothed, held-out loss, and the smoothed loss of runs it is compared with.

    The loss of DPO is of pairs, and that of held-out rows is of answers: they share no axis, so it has a chart of its own.
    """
    mine = read(run)
    if run.spec["method"] == "dpo":
        mine = Series(mine.train, [], mine.steps)
    theirs = [(other, smooth(points(other))) for other in others]
    found = axes(
        [mine.train, mine.held_out, *(series for _, series in theirs)],
        max([mine.steps, *(int(series[-1][0]) for _, series in theirs if series)]),
    )
    compared = format_html_join(
        "",
        '<path class="ref" d="{}"><title>{}</title></path>',
        ((found.path(decimate(series)), f"run {other.pk}, {other.dataset}") for other, series in theirs),
    )
    drawn = format_html(
        '<path class="line raw" d="{}"/><path class="line" d="{}"/><path class="evl" d="{}"/>{}',
        *(
            found.path(decimate(mine.train)),
            found.path(decimate(smooth(mine.train))),
            found.path(mine.held_out),
        ),
        format_html_join(
            "",
            '<circle class="eval" cx="{}" cy="{}" r="3"><title>step {}: {} held out</title></circle>',
            (
                (found.x(step), found.y(value), f"{step:g}", f"{value:.4f}")
                for step, value in decimate(mine.held_out, 30)
            ),
        ),
    )
    return _svg(run, _loss_words(mine), format_html("{}{}{}", frame(found), compared, drawn))


def _loss_words(mine: Series) -> str:
    if not mine.train:
        return "No training step has been reported yet"
    said = f"Training loss {mine.train[0][1]:.3f} at step {mine.train[0][0]:g}, {mine.train[-1][1]:.3f} at step {mine.train[-1][0]:g}"
    if mine.held_out:
        said += f"; held out {mine.held_out[0][1]:.3f} at first, {mine.held_out[-1][1]:.3f} at step {mine.held_out[-1][0]:g}"
    return said


def line_chart(run: TrainingRun, field: str, words: str) -> SafeString:
    return _line(run, points(run, field), words)


def held_out_chart(run: TrainingRun, words: str) -> SafeString:
    return _line(run, read(run).held_out, words)


def _line(run: TrainingRun, series: list[Point], words: str) -> SafeString:
    found = axes([series], max(run.steps, run.step, 1))
    line = format_html('<path class="line" d="{}"/>', found.path(decimate(series)))
    said = f"{words}, {series[-1][1]:.3g} at step {series[-1][0]:g}" if series else f"{words}: nothing yet"
    return _svg(run, said, format_html("{}{}", frame(found), line))


def _svg(run: TrainingRun, said: str, inside: SafeString) -> SafeString:
    return format_html(
        '<svg class="chart" data-agent="{}" viewBox="0 0 640 210" role="img" aria-label="{}">{}</svg>',
        run.role,
        said,
        inside,
    )


def first_batch(run: TrainingRun) -> dict[str, Any] | None:
    told = (
        TrainingEvent.objects.filter(run=run, kind="batch").order_by("seq").values_list("payload", flat=True)
    )
    found: dict[str, Any] | None = told.first()
    return found
