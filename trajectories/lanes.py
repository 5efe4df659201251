"""The time axis of a run: one lane an agent, idle gaps cut out as torn strips, everything in percent of the width.

Seconds count from the run's first step. A gap in which no step runs for longer than `GAP_S` is drawn `GAP_WIDTH` wide
whatever its length, or narrower where there are so many that the steps would have less than `LEAST_ROOM`; the rest of the
axis is linear, so that widths compare.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from trajectories.agents import AGENTS
from trajectories.models import Run, Step, StepState

GAP_S = 5.0
GAP_WIDTH = 2.6
LEAST_ROOM = 20.0  # percent in which steps are drawn, however many gaps there are
LEFT, RIGHT = 1.0, 98.0
LIVE_RIGHT = 90.0  # a live axis leaves room in which the running bar grows until the next drawing
LIVE_LEAST_S = 10.0  # a young run is not drawn anew with every event
SLIVER = 0.25  # narrowest bar that a pointer still finds
MOST_BARS = 1500  # beyond it bars nearer than a sliver are drawn as one
PITCH = 16
LANES = (*AGENTS, "supervisor", "judge")
ALWAYS = (*AGENTS, "judge")
AGENT = {"confidence": "planning"}
TICK_S = (
    0.01,
    0.02,
    0.05,
    0.1,
    0.2,
    0.5,
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    1800,
    3600,
    7200,
    21600,
    86400,
)
TICKS = 9
CLEAR = 4.0  # percent between a tick and another label


@dataclass(frozen=True, slots=True)
class Lane:
    agent: str
    y: int


@dataclass(frozen=True, slots=True)
class Bar:
    number: int
    agent: str
    x: float
    width: float
    y: int
    label: str
    running: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """A flagged point at the end of a step: failed tests, accepted, a format failure, a step that failed."""

    kind: str
    x: float
    y: int
    label: str


@dataclass(frozen=True, slots=True)
class Gap:
    x: float
    width: float
    label: str
    written: bool = True  # its label stands below it: no other does so near that the words would touch

    @property
    def middle(self) -> float:
        return round(self.x + self.width / 2, 3)


@dataclass(frozen=True, slots=True)
class Tick:
    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """`rate` is percent of width per second at the right end and `now` the present there, for a live run only."""

    lanes: tuple[Lane, ...]
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    gaps: tuple[Gap, ...]
    ticks: tuple[Tick, ...]
    now: float | None
    rate: float
    height: int
    label: str
    untimed: bool = False


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A piece of the axis without an idle gap: seconds `start`..`end` from `x` on."""

    start: float
    end: float
    x: float


