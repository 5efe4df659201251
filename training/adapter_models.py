"""Adapters as rows: what was made, how it did, what serves, and what it answered when it sat the exam again."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.timezone import now

from solver.campaigns.models import Campaign
from trajectories import transitions


class AdapterState(models.TextChoices):
    REGISTERED = "registered"
    EVALUATED = "evaluated"
    PROMOTED = "promoted"
    RETIRED = "retired"


class AdapterQuerySet(models.QuerySet["Adapter"]):
    def move(self, to: AdapterState, **changes: Any) -> int:
        """Guarded transition: only adapters in a state from which `to` is allowed move. Returns how many did."""
        return transitions.move(self, Adapter.MOVES, "state", to, changes)


class Adapter(models.Model):
    """A LoRA adapter: immutable files, known by the SHA-256 of its weights. `number` counts within its role.

    `name` is what engines serve it as; it holds the digest, so a name never stands for other weights. `training_runs` and
    `dataset` lead back to where it came from; both are empty for an imported one.
    """

    MOVES: ClassVar[dict[AdapterState, set[AdapterState]]] = {
        AdapterState.REGISTERED: {AdapterState.EVALUATED, AdapterState.PROMOTED, AdapterState.RETIRED},
        AdapterState.EVALUATED: {AdapterState.EVALUATED, AdapterState.PROMOTED, AdapterState.RETIRED},
        AdapterState.PROMOTED: {AdapterState.RETIRED},
        AdapterState.RETIRED: {AdapterState.PROMOTED},
    }

    role = models.CharField(max_length=16)
    number = models.PositiveIntegerField()
    digest = models.CharField(max_length=64, unique=True)
    state = models.CharField(max_length=10, choices=AdapterState.choices, default=AdapterState.REGISTERED)
    engine = models.CharField(max_length=64)  # where it is evaluated and served
    base = models.CharField(max_length=500)
    base_fingerprint = models.CharField(max_length=64, blank=True)
    template_digest = models.CharField(max_length=64, blank=True)
    dataset = models.ForeignKey("training.DatasetVersion", models.PROTECT, null=True, related_name="adapters")
    spec = models.JSONField(default=dict)
    metrics = models.JSONField(default=dict)
    rank = models.PositiveIntegerField()
    modules = models.JSONField(default=list)  # names of the adapted linear layers' kinds
    parameters = models.PositiveBigIntegerField()
    size = models.PositiveBigIntegerField()  # bytes of the weights
    imported_from = models.CharField(max_length=500, blank=True)
    created_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AdapterQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["role", "number"], name="adapter_number")]

    def __str__(self) -> str:
        return f"{self.role}@{self.number}"

    @property
    def name(self) -> str:
        return f"{self.role}@{self.digest[:12]}"

    @property
    def folder(self) -> Path:
        return Path(settings.VAR_DIR) / "adapters" / self.name


class AdapterEvaluation(models.Model):
    """Adapters against the base, and against what served, on the same problems: a campaign of two to four cells (see
    `training.evaluation`). `adapters` are tried together.

    `result` is filled once, when the campaign has finished.
    """

    adapters = models.ManyToManyField(Adapter, related_name="evaluations")
    campaign = models.OneToOneField(Campaign, models.PROTECT, related_name="adapter_evaluation")
    result = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"evaluation {self.pk} by campaign {self.campaign_id}"


class Promotion(models.Model):
    """What served a role from when on; insert only. `adapter` None: the engine's own model for the role again."""

    engine = models.CharField(max_length=64)
    role = models.CharField(max_length=16)
    adapter = models.ForeignKey(Adapter, models.PROTECT, null=True, related_name="promotions")
    previous = models.ForeignKey(Adapter, models.PROTECT, null=True, related_name="+")
    rolled_back = models.BooleanField(default=False)  # takes the last one back that still stood
    reason = models.TextField(blank=True)
    actor = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["engine", "role", "-id"], name="promotion_role")]

    def __str__(self) -> str:
        return f"{self.role} of {self.engine}: {self.adapter or 'its own model'}"


class ExamState(models.TextChoices):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class ExamQuerySet(models.QuerySet["Exam"]):
    def claimable(self) -> ExamQuerySet:
        orphaned = Q(state=ExamState.RUNNING, lease_expires_at__lt=now())
        return self.filter(Q(state=ExamState.WAITING) | orphaned)


class Exam(models.Model):
    """A new adapter answers the frozen prompts of a dataset version's held-out rows.

    `columns` maps column to the model the engine was asked with: base, previous, new. The teacher's answers are the rows'.
    """

    adapter = models.ForeignKey(Adapter, models.CASCADE, related_name="exams")
    dataset = models.ForeignKey("training.DatasetVersion", models.PROTECT, related_name="exams")
    columns = models.JSONField()
    row_count = models.PositiveIntegerField()
    request_id = models.CharField(max_length=64, unique=True)
    state = models.CharField(max_length=8, choices=ExamState.choices, default=ExamState.WAITING)
    message = models.TextField(blank=True)
    fence = models.PositiveIntegerField(default=0)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ExamQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"exam {self.pk} of adapter {self.adapter_id}"


class ExamAnswer(models.Model):
    """One answer of one column. `right` is the role's own measure, None where there is none for this prompt."""

    exam = models.ForeignKey(Exam, models.CASCADE, related_name="answers")
    row = models.ForeignKey("training.DatasetRow", models.PROTECT, related_name="+")
    column = models.CharField(max_length=8)
    text = models.TextField()
    failure = models.CharField(max_length=32, blank=True)  # code of the strict parser
    right = models.BooleanField(null=True)
    tokens = models.PositiveIntegerField(default=0)
    seconds = models.FloatField(default=0)

    class Meta:
        ordering = ["exam", "row", "column"]
        constraints = [models.UniqueConstraint(fields=["exam", "row", "column"], name="exam_answer_once")]

    def __str__(self) -> str:
        return f"answer of {self.column} to row {self.row_id}"
