"""Does an adapter help? The base and the base with it, on the same problems: a campaign of two cells, read paired."""

from __future__ import annotations

import logging
import random
import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils.timezone import now

from solver import engine_book
from solver.campaigns import lifecycle, report
from solver.campaigns.models import Campaign, CampaignStatus
from solver.campaigns.spec import BadCampaign, read_data
from training.adapter_models import AdapterState
from training.models import Adapter, AdapterEvaluation, DatasetRow, ExampleState, TrainingRun
from training.run_models import TrainingStatus
from trajectories.models import Problem

PROBLEMS = 60
CATCH_UP = timedelta(minutes=10)
log = logging.getLogger(__name__)
_MADE_FOR = {engine_book.MICRO: "micro"}  # elsewhere the micro model's answers are no measure


class CannotEvaluate(ValueError):
    """The message says what is missing."""


def start(
    adapters: Sequence[Adapter],
    *,
    problems: int = PROBLEMS,
    seed: int = 1,
    request_id: str = "",
    created_by: str = "",
    publish_to_workers: bool = True,
) -> AdapterEvaluation:
    """Try the adapters together against the base of their engine. The same `request_id` starts one. Raises CannotEvaluate."""
    request_id = request_id or uuid.uuid4().hex
    engines = {adapter.engine for adapter in adapters}
    if len(engines) != 1:
        raise CannotEvaluate("Adapters that are tried together must be served by one engine.")
    if len({adapter.role for adapter in adapters}) < len(adapters):
        raise CannotEvaluate("Two adapters of one role cannot be tried together; choose one a role.")
    if known := AdapterEvaluation.objects.filter(campaign__request_id=request_id).first():
        return known
    engine = engines.pop()
    ids = _problems(adapters, engine, problems, seed)
    try:
        spec = read_data(_campaign(adapters, engine, ids))
        campaign = lifecycle.start(
            spec, request_id=request_id, created_by=created_by, publish_to_workers=publish_to_workers
        )
    except BadCampaign as error:
        raise CannotEvaluate(str(error)) from None
    with transaction.atomic():
        made, new = AdapterEvaluation.objects.get_or_create(campaign=campaign)
        if new:
            made.adapters.set(adapters)
    return made


def after_training(run: TrainingRun) -> AdapterEvaluation | None:
    """What a finished run starts by itself: its adapter against the base, those of a recipe together once all are there.

    The request is named by what was trained, so it does not matter how often this is called.
    """
    problems = int(run.spec.get("evaluate", 0))
    runs = [run] if not run.recipe else list(TrainingRun.objects.filter(recipe=run.recipe))
    if not problems or any(one.status != TrainingStatus.FINISHED or one.adapter is None for one in runs):
        return None
    adapters = [one.adapter for one in runs if one.adapter is not None]
    name = f"trained-{run.recipe or run.pk}"[:64]
    try:
        return start(adapters, problems=problems, request_id=name, created_by=run.created_by)
    except CannotEvaluate as error:
        log.warning("training run %s: its adapter is not evaluated: %s", run.pk, error)
        return None


def catch_up() -> None:
    """Evaluations that a kill between a run's end and their start has left out."""
    lately = now() - CATCH_UP
    ended = TrainingRun.objects.filter(
        status=TrainingStatus.FINISHED, finished_at__gt=lately, adapter__evaluations__isnull=True
    )
    for run in ended.select_related("adapter"):
        after_training(run)


def _problems(adapters: Sequence[Adapter], engine: str, count: int, seed: int) -> list[str]:
    """Problems that none of the adapters was trained on, the same for the same seed."""
    found = Problem.objects.current().filter(test_kind="stdio")
    if engine in _MADE_FOR:
        found = found.filter(source=_MADE_FOR[engine])
    seen = DatasetRow.objects.filter(
        version__in=[adapter.dataset_id for adapter in adapters if adapter.dataset_id]
    )
    found = found.exclude(pk__in=seen.exclude(example__problem=None).values("example__problem"))
    ids = list(found.order_by("external_id").values_list("external_id", flat=True))
    if len(ids) < 2:
        raise CannotEvaluate(
            "The lab holds fewer than two problems that these adapters were not trained on; import some first."
        )
    random.Random(seed).shuffle(ids)
    return sorted(ids[:count])


def _campaign(adapters: Sequence[Adapter], engine: str, ids: list[str]) -> dict[str, Any]:
    spec = engine_book.get(engine)
    together = ", ".join(str(adapter) for adapter in adapters)
    return {
        "name": f"{together} against base"[:120],
        "problems": {"ids": ids},
        "strategies": [{"name": "mapcoder", "params": engine_book.usual_params(spec)}],
        "models": [
            {"engine": engine, "adapters": {}, "label": "base"},
            {
                "engine": engine,
                "adapters": {adapter.role: adapter.name for adapter in adapters},
                "label": together[:80],
            },
        ],
    }


def settle() -> None:
    """Write down the results of evaluations whose campaign has finished; called by the reaper and by pages."""
    for made in AdapterEvaluation.objects.filter(
        result__isnull=True, campaign__status=CampaignStatus.FINISHED
    ):
        result = _result(made.campaign, [adapter.name for adapter in made.adapters.all()])
        if result["n"]:
            AdapterEvaluation.objects.filter(pk=made.pk, result__isnull=True).update(result=result)
            ids = list(made.adapters.values_list("pk", flat=True))
            Adapter.objects.filter(pk__in=ids).move(AdapterState.EVALUATED)


def _result(campaign: Campaign, together: list[str]) -> dict[str, Any]:
    """In percentage points, with the interval of the paired difference, and the exact McNemar test."""
    told = report.build(campaign)
    base, new = told.cells
    found = told.against[0].comparison
    return {
        "together": together,
        "n": found.common,
        "won": len(found.won),
        "lost": len(found.lost),
        "p": found.test.p,
        "points": 100 * found.points.estimate.value,
        "low": 100 * found.points.estimate.low,
        "high": 100 * found.points.estimate.high,
        "base": _cell(base),
        "new": _cell(new),
    }


def _cell(cell: report.CellReport) -> dict[str, Any]:
    return {
        "solved": _share(cell.pass_at_1),
        "first_try": _share(cell.first_try),
        "roles": {
            role.role: {
                "calls": role.measured.calls,
                "failures": role.failures,
                "affected": _share(role.affected),
            }
            for role in cell.roles
        },
    }


def _share(estimate: Any) -> dict[str, float]:
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high, "n": estimate.n}


def latest(adapter: Adapter) -> dict[str, Any] | None:
    """The newest result, or None."""
    done = AdapterEvaluation.objects.filter(adapters=adapter, result__isnull=False)
    result: dict[str, Any] | None = done.values_list("result", flat=True).first()
    return result


def withdrawn_rows(adapter: Adapter) -> int:
    if adapter.dataset_id is None:
        return 0
    rows = DatasetRow.objects.filter(version=adapter.dataset_id, split="train")
    return rows.filter(example__state=ExampleState.WITHDRAWN).count()
