"""A report as files: JSON with everything, CSV with a row a run."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from solver.campaigns.measures import RunMeasures
from solver.campaigns.models import Campaign, CampaignCell, CampaignRun
from solver.campaigns.report import Against, CellReport, Report
from solver.campaigns.results import cost

FORMAT = "mapcoder-lite-lab/campaign-report/1"
RUN_COLUMNS = (
    *(
        "cell",
        "strategy",
        "engine",
        "language",
        "problem",
        "problem_digest",
        "unit",
        "seed",
        "state",
        "reason",
    ),
    *("run", "verdict", "origin", "first_samples", "first_hidden", "programs_tested"),
    *("calls", "prompt_tokens", "completion_tokens", "model_seconds", "judge_seconds"),
    *("format_failures", "rescued", "cost", "stated_confidence"),
)


def report_dict(report: Report) -> dict[str, Any]:
    campaign = report.campaign
    return {
        "format": FORMAT,
        "campaign": {
            "id": campaign.pk,
            "name": campaign.name,
            "status": campaign.status,
            "spec": campaign.spec,
            "spec_digest": campaign.spec_digest,
            "code_version": campaign.code_version,
            "created_at": campaign.created_at.isoformat(),
            "finished_at": campaign.finished_at.isoformat() if campaign.finished_at else None,
        },
        "complete": report.complete,
        "notes": report.notes,
        "left_out_duplicates": campaign.left_out,
        "code_versions": report.code_versions,
        "spent": report.spent,
        "baseline": report.baseline.name,
        "cells": [_cell(cell) for cell in report.cells],
        "against_baseline": [_against(against) for against in report.against],
        "against_the_cell_before": [_against(step) for step in report.steps],
        "breakdowns": [asdict(breakdown) for breakdown in report.breakdowns],
    }


def _cell(found: CellReport) -> dict[str, Any]:
    cell = found.cell
    return {
        "name": cell.name,
        "strategy": cell.strategy,
        "params": cell.params,
        "engine": cell.engine,
        "adapters": cell.adapters,
        "constrained": cell.constrained,
        "language": cell.language,
        "price": cell.price,
        "runs": found.runs,
        "distinct_problems": found.problems,
        "solved_runs": found.solved_runs,
        "not_measured": found.not_measured,
        "open": found.open,
        "pass_at": {str(at.k): {**asdict(at.estimate), "left_out": at.left_out} for at in found.pass_at},
        "outcomes": {outcome.value: count for outcome, count in found.outcomes.items()},
        "solved_by_first_program": asdict(found.first_try),
        "solved_after_debugging": asdict(found.repaired),
        "first_program_passed_samples": {"passed": found.first_samples[0], "of": found.first_samples[1]},
        "roles": {
            role.role: {
                **asdict(role.measured),
                "format_failures": role.failures,
                "affected_runs": asdict(role.affected),
            }
            for role in found.roles
        },
        "stated_confidence": asdict(found.confidence) if found.confidence else None,
        "per_problem": {
            "calls": asdict(found.calls),
            "tokens": asdict(found.tokens),
            "model_seconds": asdict(found.model_seconds),
            "cost": asdict(found.cost) if found.cost else None,
        },
        "total": {
            **asdict(found.total),
            "judge_seconds": found.judge_seconds,
            "cost": _amount(found.total_cost),
        },
    }


def _amount(cost: Decimal | None) -> str | None:
    return None if cost is None else f"{cost:f}"


def _against(found: Against) -> dict[str, Any]:
    comparison = found.comparison
    return {
        "cell": found.cell.name,
        "against": found.other.name,
        **{
            name: getattr(comparison, name)
            for name in ("common", "both", "neither", "only_first", "only_second")
        },
        "won": len(comparison.won),
        "lost": len(comparison.lost),
        "mcnemar": asdict(comparison.test),
        "holm_p": found.adjusted_p,
        "difference": asdict(comparison.points.estimate),
    }


def run_rows(campaign: Campaign) -> Iterator[list[Any]]:
    """The header, then one row a place of the grid, measured or not, in the order of work."""
    yield list(RUN_COLUMNS)
    cells = {cell.pk: cell for cell in CampaignCell.objects.filter(campaign=campaign)}
    slots = CampaignRun.objects.filter(campaign=campaign).order_by("position")
    columns = slots.values_list(
        *("cell", "entry__problem__external_id", "entry__problem__digest", "entry__unit", "seed"),
        *("state", "reason", "run", "run__verdict", "measures"),
        *("run__cost", "run__saved", "run__currency", "run__calls", "run__priced_calls"),
    )
    for row in columns.iterator():
        pk, problem, digest, unit, seed, state, reason, run, verdict, measures, *money = row
        cell = cells[pk]
        yield [
            *(cell.name, cell.strategy, cell.engine_name, cell.language, problem, digest, unit, seed),
            *(state, reason, run, verdict),
            *(_measured(cell, RunMeasures.from_dict(measures), money) if measures else [None] * 13),
        ]


def _measured(cell: CampaignCell, measures: RunMeasures, money: list[Any]) -> list[Any]:
    whole = measures.whole()
    worth = cost(whole, cell.price, *money)
    return [
        *(measures.origin.value, measures.first_samples, measures.first_hidden, measures.programs_tested),
        *(whole.calls, whole.prompt_tokens, whole.completion_tokens, round(whole.seconds, 4)),
        *(
            measures.judge_seconds,
            whole.format_failures,
            whole.rescued,
            _amount(worth.amount if worth else None),
            measures.stated,
        ),
    ]


class _Line:
    """A file for `csv.writer` that hands each line on instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def csv_lines(rows: Iterable[list[Any]]) -> Iterator[str]:
    writer = csv.writer(_Line())
    for row in rows:
        yield writer.writerow([_plain(value) for value in row])


def _plain(value: Any) -> Any:
    """Names come from anywhere; a spreadsheet must not take one for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"} else value
