"""Campaigns as verbs: start, pause, resume, cancel, measure again, raise the budget."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from itertools import count
from typing import Any

from django.db import IntegrityError, transaction

from solver.campaigns import execution
from solver.campaigns.models import (
    Campaign,
    CampaignCell,
    CampaignProblem,
    CampaignRun,
    CampaignStatus,
    SlotState,
)
from solver.campaigns.plan import Plan, plan
from solver.campaigns.settlement import CANCEL_WITHDRAWN
from solver.campaigns.spec import CampaignSpec, Limits, read_data
from trajectories.models import Run, RunStatus
from trajectories.version import code_version

_BATCH = 1000


def start(
    spec: CampaignSpec, *, request_id: str = "", created_by: str = "", publish_to_workers: bool = True
) -> Campaign:
    """Start a campaign. The same `request_id` again returns the one it started first. Raises BadCampaign."""
    request_id = request_id or uuid.uuid4().hex
    if known := Campaign.objects.filter(request_id=request_id).first():
        return known
    made = plan(spec)
    try:
        with transaction.atomic():
            campaign = _store(made, request_id, created_by)
    except IntegrityError:  # the same request arrived twice at once
        return Campaign.objects.get(request_id=request_id)
    execution.advance(campaign.pk, publish_to_workers=publish_to_workers)
    campaign.refresh_from_db()
    return campaign


def _store(made: Plan, request_id: str, created_by: str) -> Campaign:
    spec = made.spec
    campaign = Campaign.objects.create(
        name=spec.name,
        spec=spec.canonical(),
        spec_digest=spec.digest(),
        request_id=request_id,
        budget=spec.budget.model_dump(mode="json"),
        left_out=made.selection.left_out,
        warnings=made.warnings,
        created_by=created_by,
        code_version=code_version(),
    )
    cells = CampaignCell.objects.bulk_create(
        CampaignCell(
            campaign=campaign,
            position=position,
            name=cell.name,
            strategy=cell.strategy.info.name,
            params=cell.params,
            engine_name=cell.model.engine.name,
            engine=cell.engine_copy(),
            adapters=cell.model.choice.switches(),
            language=cell.language,
            price=cell.model.choice.price.model_dump() if cell.model.choice.price else None,
        )
        for position, cell in enumerate(made.cells)
    )
    entries = CampaignProblem.objects.bulk_create(
        (
            CampaignProblem(campaign=campaign, problem=chosen.problem, position=position, unit=chosen.unit)
            for position, chosen in enumerate(made.selection.chosen)
        ),
        batch_size=_BATCH,
    )
    CampaignRun.objects.bulk_create(_slots(campaign, cells, entries), batch_size=_BATCH)
    return campaign


def _slots(
    campaign: Campaign, cells: list[CampaignCell], entries: list[CampaignProblem]
) -> Iterator[CampaignRun]:
    """All cells of a problem before the next problem: whatever is done is comparable, whenever it stops."""
    position = count()
    for entry in entries:
        for seed in campaign.spec["seeds"]:
            for cell in cells:
                yield CampaignRun(
                    campaign=campaign, cell=cell, entry=entry, seed=seed, position=next(position)
                )


def pause(campaign_id: int) -> bool:
    """Start no further run; those under way end by themselves. False if the campaign was not running."""
    running = Campaign.objects.filter(pk=campaign_id)
    return running.move(CampaignStatus.PAUSED, reason="paused", message="Paused by hand.") == 1


def cancel(campaign_id: int) -> bool:
    """Start no further run and cancel those under way. False if it had ended."""
    ask = Campaign.objects.filter(pk=campaign_id)
    if not ask.move(CampaignStatus.CANCELLED, reason="cancelled", message="Cancelled by hand."):
        return False
    execution.advance(campaign_id)
    return True


def resume(campaign_id: int, *, publish_to_workers: bool = True) -> bool:
    """Go on with a paused or cancelled campaign; runs that a cancel cut off go on after their last finished step."""
    with transaction.atomic():
        stopped = Campaign.objects.filter(
            pk=campaign_id, status__in=[CampaignStatus.PAUSED, CampaignStatus.CANCELLED]
        )
        if not stopped.move(CampaignStatus.RUNNING, reason="", message="", finished_at=None):
            return False
        _withdraw_cancels(campaign_id)
        _wait_again(campaign_id, reason="cancelled")
    execution.advance(campaign_id, publish_to_workers=publish_to_workers)
    return True


def _withdraw_cancels(campaign_id: int) -> None:
    """Of runs that were asked to stop and have not ended yet. One whose worker has heard it ends as cancelled all the
    same; by the mark at its place that is no result (see `settlement`)."""
    going = [RunStatus.QUEUED, RunStatus.RUNNING]
    asked = CampaignRun.objects.filter(
        campaign=campaign_id, state=SlotState.ACTIVE, run__status__in=going, run__cancel_requested=True
    )
    asked_runs = list(asked.values_list("run", flat=True))
    asked.update(reason=CANCEL_WITHDRAWN)
    Run.objects.filter(pk__in=asked_runs, status__in=going).update(cancel_requested=False)


def measure_again(campaign_id: int, *, publish_to_workers: bool = True) -> int:
    """Give every place that could not be measured its tries again; returns how many there were."""
    with transaction.atomic():
        # Or it could be finished, by who sees none of these places wait, after it was found running here.
        Campaign.objects.select_for_update().get(pk=campaign_id)
        waiting = _wait_again(campaign_id)
        if not waiting:
            return 0
        Campaign.objects.filter(pk=campaign_id).move(
            CampaignStatus.RUNNING, reason="", message="", finished_at=None
        )
    execution.advance(campaign_id, publish_to_workers=publish_to_workers)
    return waiting


def _wait_again(campaign_id: int, **which: Any) -> int:
    given_up = CampaignRun.objects.filter(campaign=campaign_id, state=SlotState.NOT_MEASURED, **which)
    return given_up.update(state=SlotState.WAITING, reason="", retries=0, retry_at=None, measures=None)


def set_budget(campaign_id: int, given: dict[str, Any]) -> None:
    """Replace the limits; None takes one away. Raises BadCampaign."""
    campaign = Campaign.objects.get(pk=campaign_id)
    spec = read_data({**campaign.spec, "budget": {name: given.get(name) for name in Limits.model_fields}})
    Campaign.objects.filter(pk=campaign_id).update(budget=spec.budget.model_dump(mode="json"))


def under_way(campaign_id: int) -> int:
    """Runs queued or running: what a pause waits for."""
    active = CampaignRun.objects.filter(campaign=campaign_id, state=SlotState.ACTIVE)
    return active.filter(run__status__in=[RunStatus.QUEUED, RunStatus.RUNNING]).count()
