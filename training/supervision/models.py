"""Supervision as rows: a job is a list of failed runs; a case is one of them on its way to a correction or to none."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from trajectories import transitions
from trajectories.models import Run
from trajectories.row_leases import Leased, free


class SupervisionStatus(models.TextChoices):
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    FINISHED = "finished"


class SupervisionQuerySet(models.QuerySet["Supervision"]):
    def move(self, to: SupervisionStatus, **changes: Any) -> int:
        """Guarded transition: only jobs in a state from which `to` is allowed move. Returns how many did."""
        return transitions.move(self, Supervision.MOVES, "status", to, changes)


class Supervision(models.Model):
    """`spec` is exact and never changes. What a job has done stands in its cases and in the runs' logs."""

    MOVES: ClassVar[dict[SupervisionStatus, set[SupervisionStatus]]] = {
        SupervisionStatus.RUNNING: {
            SupervisionStatus.PAUSED,
            SupervisionStatus.CANCELLED,
            SupervisionStatus.FINISHED,
        },
        SupervisionStatus.PAUSED: {SupervisionStatus.RUNNING, SupervisionStatus.CANCELLED},
        SupervisionStatus.CANCELLED: {SupervisionStatus.RUNNING},
        SupervisionStatus.FINISHED: {
            SupervisionStatus.RUNNING
        },  # to try cases again that could not be decided
    }

    name = models.CharField(max_length=120)
    spec = models.JSONField()
    spec_digest = models.CharField(max_length=64, db_index=True)
    request_id = models.CharField(max_length=64, unique=True)
    status = models.CharField(
        max_length=10, choices=SupervisionStatus.choices, default=SupervisionStatus.RUNNING, db_index=True
    )
    reason = models.CharField(max_length=32, blank=True)
    message = models.TextField(blank=True)
    created_by = models.CharField(max_length=150, blank=True)
    code_version = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = SupervisionQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"supervision {self.pk}: {self.name}"


class CaseState(models.TextChoices):
    WAITING = "waiting"  # votes are missing, or the next round has not begun
    REVISING = "revising"  # a branch of the run is under way
    CORRECTED = "corrected"  # a revision passed every hidden test
    UNRESOLVED = "unresolved"  # every round was used and none passed
    FAILED = "failed"  # nothing can be said: no engine, no usable vote


class CaseQuerySet(models.QuerySet["SupervisionCase"]):
    def open(self) -> CaseQuerySet:
        return self.filter(state__in=[CaseState.WAITING, CaseState.REVISING])

    def workable(self) -> CaseQuerySet:
        """Something can be done now: votes asked, or the ended branch read."""
        ended = Q(branch__status__in=["finished", "cancelled", "failed"])
        return self.filter(
            Q(state=CaseState.WAITING) | Q(ended, state=CaseState.REVISING),
            free(),
            supervision__status=SupervisionStatus.RUNNING,
        )


class SupervisionCase(Leased):
    """`votes`, `ranking` and `tried` are projections of what the run's log and the branches say, for lists.

    votes: [{"step", "agent", "others", "confidence", "feedback", "diagnosis", "citations", "unknown",
    "faults", "diagnosis_faults", "failure"}];
    tried: [{"round", "agent", "step", "branch", "verdict", "why", "measured"}]; `measured` False: the branch was cancelled, say,
    and tells nothing of the revision.
    """

    supervision = models.ForeignKey(Supervision, models.CASCADE, related_name="cases")
    run = models.ForeignKey(Run, models.PROTECT, related_name="supervision_cases")
    position = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=CaseState.choices, default=CaseState.WAITING)
    votes = models.JSONField(default=list)
    ranking = models.JSONField(default=list)
    round = models.PositiveIntegerField(default=0)
    tried = models.JSONField(default=list)
    branch = models.ForeignKey(Run, models.PROTECT, null=True, related_name="+")
    kept = models.PositiveIntegerField(default=0)  # examples that came of it
    message = models.TextField(blank=True)

    objects = CaseQuerySet.as_manager()

    class Meta:
        ordering = ["supervision", "position"]
        constraints = [models.UniqueConstraint(fields=["supervision", "run"], name="supervision_case")]
        indexes = [models.Index(fields=["supervision", "state"], name="supervision_case_state")]

    def __str__(self) -> str:
        return f"case {self.pk}: run {self.run_id}"
