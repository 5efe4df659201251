"""Reading a campaign's results from its rows: one query for the places, none for events."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from solver.campaigns.measures import RoleMeasures, RunMeasures
from solver.campaigns.models import Campaign, CampaignCell, CampaignProblem, CampaignRun, SlotState
from solver.campaigns.scoring import Result
from trajectories.models import Problem


@dataclass(slots=True)
class Results:
    """`not_measured` and `open` count the places without a figure, by cell; every place is in exactly one of the three."""

    campaign: Campaign
    cells: list[CampaignCell]
    problems: dict[int, Problem]
    measured: dict[int, list[Result]] = field(default_factory=dict)
    not_measured: dict[int, Counter[str]] = field(default_factory=dict)
    open: Counter[int] = field(default_factory=Counter)
    code_versions: Counter[str] = field(default_factory=Counter)

    def of(self, cell: CampaignCell) -> list[Result]:
        return self.measured.get(cell.pk, [])

    @property
    def complete(self) -> bool:
        return not self.open


def read(campaign: Campaign) -> Results:
    found = read_cells(campaign, list(CampaignCell.objects.filter(campaign=campaign)))
    entries = CampaignProblem.objects.filter(campaign=campaign).select_related("problem")
    found.problems = {entry.problem_id: entry.problem for entry in entries.prefetch_related("problem__tags")}
    return found


def read_cells(campaign: Campaign, cells: list[CampaignCell]) -> Results:
    """The results of some cells; `problems` is left empty."""
    found = Results(campaign, cells, {})
    prices = {cell.pk: cell.price for cell in cells}
    slots = CampaignRun.objects.filter(campaign=campaign, cell__in=cells).order_by("position")
    columns = slots.values_list(
        *("cell", "state", "reason", "seed", "entry__problem", "entry__unit"),
        *("run", "run__verdict", "run__code_version", "measures"),
    )
    for cell, state, reason, seed, problem, unit, run, verdict, version, measures in columns.iterator():
        if state == SlotState.MEASURED:
            read_measures = RunMeasures.from_dict(measures)
            whole = read_measures.whole()
            price = cost(whole, prices[cell])
            result = Result(cell, problem, unit, seed, run, verdict, read_measures, whole, price)
            found.measured.setdefault(cell, []).append(result)
            found.code_versions[version] += 1
        elif state == SlotState.NOT_MEASURED:
            found.not_measured.setdefault(cell, Counter())[reason] += 1
        else:
            found.open[cell] += 1
    return found


def cost(whole: RoleMeasures, price: dict[str, Any] | None) -> float | None:
    """In the price's currency; prices are per million tokens."""
    if price is None:
        return None
    return float(whole.prompt_tokens * price["input"] + whole.completion_tokens * price["output"]) / 1_000_000
