"""Long runs as headers: every step is a line that fetches its body when the reader comes near.

The page holds the headers of its first and last stretch of steps and an index of all; the stretches between are marks
that fetch theirs on approach, and lead there by a link where no script runs. At 20,000 steps all headers are 10 MB.

Written by hand, not by the template engine: a template include a step costs seconds. Every text that comes from a run
is escaped here.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from trajectories import lanes, wording
from trajectories.models import Step, StepState
from trajectories.story import Story
from trajectories.verdicts import FAMILY

PARTS = {"group": ("run/_group.html", "group"), "torn": ("run/_torn.html", "torn")}
STRETCH = 200  # steps whose headers travel together
MOST = 2 * STRETCH  # steps that one request for headers is answered with
END = 2**31  # after every event


@dataclass(frozen=True, slots=True)
class Stretch:
    """Steps that began with events `begin` up to before `end`, in order; `place` of the first among all."""

    place: int
    begin: int
    end: int
    steps: tuple[Step, ...]

    @property
    def at(self) -> int:
        """Before everything in it: a gap or an attempt's title stands before the step that it belongs to."""
        return self.begin * 4 - 2


@dataclass(frozen=True, slots=True)
class Headers:
    """What the run page is given of a long run."""

    column: SafeString
    outline: SafeString
    index: str


def headers(told: Story, wanted: int = 0) -> Headers:
    """The first and the last stretch, and the one with step `wanted`; of the others a mark."""
    all_of_it = stretches(told.steps)
    shown = {0, len(all_of_it) - 1}
    shown |= {n for n, one in enumerate(all_of_it) if any(step.number == wanted for step in one.steps)}
    column_parts, outline_parts = [], []
    for n, one in enumerate(all_of_it):
        column_parts.append(column(told, one) if n in shown else _mark(one))
        outline_parts.append(outline(told, one) if n in shown else _row_mark(one))
    return Headers(mark_safe("".join(column_parts)), mark_safe("".join(outline_parts)), index(told))


def stretches(steps: Sequence[Step]) -> list[Stretch]:
    ordered = sorted(steps, key=lambda step: step.started_seq)
    parts = [ordered[place : place + STRETCH] for place in range(0, len(ordered), STRETCH)]
    begins = [0, *(part[0].started_seq for part in parts[1:])]
    return [
        Stretch(n * STRETCH, begin, end, tuple(part))
        for n, (part, begin, end) in enumerate(zip(parts, begins, [*begins[1:], END], strict=True))
    ]


def between(told: Story, begin: int, end: int) -> Stretch:
    """What a request asks for: at most MOST steps."""
    ordered = sorted(told.steps, key=lambda step: step.started_seq)
    starts = [step.started_seq for step in ordered]
    first, last = bisect_left(starts, begin), bisect_left(starts, end)
    if last - first > MOST:
        last = first + MOST
        end = ordered[last].started_seq
    return Stretch(first, begin, end, tuple(ordered[first:last]))


def index(told: Story) -> str:
    """Every step in the order of the page, small: `n` runs of consecutive numbers, `a` a letter a step for its agent
    (a capital where it is flagged), `g` the lengths of the attempts."""
    ordered = sorted(told.steps, key=lambda step: step.started_seq)
    numbers: list[list[int]] = []
    for step in ordered:
        if numbers and sum(numbers[-1]) == step.number:
            numbers[-1][1] += 1
        else:
            numbers.append([step.number, 1])
    blamed = told.opinions.blamed
    letters = [
        letter.upper() if flagged(step) or step.number in blamed else letter
        for step in ordered
        for letter in [lanes.agent_of(step.role)[0]]
    ]
    attempts = [len(list(those)) for _, those in groupby(ordered, key=lambda step: step.attempt)]
    return json.dumps({"n": numbers, "a": "".join(letters), "g": attempts}, separators=(",", ":"))


def column(told: Story, stretch: Stretch) -> SafeString:
    """A stretch of the column of steps: attempts, decisions and gaps whole, steps as headers."""
    where = dict(_positions(told, {step.number for step in stretch.steps}))
    rows: list[tuple[int, str]] = [
        (step.started_seq * 4, _card(step, where.get(step.number, ""))) for step in stretch.steps
    ]
    for kind, item in told.items():
        if stretch.at <= item.at < stretch.end * 4 - 2:
            template, name = PARTS.get(kind, ("run/_marker.html", "marker"))
            rows.append((item.at, render_to_string(template, {name: item})))
    return mark_safe("".join(text for _, text in sorted(rows, key=lambda row: row[0])))  # escaped in _card


def outline(told: Story, stretch: Stretch) -> SafeString:
    """One line a step; marks where somebody said something."""
    rows = [(step.started_seq * 4, _row(step, told.opinions.of(step.number).marks)) for step in stretch.steps]
    rows += [
        (group.at, render_to_string("run/_outline_group.html", {"group": group}))
        for group in told.groups
        if stretch.at <= group.at < stretch.end * 4 - 2
    ]
    return mark_safe("".join(text for _, text in sorted(rows, key=lambda row: row[0])))  # escaped in _row


def _mark(stretch: Stretch) -> str:
    first, last = stretch.steps[0].number, stretch.steps[-1].number
    link = f'<a href="?from={first}#s{first}">Steps s{first} to s{last}</a>'
    return f'<div class="stretch" {_told_of(stretch)}>{link}</div>'


def _row_mark(stretch: Stretch) -> str:
    return f'<li class="stretch" {_told_of(stretch)} aria-hidden="true"></li>'


def _told_of(stretch: Stretch) -> str:
    return (
        f'data-at="{stretch.at}" data-begin="{stretch.begin}" data-end="{stretch.end}" data-place="{stretch.place}"'
        f' data-size="{len(stretch.steps)}"'
    )


def _positions(told: Story, wanted: set[int]) -> Iterator[tuple[int, str]]:
    for group in told.groups:
        title = group.title.lower()
        for place, step in enumerate(group.steps, start=1):
            if step.number in wanted:
                yield step.number, f"{title} · step {place} · {step.role}"


def flagged(step: Step) -> bool:
    wrong = step.role == "judge" and step.state == StepState.DONE and step.verdict != "AC"
    return wrong or bool(step.format_failure) or step.state == StepState.FAILED


def _card(step: Step, where: str) -> str:
    number, agent = step.number, lanes.agent_of(step.role)
    title = escape(wording.TITLES.get(step.role, step.role))
    words = wording.verdict_words(step) if step.role == "judge" else escape(wording.gist(step))
    flag = " data-flag" if flagged(step) else ""
    return (
        f'<article class="step bare" id="s{number}" data-at="{step.started_seq * 4}" data-agent="{agent}"'
        f' data-where="{escape(where)}"{flag}><header class="step-h"><a class="no" href="#s{number}">s{number}</a>'
        f'<h3><span class="agent">{title}</span></h3><span class="what">{words}</span></header></article>'
    )


def _row(step: Step, marks: str) -> str:
    number, agent = step.number, lanes.agent_of(step.role)
    flags = ""
    if step.role == "judge" and step.state == StepState.DONE:
        flags = f'<span class="v-ink" data-v="{FAMILY.get(step.verdict, "skip")}">{step.passed}/{step.total}</span>'
    said = "".join(f'<i class="said-{mark}" title="{mark}"></i>' for mark in marks.split())
    return (
        f'<li id="o{number}" data-at="{step.started_seq * 4}" data-agent="{agent}"><a href="#s{number}"><i></i>'
        f'<span class="id">s{number}</span><span class="trim">{escape(wording.gist(step))}</span>'
        f'<span class="flags">{said}{flags}</span></a></li>'
    )
