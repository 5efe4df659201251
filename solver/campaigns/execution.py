"""Keeping a campaign going: settle what has ended, start what fits, finish when nothing is left.

`advance` may be called by anybody at any time, twice at once or never: the rows say what there is to do. It runs after
each finished run and from the reaper, so a campaign goes on after `kill -9` of everything. 1. Settle ended runs, each by
a guarded UPDATE. 2. Under the campaign's row lock: retry what is due, then start waiting places while fewer than
`at_once` are active. A place's run is found again by its idempotency key, so no crash makes two.
"""

from __future__ import annotations

import logging
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.utils.timezone import now

from solver import engine_book, runs
from solver.campaigns import plan
from solver.campaigns.models import Campaign, CampaignCell, CampaignRun, CampaignStatus, SlotState
from solver.campaigns.settlement import settle, settle_one
from solver.engines.protocol import EngineRefused
from solver.engines.spec import EngineSpec
from trajectories.models import Run, RunStatus

log = logging.getLogger(__name__)
# Another try of such a run would end the same way; the place needs a new one.
_BEYOND_RETRY = {"diverged", "engine_refused"}


class CannotGoOn(Exception):
    """The campaign must wait for a person: `reason` is a code, the message says what to do."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def run_ended(run_id: int, *, publish_to_workers: bool = True) -> None:
    """To be called when a worker has left a run; does nothing for runs of no campaign."""
    slot = CampaignRun.objects.select_related("run", "campaign").filter(run=run_id).first()
    if slot is None or slot.run is None or not slot.run.ended:
        return
    if slot.state == SlotState.NOT_MEASURED or _has_gone_on(slot, slot.run):
        settle_one(slot.campaign, slot)
    advance(slot.campaign_id, publish_to_workers=publish_to_workers)


def _has_gone_on(slot: CampaignRun, run: Run) -> bool:
    """A person may retry a run that was measured as failed, one whose prompt did not fit, say."""
    return slot.state == SlotState.MEASURED and (slot.measures or {}).get("last_seq") != run.last_seq


def tick() -> None:
    """The reaper's part: campaigns whose next step nobody is going to take otherwise."""
    for pk in Campaign.objects.filter(status=CampaignStatus.RUNNING).values_list("pk", flat=True):
        advance(pk)
    ending = CampaignRun.objects.filter(
        state=SlotState.ACTIVE, campaign__status__in=[CampaignStatus.PAUSED, CampaignStatus.CANCELLED]
    )
    for pk in ending.order_by().values_list("campaign", flat=True).distinct():
        advance(pk)


def advance(campaign_id: int, *, publish_to_workers: bool = True) -> None:
    campaign = Campaign.objects.get(pk=campaign_id)
    if campaign.status == CampaignStatus.CANCELLED:
        _cancel_active(campaign_id)
    settle(campaign)
    plan.warm_up()
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update().get(pk=campaign_id)
        if campaign.live:
            try:
                _retry_due(campaign)
                _top_up(campaign, publish_to_workers)
            except CannotGoOn as stop:
                Campaign.objects.filter(pk=campaign_id).move(
                    CampaignStatus.PAUSED, reason=stop.reason, message=str(stop)
                )
        _finish(campaign)


def _cancel_active(campaign_id: int) -> None:
    """Under the campaign's row lock: who resumes it waits, and withdraws what was asked, or was faster and nothing is."""
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update().get(pk=campaign_id)
        if campaign.status != CampaignStatus.CANCELLED:
            return
        active = CampaignRun.objects.filter(campaign=campaign, state=SlotState.ACTIVE, run__isnull=False)
        for run_id in active.values_list("run", flat=True):
            if run_id is not None:
                runs.cancel(run_id)


def _retry_due(campaign: Campaign) -> None:
    due = CampaignRun.objects.filter(campaign=campaign, state=SlotState.ACTIVE, retry_at__lte=now())
    for slot in due:
        assert slot.run_id is not None
        CampaignRun.objects.filter(pk=slot.pk).update(retry_at=None)
        runs.retry(slot.run_id)  # False if a person was faster: the run is on its way already


def _top_up(campaign: Campaign, publish_to_workers: bool) -> None:
    slots = CampaignRun.objects.filter(campaign=campaign)
    room = campaign.at_once - slots.filter(state=SlotState.ACTIVE).count()
    if room <= 0:
        return
    waiting = slots.filter(state=SlotState.WAITING).order_by("position")
    chosen = list(waiting.select_related("cell", "entry__problem", "run")[:room])
    if not chosen:
        return
    check_budget(campaign)
    for cell in {slot.cell for slot in chosen}:
        _check_engine(cell)
    for slot in chosen:
        _begin(campaign, slot, publish_to_workers)


