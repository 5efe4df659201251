"""What an ended run means for its place of the grid: measured, tried again, or counted as not measured.

A model that answers badly, writes no program or runs out of its context or budget was measured: it did not solve the
problem. An engine that was away, a judge that failed and a cancelled run say nothing about the model.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.timezone import now

from solver.campaigns.measures import measure
from solver.campaigns.models import Campaign, CampaignRun, CampaignStatus, SlotState
from solver.engines.protocol import ContextOverflow, EngineUnreachable
from trajectories import eventlog
from trajectories.models import Run, RunStatus

_FIRST_WAIT = timedelta(seconds=5)
_LONGEST_WAIT = timedelta(minutes=5)
# The reason at an active place whose campaign was resumed before its run had stopped.
CANCEL_WITHDRAWN = "cancel_withdrawn"


@dataclass(frozen=True, slots=True)
class Meaning:
    """`again`: the run is worth another try, if tries are left."""

    state: SlotState
    reason: str = ""
    again: bool = False


def meaning(run: Run) -> Meaning:
    """Of an ended run."""
    if run.status == RunStatus.FINISHED:
        if run.verdict == "IE":
            return Meaning(SlotState.NOT_MEASURED, "judge_error")
        return Meaning(SlotState.MEASURED)
    if run.status == RunStatus.CANCELLED:
        return Meaning(SlotState.NOT_MEASURED, "cancelled")
    if run.reason == ContextOverflow.code:
        return Meaning(SlotState.MEASURED, run.reason)
    return Meaning(SlotState.NOT_MEASURED, run.reason, again=run.reason == EngineUnreachable.code)


def settle(campaign: Campaign) -> int:
    """Settle every active place whose run has ended; returns how many changed. Safe to run many times at once."""
    ended = [RunStatus.FINISHED, RunStatus.CANCELLED, RunStatus.FAILED]
    active = CampaignRun.objects.filter(campaign=campaign, state=SlotState.ACTIVE, run__status__in=ended)
    return sum(settle_one(campaign, slot) for slot in active.select_related("run"))


def settle_one(campaign: Campaign, slot: CampaignRun) -> bool:
    run = slot.run
    assert run is not None and run.ended
    if run.status == RunStatus.CANCELLED and slot.reason == CANCEL_WITHDRAWN:
        again = CampaignRun.objects.filter(pk=slot.pk, run=run, state=SlotState.ACTIVE)
        return bool(again.update(state=SlotState.WAITING, reason=""))
    found = meaning(run)
    if found.again and campaign.status != CampaignStatus.CANCELLED:
        if slot.retry_at is not None:
            return False  # its next try is due later
        if slot.retries + 1 < campaign.tries:
            return _schedule_retry(slot)
    # A settled place is settled again when a person has retried its run on the run's own page.
    unsettled = CampaignRun.objects.filter(pk=slot.pk, run=run).exclude(state=SlotState.WAITING)
    return bool(
        unsettled.update(
            state=found.state,
            reason=found.reason,
            retry_at=None,
            measures=measure(eventlog.read_all(run.pk)).to_dict(),
        )
    )


def _schedule_retry(slot: CampaignRun) -> bool:
    """Note when to try again; `execution` does it. Nothing to do where that was noted before."""
    waiting = CampaignRun.objects.filter(
        pk=slot.pk, state=SlotState.ACTIVE, retry_at=None, retries=slot.retries
    )
    return bool(waiting.update(retry_at=_retry_at(slot.retries), retries=slot.retries + 1))


def _retry_at(retries: int) -> datetime:
    wait: timedelta = _FIRST_WAIT * 4**retries
    return now() + min(_LONGEST_WAIT, wait)
