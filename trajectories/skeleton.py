"""Long runs as headers: every step is a line that fetches its body when the reader comes near.

Written by hand, not by the template engine: at 20,000 steps a template include a step costs seconds. Every text that
comes from a run is escaped here.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from trajectories import lanes, wording
from trajectories.models import Step, StepState
from trajectories.story import Story
from trajectories.verdicts import FAMILY

PARTS = {"group": ("run/_group.html", "group"), "torn": ("run/_torn.html", "torn")}


def column(told: Story) -> SafeString:
    """The column of steps: attempts, decisions and gaps whole, steps as headers."""
    where = dict(_positions(told))
    rows: list[tuple[int, str]] = [
        (step.started_seq * 4, _card(step, where.get(step.number, ""))) for step in told.steps
    ]
    for kind, item in told.items():
        template, name = PARTS.get(kind, ("run/_marker.html", "marker"))
        rows.append((item.at, render_to_string(template, {name: item})))
    return mark_safe("".join(text for _, text in sorted(rows, key=lambda row: row[0])))  # escaped in _card


def outline(told: Story) -> SafeString:
    """One line a step; marks where somebody said something."""
    rows = [
        (step.started_seq * 4, _row(step, told.opinions.of(step.number).marks if step.number else ""))
        for step in told.steps
    ]
    rows += [
        (group.at, render_to_string("run/_outline_group.html", {"group": group})) for group in told.groups
    ]
    return mark_safe("".join(text for _, text in sorted(rows, key=lambda row: row[0])))  # escaped in _row


def _positions(told: Story) -> Iterator[tuple[int, str]]:
    for group in told.groups:
        title = group.title.lower()
        for place, step in enumerate(group.steps, start=1):
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