def spent(campaign: Campaign) -> dict[str, float]:
    """Calls, tokens, seconds of model time and money paid of every run of the campaign, replaced ones included."""
    of_slots = CampaignRun.objects.filter(campaign=campaign, run__isnull=False)
    replaced = [
        run for earlier in of_slots.exclude(earlier=[]).values_list("earlier", flat=True) for run in earlier
    ]
    total = {"calls": 0.0, "tokens": 0.0, "model_seconds": 0.0, "cost": 0.0, "saved": 0.0}
    for found in (Run.objects.filter(campaign_slot__campaign=campaign), Run.objects.filter(pk__in=replaced)):
        sums = found.aggregate(
            calls=Sum("calls"),
            prompt=Sum("prompt_tokens"),
            completion=Sum("completion_tokens"),
            s=Sum("model_seconds"),
            cost=Sum("cost"),
            saved=Sum("saved"),
        )
        total["calls"] += sums["calls"] or 0
        total["tokens"] += (sums["prompt"] or 0) + (sums["completion"] or 0)
        total["model_seconds"] += sums["s"] or 0.0
        total["cost"] += float(sums["cost"] or 0)
        total["saved"] += float(sums["saved"] or 0)
    return total


BUDGET_WORDS = {
    "calls": "model calls",
    "tokens": "tokens",
    "model_seconds": "seconds of model time",
    "cost": "units of money",
}


def _figure(name: str, value: float) -> str:
    return f"{value:,.4f}" if name == "cost" else f"{value:,.0f}"


def check_budget(campaign: Campaign) -> None:
    """Raises CannotGoOn once a limit is reached. Runs already started go on: their answers are paid for."""
    limits = {name: limit for name, limit in campaign.budget.items() if limit is not None}
    if not limits:
        return
    used = spent(campaign)
    for name, limit in limits.items():
        if used[name] >= limit:
            raise CannotGoOn(
                "budget",
                f"The budget of {_figure(name, limit)} {BUDGET_WORDS[name]} is used up ({_figure(name, used[name])}); "
                "raise it to go on, or cancel the rest.",
            )


def _check_engine(cell: CampaignCell) -> None:
    """All runs of a cell must be answered by the same engine, adapters included."""
    try:
        spec = engine_book.get_described(cell.engine_name)
    except LookupError as error:
        raise CannotGoOn(
            "engine_gone", f"Cell {cell.name!r}: {error}. Configure it again, then resume."
        ) from None
    if _copy(spec, cell) != cell.engine:
        raise CannotGoOn(
            "engine_changed",
            f"Engine {cell.engine_name!r} is not what it was when this campaign started (settings or adapter weights "
            "differ). Restore it and resume, or start a new campaign: two engines must not share a column.",
        )


def _copy(spec: EngineSpec, cell: CampaignCell) -> dict[str, Any] | None:
    """The engine as a run of this cell would keep it now; None where an adapter of the cell is gone."""
    try:
        return engine_book.copy_for_run(spec, cell.engine["roles"], constrained=cell.constrained)
    except EngineRefused:
        return None


def _begin(campaign: Campaign, slot: CampaignRun, publish_to_workers: bool) -> None:
    """Give a waiting place its run: the one it had, going on after its last finished step, or a new one."""
    if slot.run is None or not _goes_on(slot.run):
        if slot.run is not None:
            slot.earlier = [*slot.earlier, slot.run.pk]
        slot.run = _start(campaign, slot, publish_to_workers)
    slot.state = SlotState.ACTIVE
    slot.reason, slot.retry_at = "", None
    slot.save(update_fields=["run", "state", "earlier", "reason", "retry_at"])


def _goes_on(run: Run) -> bool:
    """Whether the run is under way now, by us or by a person who was faster."""
    if run.ended and run.reason not in _BEYOND_RETRY:
        runs.retry(run.pk)
    return Run.objects.filter(pk=run.pk, status__in=[RunStatus.QUEUED, RunStatus.RUNNING]).exists()


def _start(campaign: Campaign, slot: CampaignRun, publish_to_workers: bool) -> Run:
    cell = slot.cell
    try:
        return runs.start(
            slot.entry.problem,
            engine=cell.engine_name,
            strategy=cell.strategy,
            params={name: value for name, value in cell.params.items() if name != "language"},
            seed=slot.seed,
            language=cell.language,
            judge_profile=campaign.spec["judge_profile"],
            models=cell.engine["roles"],  # what was promoted since the start answers other runs
            ask_anew=bool(campaign.spec.get("ask_anew")),
            constrained=cell.constrained,
            request_id=slot.request_id,
            created_by=campaign.created_by,
            publish_to_workers=publish_to_workers,
        )
    except runs.StartRefused as error:
        raise CannotGoOn(
            "refused", f"Cell {cell.name!r}, {slot.entry.problem.external_id}: {error}"
        ) from None


def _finish(campaign: Campaign) -> None:
    left = CampaignRun.objects.filter(campaign=campaign, state__in=[SlotState.WAITING, SlotState.ACTIVE])
    if campaign.status in {CampaignStatus.RUNNING, CampaignStatus.PAUSED} and not left.exists():
        Campaign.objects.filter(pk=campaign.pk).move(
            CampaignStatus.FINISHED, reason="", message="", finished_at=now()
        )


def claimable(campaign_id: int) -> list[int]:
    """Runs of this campaign that a worker in this process could take now, in order."""
    mine = Run.objects.claimable().filter(
        campaign_slot__campaign=campaign_id, campaign_slot__state=SlotState.ACTIVE
    )
    return list(mine.order_by("campaign_slot__position").values_list("pk", flat=True)[:64])


def in_flight(campaign_id: int) -> bool:
    mine = Run.objects.filter(campaign_slot__campaign=campaign_id)
    return mine.filter(status__in=[RunStatus.QUEUED, RunStatus.RUNNING]).exists()
