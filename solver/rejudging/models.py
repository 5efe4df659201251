"""Judging many runs again, as rows: a job is a list of runs, a place is one of them on its way to a second verdict."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from trajectories import transitions
from trajectories.models import Run
from trajectories.row_leases import Leased


class RejudgingStatus(models.TextChoices):
    RUNNING = "running"
    CANCELLED = "cancelled"
    FINISHED = "finished"


class RejudgingQuerySet(models.QuerySet["Rejudging"]):
    def move(self, to: RejudgingStatus, **changes: Any) -> int:
        """Guarded transition: only jobs in a state from which `to` is allowed move. Returns how many did."""
        return transitions.move(self, Rejudging.MOVES, "status", to, changes)


class Rejudging(models.Model):
    """`filters` are those of the list of runs from which it was started, for people; the places say which runs they were."""

    MOVES: ClassVar[dict[RejudgingStatus, set[RejudgingStatus]]] = {
        RejudgingStatus.RUNNING: {RejudgingStatus.CANCELLED, RejudgingStatus.FINISHED},
        RejudgingStatus.CANCELLED: set(),
        RejudgingStatus.FINISHED: set(),
    }

    request_id = models.CharField(max_length=64, unique=True)
    filters = models.JSONField(default=dict)
    status = models.CharField(max_length=10, choices=RejudgingStatus.choices, default=RejudgingStatus.RUNNING)
    total = models.PositiveIntegerField()
    code_version = models.CharField(max_length=64, blank=True)
    created_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = RejudgingQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["status"], name="rejudging_status")]

    def __str__(self) -> str:
        return f"judging {self.total} runs again"


class PlaceState(models.TextChoices):
    WAITING = "waiting"
    JUDGED = "judged"
    NOT_JUDGED = "not_judged", "not judged"


class RejudgedRun(Leased):
    """`before` is the run's first verdict, `verdict` the new one; `message` says why there is none."""

    job = models.ForeignKey(Rejudging, models.CASCADE, related_name="places")
    run = models.ForeignKey(Run, models.CASCADE, related_name="+")
    state = models.CharField(max_length=10, choices=PlaceState.choices, default=PlaceState.WAITING)
    before = models.CharField(max_length=8, blank=True)
    verdict = models.CharField(max_length=8, blank=True)
    message = models.TextField(blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["job", "run"], name="rejudged_once_a_job")]
        indexes = [models.Index(fields=["job", "state"], name="rejudged_state")]

    def __str__(self) -> str:
        return f"run {self.run_id} in job {self.job_id}"
