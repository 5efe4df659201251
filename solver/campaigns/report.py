"""The report of a campaign: per cell what was solved, how, at what price and with which format failures.

docs/reference/statistics.md says which formula stands behind each figure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise

from solver.benchmarks import bootstrap
from solver.benchmarks.holm import holm
from solver.benchmarks.interval import Estimate
from solver.campaigns import execution
from solver.campaigns.breakdown import Breakdown, breakdowns
from solver.campaigns.confidence import Worth, worth
from solver.campaigns.measures import Origin, RoleMeasures
from solver.campaigns.models import Campaign, CampaignCell
from solver.campaigns.results import Results, read
from solver.campaigns.scoring import (
    Comparison,
    Cost,
    Outcome,
    PassAtK,
    Result,
    compare,
    pass_at,
    share,
    unit_means,
    which_k,
)

ROLES = ("retrieval", "planning", "confidence", "coding", "debugging")


@dataclass(frozen=True, slots=True)
class RoleFailures:
    """`measured.failures` counts answers the strict parser refuses; `affected` is over distinct problems."""

    role: str
    measured: RoleMeasures
    affected: Estimate

    @property
    def failures(self) -> int:
        return self.measured.format_failures

    @property
    def unusable(self) -> int:
        return self.failures - self.measured.rescued


@dataclass(frozen=True, slots=True)
class CellReport:
    cell: CampaignCell
    runs: int
    problems: int  # distinct ones
    solved_runs: int
    not_measured: dict[str, int]
    open: int
    pass_at: list[PassAtK]
    outcomes: dict[Outcome, int]
    first_try: Estimate  # accepted with the first program
    repaired: Estimate  # accepted with a program of a debugging step
    first_samples: tuple[int, int]  # first programs that passed all samples, of those run on samples
    roles: list[RoleFailures]
    confidence: Worth | None
    calls: Estimate  # these four: per problem
    tokens: Estimate
    model_seconds: Estimate
    cost: Estimate | None
    total: RoleMeasures
    judge_seconds: float
    total_cost: Decimal | None
    currency: str

    @property
    def pass_at_1(self) -> Estimate:
        return self.pass_at[0].estimate

    @property
    def format_failures(self) -> int:
        return sum(role.failures for role in self.roles)

    @property
    def rescued(self) -> int:
        return sum(role.measured.rescued for role in self.roles)

    @property
    def left_out(self) -> int:
        return sum(self.not_measured.values())


@dataclass(frozen=True, slots=True)
class Against:
    """A cell against another: the baseline, or the cell before it. `adjusted_p` is Holm's over the comparisons of its
    table."""

    other: CampaignCell
    cell: CampaignCell
    comparison: Comparison
    adjusted_p: float


@dataclass(frozen=True, slots=True)
class Report:
    campaign: Campaign
    cells: list[CellReport]
    baseline: CampaignCell
    against: list[Against]
    steps: list[Against]  # each cell against the one before it; where there are two cells that is `against`
    breakdowns: list[Breakdown]
    spent: dict[str, float]
    code_versions: dict[str, int]
    runs: int
    complete: bool
    notes: list[str] = field(default_factory=list)

    @property
    def confidences(self) -> list[tuple[CampaignCell, Worth]]:
        return [(found.cell, found.confidence) for found in self.cells if found.confidence]

    @property
    def currency(self) -> str:
        return next((cell.currency for cell in self.cells if cell.currency), "")


def build(campaign: Campaign, baseline: int = 0) -> Report:
    """`baseline` is the position of the cell that the others are compared with."""
    results = read(campaign)
    cells = [_cell(results, cell) for cell in results.cells]
    base = results.cells[baseline]
    return Report(
        campaign=campaign,
        cells=cells,
        baseline=base,
        against=_compared(results, [(base, cell) for cell in results.cells if cell.pk != base.pk]),
        steps=_compared(results, list(pairwise(results.cells)) if len(results.cells) > 2 else []),
        breakdowns=breakdowns(results),
        spent=execution.spent(campaign),
        code_versions=dict(results.code_versions),
        runs=sum(cell.runs for cell in cells),
        complete=results.complete,
        notes=_notes(results, cells),
    )


def _cell(results: Results, cell: CampaignCell) -> CellReport:
    measured = results.of(cell)
    total = RoleMeasures()
    for result in measured:
        total.add(result.whole)
    costs = [result.cost for result in measured if result.cost]
    currency = _currency(costs, len(measured))
    outcomes = Counter(result.outcome for result in measured)
    ran = [result for result in measured if result.measures.first_samples]
    return CellReport(
        cell=cell,
        runs=len(measured),
        problems=len({result.unit for result in measured}),
        solved_runs=sum(result.solved for result in measured),
        not_measured=dict(results.not_measured.get(cell.pk, {})),
        open=results.open[cell.pk],
        pass_at=[pass_at(measured, k) for k in which_k(len(results.campaign.spec["seeds"]))],
        outcomes={outcome: outcomes[outcome] for outcome in Outcome},
        first_try=share(measured, lambda r: r.solved and r.measures.origin is Origin.FIRST),
        repaired=share(measured, lambda r: r.solved and r.measures.origin is Origin.REPAIR),
        first_samples=(sum(r.measures.first_samples == "AC" for r in ran), len(ran)),
        roles=_roles(measured),
        confidence=worth(measured),
        calls=_per_problem(measured, lambda r: r.whole.calls),
        tokens=_per_problem(measured, _tokens),
        model_seconds=_per_problem(measured, lambda r: r.whole.seconds),
        cost=_per_problem(measured, lambda r: float(r.cost.amount) if r.cost else 0.0) if currency else None,
        total=total,
        judge_seconds=sum(result.measures.judge_seconds for result in measured),
        total_cost=sum((cost.amount for cost in costs), Decimal(0)) if currency else None,
        currency=currency,
    )


def _currency(costs: Sequence[Cost], runs: int) -> str:
    """The one currency in which every measured run has a cost; "" where there is none: a part is no sum."""
    currencies = {cost.currency for cost in costs}
    return currencies.pop() if len(currencies) == 1 and len(costs) == runs else ""


def _tokens(result: Result) -> float:
    whole = result.whole
    return whole.prompt_tokens + whole.completion_tokens


def _per_problem(measured: Sequence[Result], value: Callable[[Result], float]) -> Estimate:
    return bootstrap.mean(list(unit_means(measured, value).values()))


def _roles(measured: Sequence[Result]) -> list[RoleFailures]:
    totals: dict[str, RoleMeasures] = {}
    for result in measured:
        for role, found in result.measures.roles.items():
            totals.setdefault(role, RoleMeasures()).add(found)
    order = [role for role in ROLES if role in totals] + sorted(set(totals) - set(ROLES))
    return [RoleFailures(role, totals[role], _affected(measured, role)) for role in order]


def _affected(measured: Sequence[Result], role: str) -> Estimate:
    """Over the distinct problems on which the role was asked: the share of runs with a format failure of it."""
    asked = [result for result in measured if role in result.measures.roles]
    return share(asked, lambda result: bool(result.measures.roles[role].format_failures))


def _compared(results: Results, pairs: Sequence[tuple[CampaignCell, CampaignCell]]) -> list[Against]:
    found = [compare(results.of(first), results.of(second)) for first, second in pairs]
    adjusted = holm([comparison.test.p for comparison in found])
    return [Against(*pair, comparison, p) for pair, comparison, p in zip(pairs, found, adjusted, strict=True)]


def _notes(results: Results, cells: Sequence[CellReport]) -> list[str]:
    """What a reader must know before quoting a figure."""
    campaign, found = results.campaign, list(results.campaign.warnings)
    settled, places = (
        sum(cell.runs for cell in cells),
        sum(cell.runs + cell.open + cell.left_out for cell in cells),
    )
    if not results.complete:
        order = "a random part" if campaign.spec["problems"].get("sample_seed") is not None else "the first"
        found.insert(
            0, f"Partial: {settled} of {places} runs are measured; they cover {order} of the problems."
        )
    if left_out := sum(cell.left_out for cell in cells):
        found.insert(0, f"{left_out} of {places} runs could not be measured and are in no figure below.")
    if len(results.code_versions) > 1:
        listed = ", ".join(f"{version} ({count})" for version, count in sorted(results.code_versions.items()))
        found.append(f"The runs were made by more than one version of the lab: {listed}.")
    estimated = sum(cell.total.estimated for cell in cells)
    if estimated:
        found.append(f"Token counts of {estimated} calls were estimated: the engine reported none.")
    if stored := sum(cell.total.stored for cell in cells):
        calls = sum(cell.total.calls for cell in cells)
        found.append(
            f"{stored} of {calls} answers were stored ones, asked for in an earlier run: these calls are no new draws, "
            "and their time and cost are those of the first time."
        )
    if len({cell.currency for cell in cells if cell.currency}) > 1:
        found.append("The cells' costs are in different currencies and cannot be compared.")
    return found
