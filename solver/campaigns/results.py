"""Reading a campaign's results from its rows: one query for the places, none for events."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from solver.campaigns.measures import RoleMeasures, RunMeasures
from solver.campaigns.models import Campaign, CampaignCell, CampaignProblem, CampaignRun, SlotState
from solver.campaigns.scoring import Cost, Result
from solver.campaigns.spec import exact_price
from solver.engines.protocol import Usage
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
    stated = {cell.pk: cell.price for cell in cells}
    slots = CampaignRun.objects.filter(campaign=campaign, cell__in=cells).order_by("position")
    columns = slots.values_list(
        *("cell", "state", "reason", "seed", "entry__problem", "entry__unit"),
        *("run", "run__verdict", "run__code_version", "measures"),
        *("run__cost", "run__saved", "run__currency", "run__calls", "run__priced_calls"),
    )
    for row in columns.iterator():
        cell, state, reason, seed, problem, unit, run, verdict, version, measures, *money = row
        if state == SlotState.MEASURED:
            read_measures = RunMeasures.from_dict(measures)
            whole = read_measures.whole()
            worth = cost(whole, stated[cell], *money)
            result = Result(cell, problem, unit, seed, run, verdict, read_measures, whole, worth)
            found.measured.setdefault(cell, []).append(result)
            found.code_versions[version] += 1
        elif state == SlotState.NOT_MEASURED:
            found.not_measured.setdefault(cell, Counter())[reason] += 1
        else:
            found.open[cell] += 1
    return found


def cost(
    whole: RoleMeasures,
    stated: dict[str, Any] | None,
    paid: Decimal,
    saved: Decimal,
    currency: str,
    calls: int,
    priced_calls: int,
) -> Cost | None:
    """What a run's answers are worth, however they came: by the price that the campaign states for its cell, else by
    the prices that held when its calls were made. A stored answer counts as if it had been asked for. None where a call
    had no price: what the others cost is a part, and compared with a whole it would look cheap."""
    if stated is None:
        return Cost(paid + saved, currency) if currency and priced_calls >= calls else None
    price = exact_price(stated)
    return Cost(price.cost(Usage(whole.prompt_tokens, whole.completion_tokens)), price.currency)
