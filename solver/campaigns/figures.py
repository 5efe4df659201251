"""The drawings and lists of the campaign pages, from reports and results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString

from solver.benchmarks.interval import Estimate
from solver.campaigns import charts
from solver.campaigns.models import CampaignCell
from solver.campaigns.report import CellReport, Report
from solver.campaigns.scoring import OUTCOME_WORDS, Outcome, Result, share
from trajectories.models import Problem


def draw(report: Report) -> dict[str, SafeString]:
    return {"pass_at_1": _pass_at_1(report), "outcomes": _outcomes(report), "formats": _formats(report)}


def _pass_at_1(report: Report) -> SafeString:
    base = next(found for found in report.cells if found.cell.pk == report.baseline.pk)
    rows = [(found.cell.name, found.pass_at_1) for found in report.cells]
    dashed = base.pass_at_1.value if base.pass_at_1.n and len(rows) > 1 else None
    return charts.intervals(rows, "pass@1 of each cell with its 95 % interval", dashed)


def _outcomes(report: Report) -> SafeString:
    rows = [(found.cell.name, _outcome_parts(found)) for found in report.cells]
    return charts.stacked(rows, "how the measured runs of each cell ended")


def _outcome_parts(found: CellReport) -> list[tuple[str, str, int]]:
    return [(f"o-{outcome}", OUTCOME_WORDS[outcome], found.outcomes[outcome]) for outcome in Outcome]


def _formats(report: Report) -> SafeString:
    """Answers refused by the strict parser, a bar a cell and role that had any."""
    rows = [
        (
            f"{found.cell.name} · {role.role}" if len(report.cells) > 1 else role.role,
            [("f-rescued", "rescued", role.measured.rescued), ("f-lost", "unusable", role.unusable)],
        )
        for found in report.cells
        for role in found.roles
        if role.failures
    ]
    most = max((sum(count for _, _, count in parts) for _, parts in rows), default=1)
    return charts.stacked(rows, "format failures by cell and agent", most) if rows else SafeString()


# -- two cells


@dataclass(frozen=True, slots=True)
class Discordant:
    """A problem that one of two cells solves more often, with the runs of both."""

    title: str
    problem: int
    first: list[tuple[int, str]]  # run, verdict
    second: list[tuple[int, str]]


def discordant(units: Sequence[str], first: Sequence[Result], second: Sequence[Result]) -> list[Discordant]:
    problems: dict[str, int] = {}
    for result in first:
        problems.setdefault(result.unit, result.problem)
    wanted = {problems[unit]: unit for unit in units}
    titles = dict(Problem.objects.filter(pk__in=wanted).values_list("pk", "title"))
    return [Discordant(titles[pk], pk, _runs(first, pk), _runs(second, pk)) for pk in wanted]


def _runs(results: Sequence[Result], problem: int) -> list[tuple[int, str]]:
    return [(result.run, result.verdict) for result in results if result.problem == problem]


@dataclass(frozen=True, slots=True)
class Rate:
    cell: CampaignCell
    runs: int
    estimate: Estimate


def rates(
    first: CampaignCell, one: Sequence[Result], second: CampaignCell, other: Sequence[Result]
) -> list[Rate]:
    """On the common problems only: what the comparison is about."""
    common = {result.problem for result in one} & {result.problem for result in other}
    found = []
    for cell, results in ((first, one), (second, other)):
        inside = [result for result in results if result.problem in common]
        found.append(Rate(cell, len(inside), share(inside, lambda result: result.solved)))
    return found


# Settings that belong together: a strategy brings its own parameters, an engine its own models.
_CAUSES = (("strategy", ("strategy", "parameter ")), ("model", ("engine", "model for ")))


def causes(differs: Sequence[tuple[str, Any, Any]]) -> list[str]:
    """How many independent things the differing settings are."""
    found = (
        next((cause for cause, starts in _CAUSES if name.startswith(starts)), name) for name, _, _ in differs
    )
    return list(dict.fromkeys(found))


def differences(first: CampaignCell, second: CampaignCell) -> list[tuple[str, Any, Any]]:
    """Every setting in which two cells differ: a difference in more than one is not one cause."""
    settings = [
        {
            "strategy": cell.strategy,
            "language": cell.language,
            "engine": cell.engine_name,
            "engine settings": cell.engine.get("digest", "")[:12],
            **{
                f"parameter {name}": value
                for name, value in sorted(cell.params.items())
                if name != "language"
            },
            "decoding": "constrained" if cell.constrained else "free",
            **{f"model for {role}": model for role, model in cell.engine.get("roles", {}).items()},
            "judge profile": cell.campaign.spec["judge_profile"],
            "seeds": ", ".join(map(str, cell.campaign.spec["seeds"])),
            "code": cell.campaign.code_version,
        }
        for cell in (first, second)
    ]
    names = dict.fromkeys([*settings[0], *settings[1]])
    return [
        (name, settings[0].get(name, "not set"), settings[1].get(name, "not set"))
        for name in names
        if settings[0].get(name) != settings[1].get(name)
    ]
