"""Campaigns as rows. A `CampaignRun` is one place of the grid (cell, problem, seed); the run that fills it is a link.

The event logs of the runs stay the truth. `CampaignRun.measures` is a projection of one run's log, written when the run
has ended (see `measures`), so that a report opens no event.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from trajectories import transitions
from trajectories.models import Problem, Run


class CampaignStatus(models.TextChoices):
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    FINISHED = "finished"


class CampaignQuerySet(models.QuerySet["Campaign"]):
    def move(self, to: CampaignStatus, **changes: Any) -> int:
        """Guarded transition: only campaigns in a state from which `to` is allowed move. Returns how many did."""
        return transitions.move(self, Campaign.MOVES, "status", to, changes)


class Campaign(models.Model):
    """`spec` is exact and never changes; `budget` starts as the spec's and may be raised by a person."""

    MOVES: ClassVar[dict[CampaignStatus, set[CampaignStatus]]] = {
        CampaignStatus.RUNNING: {CampaignStatus.PAUSED, CampaignStatus.CANCELLED, CampaignStatus.FINISHED},
        CampaignStatus.PAUSED: {CampaignStatus.RUNNING, CampaignStatus.CANCELLED, CampaignStatus.FINISHED},
        CampaignStatus.CANCELLED: {CampaignStatus.RUNNING},
        CampaignStatus.FINISHED: {CampaignStatus.RUNNING},  # to measure again what could not be measured
    }

    name = models.CharField(max_length=120)
    spec = models.JSONField()
    spec_digest = models.CharField(max_length=64, db_index=True)
    request_id = models.CharField(max_length=64, unique=True)
    budget = models.JSONField(default=dict)
    left_out = models.JSONField(default=list)  # duplicates: [{"id": ..., "same_as": ...}]
    warnings = models.JSONField(default=list)  # what was known at the start and a reader should know
    status = models.CharField(
        max_length=10, choices=CampaignStatus.choices, default=CampaignStatus.RUNNING, db_index=True
    )
    reason = models.CharField(max_length=32, blank=True)
    message = models.TextField(blank=True)
    created_by = models.CharField(max_length=150, blank=True)
    code_version = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = CampaignQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"campaign {self.pk}: {self.name}"

    @property
    def at_once(self) -> int:
        return int(self.spec["at_once"])

    @property
    def tries(self) -> int:
        return int(self.spec["engine_tries"])

    @property
    def live(self) -> bool:
        return self.status == CampaignStatus.RUNNING


class CampaignCell(models.Model):
    """One thing that is compared: a strategy with its parameters, a model set, a language."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="cells")
    position = models.PositiveIntegerField()
    name = models.CharField(max_length=200)
    strategy = models.CharField(max_length=32)
    params = models.JSONField(default=dict)
    engine_name = models.CharField(max_length=64)
    engine = models.JSONField(default=dict)  # the copy that every run of this cell must carry
    adapters = models.JSONField(default=dict)  # role -> on
    language = models.CharField(max_length=16)
    price = models.JSONField(null=True)  # {"input", "output": per million tokens, "currency"}

    class Meta:
        ordering = ["campaign", "position"]
        constraints = [models.UniqueConstraint(fields=["campaign", "position"], name="campaign_cell")]

    def __str__(self) -> str:
        return f"cell {self.name}"

    @property
    def constrained(self) -> bool:
        """Whether the answers of its runs are held to the grammars of their forms."""
        return bool(self.engine.get("constrained"))


class CampaignProblem(models.Model):
    """A problem of a campaign. Problems with the same `unit` are copies of one another and count once."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="entries")
    problem = models.ForeignKey(Problem, models.PROTECT, related_name="+")
    position = models.PositiveIntegerField()
    unit = models.CharField(max_length=200)

    class Meta:
        ordering = ["campaign", "position"]
        constraints = [models.UniqueConstraint(fields=["campaign", "problem"], name="campaign_problem")]
        indexes = [models.Index(fields=["campaign", "position"], name="campaign_problem_order")]

    def __str__(self) -> str:
        return f"problem {self.problem_id} of campaign {self.campaign_id}"


class SlotState(models.TextChoices):
    WAITING = "waiting"  # no run yet
    ACTIVE = "active"  # its run is queued, running, or waits to be tried again
    MEASURED = "measured"
    NOT_MEASURED = "not_measured"  # excluded from every figure, with its count shown


class CampaignRun(models.Model):
    """One place of the grid. `position` is the order of work: all cells of a problem before the next problem."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="slots")
    cell = models.ForeignKey(CampaignCell, models.CASCADE, related_name="slots")
    entry = models.ForeignKey(CampaignProblem, models.CASCADE, related_name="slots")
    seed = models.BigIntegerField()
    position = models.PositiveIntegerField()
    state = models.CharField(max_length=12, choices=SlotState.choices, default=SlotState.WAITING)
    reason = models.CharField(max_length=64, blank=True)  # why it was not measured
    retries = models.PositiveIntegerField(default=0)
    retry_at = models.DateTimeField(null=True, blank=True)
    earlier = models.JSONField(default=list)  # ids of runs that a later one had to replace; their cost counts
    run = models.OneToOneField(Run, models.PROTECT, null=True, related_name="campaign_slot")
    measures = models.JSONField(null=True)

    class Meta:
        ordering = ["campaign", "position"]
        constraints = [models.UniqueConstraint(fields=["cell", "entry", "seed"], name="campaign_slot")]
        indexes = [models.Index(fields=["campaign", "state", "position"], name="campaign_slot_state")]

    def __str__(self) -> str:
        return f"slot {self.pk} of campaign {self.campaign_id}"

    @property
    def request_id(self) -> str:
        """The run's idempotency key: a start that was cut off by a crash finds the run it made."""
        return f"campaign-{self.campaign_id}-{self.pk}-{len(self.earlier)}"
