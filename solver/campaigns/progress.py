"""How far a campaign is, and when it may be done, with what that guess stands on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q
from django.utils.timezone import now

from solver.campaigns.models import Campaign, CampaignRun, SlotState
from trajectories.models import Run, RunStatus

RECENT = 20
ENOUGH = 3


@dataclass(frozen=True, slots=True)
class Eta:
    """`seconds` None: not known; `basis` then says why."""

    seconds: float | None
    basis: str


@dataclass(frozen=True, slots=True)
class Progress:
    places: int
    measured: int
    solved: int
    not_measured: int
    running: int
    queued: int
    retrying: int
    waiting: int
    eta: Eta

    @property
    def settled(self) -> int:
        return self.measured + self.not_measured


def read(campaign: Campaign) -> Progress:
    active, measured = Q(state=SlotState.ACTIVE), Q(state=SlotState.MEASURED)
    counts = CampaignRun.objects.filter(campaign=campaign).aggregate(
        places=Count("pk"),
        measured=Count("pk", filter=measured),
        solved=Count("pk", filter=measured & Q(run__verdict="AC")),
        not_measured=Count("pk", filter=Q(state=SlotState.NOT_MEASURED)),
        running=Count("pk", filter=active & Q(run__status=RunStatus.RUNNING)),
        queued=Count("pk", filter=active & Q(run__status=RunStatus.QUEUED)),
        retrying=Count("pk", filter=active & Q(retry_at__isnull=False)),
        waiting=Count("pk", filter=Q(state=SlotState.WAITING)),
    )
    left = counts["places"] - counts["measured"] - counts["not_measured"]
    return Progress(**counts, eta=_eta(campaign, left))


def _eta(campaign: Campaign, left: int) -> Eta:
    if not left:
        return Eta(0.0, "nothing is left")
    if not campaign.live:
        return Eta(None, f"the campaign is {campaign.get_status_display().lower()}")
    ended = Run.objects.filter(campaign_slot__campaign=campaign, finished_at__isnull=False)
    moments = ended.order_by("-finished_at").values_list("finished_at", flat=True)[:RECENT]
    return estimate([moment for moment in moments if moment is not None], left, now())


def estimate(ended: list[datetime], left: int, moment: datetime) -> Eta:
    """From when the latest runs ended, newest first. A stall lowers the rate: time counts until `moment`."""
    if len(ended) < ENOUGH:
        return Eta(None, f"known after {ENOUGH} finished runs")
    span = max(moment - ended[-1], timedelta(milliseconds=1)).total_seconds()
    rate = (len(ended) - 1) / span
    return Eta(left / rate, f"from the last {len(ended)} runs, {rate * 60:.1f} a minute")
