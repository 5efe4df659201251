"""Does an adapter help? A campaign on problems it did not learn from, read paired: the base and the base with it; and where
adapters serve already, what serves now and the same with the new ones in their places.

No problem is taken that anything compared has learned from: the adapters, those that DPO started them from, and those that
serve now, which would be flattered. Another version of such a problem, or a copy of it, is such a problem.

Cells, in this order: the base, the adapters on the base, what serves now, what would serve after promoting them all. The last
two are left out where they would repeat others.
"""

from __future__ import annotations

import logging
import random
import uuid
from collections.abc import Sequence
from datetime import timedelta
from itertools import islice
from typing import Any

from django.db import transaction
from django.utils.timezone import now

from solver import engine_book
from solver.campaigns import lifecycle, report
from solver.campaigns.models import Campaign, CampaignStatus
from solver.campaigns.selection import keys_of
from solver.campaigns.spec import BadCampaign, read_data
from solver.models import ServedAdapter
from training.adapter_models import AdapterState
from training.models import Adapter, AdapterEvaluation, DatasetRow, ExampleState, TrainingRun
from training.run_models import TrainingStatus
from trajectories.models import Problem

PROBLEMS = 60
ALPHA = 0.05
CATCH_UP = timedelta(days=1)  # an outage of a night loses no evaluation
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
    """Try the adapters together against the base of their engine and against what it serves now. The same `request_id`
    starts one. Raises CannotEvaluate."""
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
    """Problems that nothing compared has learned from, the same for the same seed."""
    found = Problem.objects.current().filter(test_kind="stdio")
    if engine in _MADE_FOR:
        found = found.filter(source=_MADE_FOR[engine])
    active = ServedAdapter.objects.filter(engine=engine, active=True)
    serving = Adapter.objects.filter(digest__in=active.values("digest"))
    learned = _learned({adapter.pk for adapter in (*adapters, *serving)})
    known = {problem.external_id for problem in learned}
    fresh = [problem for problem in found.order_by("external_id") if problem.external_id not in known]
    random.Random(seed).shuffle(fresh)
    copied = {key for _, keys in keys_of(learned) for key in keys}
    apart = (problem.external_id for problem, keys in keys_of(fresh) if copied.isdisjoint(keys))
    ids = sorted(islice(apart, count))
    if len(ids) < 2:
        raise CannotEvaluate(
            "The lab holds fewer than two problems that these adapters, or what serves now, were not trained on; import some "
            "first."
        )
    return ids


def _learned(adapters: set[int]) -> list[Problem]:
    """The problems of every dataset version that the adapters were trained on, and those before them whose training they
    went on from."""
    whole, last = set(adapters), set(adapters)
    while last:
        before = TrainingRun.objects.filter(adapter__in=last).exclude(started_from=None)
        last = set(before.values_list("started_from", flat=True)) - whole
        whole |= last
    versions = Adapter.objects.filter(pk__in=whole).exclude(dataset=None).values("dataset")
    rows = DatasetRow.objects.filter(version__in=versions).exclude(example__problem=None)
    return list(Problem.objects.filter(pk__in=rows.values("example__problem")))


def _campaign(adapters: Sequence[Adapter], engine: str, ids: list[str]) -> dict[str, Any]:
    spec = engine_book.get(engine)
    together = ", ".join(str(adapter) for adapter in adapters)
    new = {adapter.role: adapter.name for adapter in adapters}
    serving = engine_book.adapted_roles(spec)
    after = serving | new
    cells: list[tuple[str, dict[str, str]]] = [("base", {}), (together[:80], new)]
    if serving and serving != after:
        cells.append(("serving now", serving))
        if after != new:
            cells.append((f"serving now, with {together}"[:80], after))
    return {
        "name": f"{together} against base"[:120],
        "problems": {"ids": ids},
        "strategies": [{"name": "mapcoder", "params": engine_book.usual_params(spec)}],
        "models": [{"engine": engine, "adapters": roles, "label": label} for label, roles in cells],
    }


def settle() -> None:
    """Write down the results of evaluations whose campaign has finished; called by the reaper and by pages."""
    for made in AdapterEvaluation.objects.filter(
        result__isnull=True, campaign__status=CampaignStatus.FINISHED
    ):
        result = _result(made.campaign, [adapter.name for adapter in made.adapters.all()])
        if not result["n"]:
            continue  # measured again, its campaign may still tell something
        with transaction.atomic():
            AdapterEvaluation.objects.filter(pk=made.pk, result__isnull=True).update(result=result)
            ids = list(made.adapters.values_list("pk", flat=True))
            Adapter.objects.filter(pk__in=ids).move(AdapterState.EVALUATED)


def _result(campaign: Campaign, together: list[str]) -> dict[str, Any]:
    """Of the adapters against the base; `served` the same against what served when it was started, None where nothing else
    did."""
    told = report.build(campaign)
    result = {"together": together, **_compared(told, 1), "served": None}
    if len(told.cells) > 2:
        after = 3 if len(told.cells) > 3 else 1
        roles = told.cells[2].cell.engine["roles"]
        result["served"] = {"roles": roles, **_compared(report.build(campaign, baseline=2), after)}
    return result


def _compared(told: report.Report, cell: int) -> dict[str, Any]:
    """In percentage points, with the interval of the paired difference, and the exact McNemar test."""
    new = told.cells[cell]
    found = next(one.comparison for one in told.against if one.cell.pk == new.cell.pk)
    base = next(one for one in told.cells if one.cell.pk == told.baseline.pk)
    return {
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


def clearly_better(result: dict[str, Any]) -> bool:
    """Both must say so: the interval of the paired difference and the exact test, which is the stricter on few problems."""
    return bool(result["low"] > 0 and result["p"] < ALPHA)


def withdrawn_rows(adapter: Adapter) -> int:
    if adapter.dataset_id is None:
        return 0
    rows = DatasetRow.objects.filter(version=adapter.dataset_id, split="train")
    return rows.filter(example__state=ExampleState.WITHDRAWN).count()
