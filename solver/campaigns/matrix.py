"""Problem by cell: every run of a campaign, a page of problems at a time."""

from __future__ import annotations

from dataclasses import dataclass, field

from solver.campaigns.models import Campaign, CampaignCell, CampaignProblem, CampaignRun, SlotState
from trajectories.verdicts import FAMILY, WORD

ROWS = 50


@dataclass(frozen=True, slots=True)
class Mark:
    """One run: where it leads, the colour family, and words for everybody."""

    run: int | None
    family: str
    glyph: str
    words: str


@dataclass(slots=True)
class Row:
    pk: int
    external_id: str
    title: str
    position: int
    cells: list[list[Mark]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Page:
    """`next` is the position after which the next page begins, None on the last one."""

    rows: list[Row]
    next: int | None


_GLYPHS = {"ac": "ok", "wa": "no", "tle": "clock", "re": "bang", "skip": "bang"}
_STATES = {
    SlotState.WAITING: ("", "clock", "waiting"),
    SlotState.ACTIVE: ("", "run", "under way"),
}


def read(campaign: Campaign, cells: list[CampaignCell], after: int = -1) -> Page:
    entries = CampaignProblem.objects.filter(campaign=campaign, position__gt=after).order_by("position")
    columns = entries.values_list("pk", "problem", "problem__external_id", "problem__title", "position")
    found = list(columns[: ROWS + 1])
    rows = {
        entry: Row(problem, external_id, title, position, [[] for _ in cells])
        for entry, problem, external_id, title, position in found[:ROWS]
    }
    place = {cell.pk: number for number, cell in enumerate(cells)}
    slots = CampaignRun.objects.filter(entry__in=rows).order_by("seed", "position")
    marks = slots.values_list("entry", "cell", "seed", "state", "reason", "run", "run__verdict")
    for entry, cell, seed, state, reason, run, verdict in marks:
        rows[entry].cells[place[cell]].append(_mark(seed, state, reason, run, verdict))
    return Page(list(rows.values()), found[ROWS - 1][-1] if len(found) > ROWS else None)


def _mark(seed: int, state: str, reason: str, run: int | None, verdict: str | None) -> Mark:
    said = f"seed {seed}, "
    if state in _STATES:
        family, glyph, word = _STATES[SlotState(state)]
        return Mark(run, family, glyph, said + word)
    if state == SlotState.NOT_MEASURED:
        return Mark(run, "skip", "bang", f"{said}not measured: {reason.replace('_', ' ')}")
    if not verdict:
        return Mark(run, "skip", "no", f"{said}{reason.replace('_', ' ') or 'no program'}")
    return Mark(run, FAMILY[verdict], _GLYPHS[FAMILY[verdict]], said + WORD[verdict])