class _Axis:
    """Maps seconds to percent."""

    def __init__(self, spans: Sequence[tuple[float, float]], right: float, least: float) -> None:
        busy = _merge(spans)
        total = sum(end - start for start, end in busy)
        gaps = len(busy) - 1
        self.gap = min(GAP_WIDTH, (right - LEFT - LEAST_ROOM) / gaps) if gaps else 0.0
        self.rate = (right - LEFT - self.gap * gaps) / max(total, least)
        self.stretches: list[_Stretch] = []
        x = LEFT
        for start, end in busy:
            self.stretches.append(_Stretch(start, end, x))
            x += (end - start) * self.rate + self.gap
        self._starts = [stretch.start for stretch in self.stretches]

    def x(self, second: float) -> float:
        at = self.stretches[max(0, bisect_right(self._starts, second) - 1)]
        return round(at.x + (second - at.start) * self.rate, 3)

    def gaps(self) -> tuple[Gap, ...]:
        found: list[Gap] = []
        last = -CLEAR
        for before, after in pairwise(self.stretches):
            gap = Gap(self.x(before.end), round(self.gap, 3), duration(after.start - before.end))
            if written := gap.middle - last >= CLEAR:
                last = gap.middle
            found.append(replace(gap, written=written))
        return tuple(found)

    def ticks(self, now: float | None) -> tuple[Tick, ...]:
        """Round times, but none so near to a gap's label or to "now" that the words would touch."""
        taken = [gap.middle for gap in self.gaps() if gap.written] + ([] if now is None else [now])
        every = next((step for step in TICK_S if (RIGHT - LEFT) / self.rate / step <= TICKS), TICK_S[-1])
        beyond = 0.0 if now is None else (RIGHT - now) / self.rate  # a live axis goes on into the future
        ticks = []
        for stretch in self.stretches:
            number = -(-stretch.start // every)
            end = stretch.end + (beyond if stretch is self.stretches[-1] else 0.0)
            while number * every <= end:
                x = self.x(number * every)
                if all(abs(x - other) > CLEAR for other in taken):
                    ticks.append(Tick(x, clock(number * every, every)))
                number += 1
        return tuple(ticks)


def _merge(spans: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Busy stretches: spans closer than GAP_S belong together."""
    merged: list[tuple[float, float]] = []
    for start, end in sorted(spans):
        if merged and start - merged[-1][1] <= GAP_S:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def timeline(
    run: Run, steps: Sequence[Step], now: datetime, blamed: Mapping[int, str] | None = None
) -> Timeline | None:
    """The drawing, or None before the first step. `blamed`: step numbers with what the mark on them says."""
    if not steps:
        return None
    zero = min(step.started_at for step in steps)
    stop = run.finished_at if run.ended and run.finished_at else now

    def second(moment: datetime | None) -> float:
        return max(0.0, ((moment or stop) - zero).total_seconds())

    spans = [
        (second(step.started_at), max(second(step.started_at), second(step.finished_at))) for step in steps
    ]
    untimed = len(steps) > 1 and max(end for _, end in spans) == 0
    if untimed:  # an import that recorded no times: the steps in their order, each as long as the others
        spans = [(float(place), place + 0.9) for place in range(len(steps))]
    axis = _Axis(spans, RIGHT, 0.001) if run.ended else _Axis(spans, LIVE_RIGHT, LIVE_LEAST_S)
    present = {agent_of(step.role) for step in steps}
    lanes = [agent for agent in LANES if agent in present or agent in ALWAYS]
    height = {agent: place * PITCH for place, agent in enumerate(lanes)}
    edge = None if run.ended else axis.x(max(end for _, end in spans))
    bars = tuple(
        _bar(step, axis, span, height, run.ended, untimed) for step, span in zip(steps, spans, strict=True)
    )
    marks = [mark for step, bar in zip(steps, bars, strict=True) if (mark := _mark(step, bar))]
    marks += [
        Mark("blame", min(99.0, bar.x + bar.width), bar.y, blamed[bar.number])
        for bar in bars
        if blamed and bar.number in blamed
    ]
    return Timeline(
        lanes=tuple(Lane(agent, height[agent]) for agent in lanes),
        bars=bars if len(bars) <= MOST_BARS else _joined(bars),
        marks=tuple(marks if len(bars) <= MOST_BARS else _thinned(marks)),
        gaps=axis.gaps(),
        ticks=() if untimed else axis.ticks(edge),
        now=edge,
        rate=0.0 if run.ended else axis.rate,
        height=len(lanes) * PITCH,
        label=f"{len(steps)} steps "
        + ("in order, times not recorded" if untimed else f"in {duration(max(end for _, end in spans))}"),
        untimed=untimed,
    )


def _joined(bars: Sequence[Bar]) -> tuple[Bar, ...]:
    """Neighbours of one lane that no eye could tell apart, as one bar that leads to the first of them."""
    found: list[Bar] = []
    count = 0
    for bar in sorted(bars, key=lambda bar: (bar.y, bar.x)):
        last = found[-1] if found else None
        if last is None or last.y != bar.y or bar.running or bar.x - (last.x + last.width) >= SLIVER:
            found.append(bar)
            count = 1
            continue
        count += 1
        width = round(max(last.width, bar.x + bar.width - last.x), 3)
        found[-1] = replace(last, width=width, label=f"{count} {bar.agent} steps from s{last.number} on")
    return tuple(found)


def _thinned(marks: Sequence[Mark]) -> list[Mark]:
    """The first of every kind within a mark's width; a blame is never left out."""
    kept = {(mark.kind, mark.y, round(mark.x)): mark for mark in reversed(marks) if mark.kind != "blame"}
    return [*kept.values(), *(mark for mark in marks if mark.kind == "blame")]


def agent_of(role: str) -> str:
    """The agent in whose lane and colour a role appears."""
    return AGENT.get(role, role if role in LANES else "supervisor")


def _bar(
    step: Step, axis: _Axis, span: tuple[float, float], height: dict[str, int], ended: bool, untimed: bool
) -> Bar:
    agent = agent_of(step.role)
    start, end = span
    width = max(SLIVER, round((end - start) * axis.rate, 3))
    running = step.state == StepState.RUNNING and not ended
    took = "running" if running else "time not recorded" if untimed else duration(end - start)
    return Bar(
        step.number,
        agent,
        axis.x(start),
        width,
        height[agent],
        f"s{step.number} {step.role} · {took}",
        running,
    )


def _mark(step: Step, bar: Bar) -> Mark | None:
    at = min(99.0, bar.x + bar.width)
    if step.state == StepState.FAILED:
        return Mark("stop", at, bar.y, f"s{step.number} failed: {step.gist}")
    if step.role == "judge" and step.state == StepState.DONE:
        if step.verdict == "AC":
            if step.suite != "hidden":
                return None
            return Mark("ok", at, bar.y, f"s{step.number} accepted, {step.passed} of {step.total}")
        return Mark("fail", at, bar.y, f"s{step.number} failed tests, {step.passed} of {step.total} passed")
    if step.format_failure:
        return Mark("format", at, bar.y, f"s{step.number} format failure: {step.format_failure}")
    return None


def tear(height: int) -> str:
    """The torn edge of a gap, `height` pixels long."""
    return "M0 0" + "l3 6l-3 6" * (height // 12)


def duration(seconds: float) -> str:
    """How long: `40 ms`, `4.1 s`, `2 m 10 s`, `1 h 05 m`."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} m {rest:02} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} m"


def clock(seconds: float, every: float = 1.0) -> str:
    """When: `0 s`, `20 ms`, `3:05`."""
    if every < 1:
        return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{round(seconds, 2):g} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}:{rest:02}"
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
