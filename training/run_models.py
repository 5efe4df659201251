"""Training runs as rows, their append-only events, and the devices they lease."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.timezone import now

from trajectories import transitions


class TrainingStatus(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"  # saved and stopped: an adapter and a checkpoint are there
    CANCELLED = "cancelled"  # aborted: nothing after the last checkpoint was kept
    FAILED = "failed"


class Ask(models.TextChoices):
    """What a person wants of a run under way."""

    NOTHING = ""
    SAVE = "save"
    ABORT = "abort"


class TrainingRunQuerySet(models.QuerySet["TrainingRun"]):
    def move(self, to: TrainingStatus, **changes: Any) -> int:
        """Guarded transition: only runs in a state from which `to` is allowed move. Returns how many did."""
        return transitions.move(self, TrainingRun.MOVES, "status", to, changes)

    def claimable(self) -> TrainingRunQuerySet:
        """Queued, or running under a lease that ran out."""
        orphaned = Q(status=TrainingStatus.RUNNING, lease_expires_at__lt=now())
        return self.filter(Q(status=TrainingStatus.QUEUED) | orphaned)


class TrainingRun(models.Model):
    """One adapter's training. `spec` is exact and never changes; another setting is another run (`cloned_from`).

    `started_from` is the adapter that DPO began with, None: the base. `recipe` is shared by the runs that were started together, one a role. `metrics_read` is how many bytes of the
    present attempt's report are in the events; `fence` is the attempt.
    """

    MOVES: ClassVar[dict[TrainingStatus, set[TrainingStatus]]] = {
        TrainingStatus.QUEUED: {TrainingStatus.RUNNING, TrainingStatus.CANCELLED, TrainingStatus.FAILED},
        TrainingStatus.RUNNING: {
            TrainingStatus.QUEUED,
            TrainingStatus.FINISHED,
            TrainingStatus.STOPPED,
            TrainingStatus.CANCELLED,
            TrainingStatus.FAILED,
        },
        TrainingStatus.FINISHED: set(),
        TrainingStatus.STOPPED: {TrainingStatus.QUEUED},
        TrainingStatus.CANCELLED: {TrainingStatus.QUEUED},
        TrainingStatus.FAILED: {TrainingStatus.QUEUED},
    }

    role = models.CharField(max_length=16)
    dataset = models.ForeignKey("training.DatasetVersion", models.PROTECT, related_name="training_runs")
    spec = models.JSONField()
    spec_digest = models.CharField(max_length=64, db_index=True)
    base = models.CharField(max_length=500)  # the folder it is read from
    base_fingerprint = models.CharField(max_length=64, blank=True)
    readiness = models.JSONField(default=list)  # what was known and said at the start
    request_id = models.CharField(max_length=80, unique=True)
    recipe = models.CharField(max_length=64, blank=True, db_index=True)
    cloned_from = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="clones")
    started_from = models.ForeignKey(
        "training.Adapter", models.PROTECT, null=True, blank=True, related_name="went_on"
    )
    adapter = models.ForeignKey(
        "training.Adapter", models.PROTECT, null=True, blank=True, related_name="training_runs"
    )
    created_by = models.CharField(max_length=150, blank=True)
    code_version = models.CharField(max_length=64, blank=True)

    status = models.CharField(
        max_length=10, choices=TrainingStatus.choices, default=TrainingStatus.QUEUED, db_index=True
    )
    reason = models.CharField(max_length=32, blank=True)
    message = models.TextField(blank=True)
    ask = models.CharField(max_length=5, choices=Ask.choices, default=Ask.NOTHING, blank=True)
    step = models.PositiveIntegerField(default=0)
    steps = models.PositiveIntegerField(default=0)
    checkpoint = models.PositiveIntegerField(default=0)  # step of the newest whole one
    deaths = models.PositiveIntegerField(default=0)  # of the trainer since that checkpoint
    last_seq = models.PositiveIntegerField(default=0)
    metrics_read = models.PositiveBigIntegerField(default=0)

    fence = models.PositiveIntegerField(default=0)
    lease_owner = models.CharField(max_length=64, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = TrainingRunQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["status", "lease_expires_at"], name="training_lease")]

    def __str__(self) -> str:
        return f"training run {self.pk}"

    @property
    def ended(self) -> bool:
        return self.status not in {TrainingStatus.QUEUED, TrainingStatus.RUNNING}

    @property
    def resumable(self) -> bool:
        return self.status in {TrainingStatus.STOPPED, TrainingStatus.CANCELLED, TrainingStatus.FAILED}

    @property
    def folder(self) -> Path:
        return Path(settings.VAR_DIR) / "training" / str(self.pk)

    def metrics_file(self, fence: int) -> Path:
        return self.folder / f"metrics-{fence}.jsonl"


class TrainingEvent(models.Model):
    """One fact of a training run: a line of the trainer's report, or what the lab did. Insert only, gap-free by run."""

    run = models.ForeignKey(TrainingRun, models.CASCADE, related_name="events")
    seq = models.PositiveIntegerField()
    kind = models.CharField(max_length=16)
    step = models.PositiveIntegerField(null=True)
    payload = models.JSONField()
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["run", "seq"]
        constraints = [models.UniqueConstraint(fields=["run", "seq"], name="training_event_seq")]
        indexes = [models.Index(fields=["run", "kind", "step"], name="training_event_kind")]

    def __str__(self) -> str:
        return f"training run {self.run_id} event {self.seq} {self.kind}"


class DeviceQuerySet(models.QuerySet["Device"]):
    def free(self) -> DeviceQuerySet:
        return self.filter(Q(holder="") | Q(lease_expires_at__lt=now()))


class Device(models.Model):
    """Something that trains one adapter at a time. `holder` names the one claim that leases it."""

    name = models.CharField(max_length=64)  # cpu, cuda:0
    host = models.CharField(max_length=128)
    title = models.CharField(max_length=200)
    memory_bytes = models.PositiveBigIntegerField()
    flops = models.FloatField(default=0)  # what training reaches, per second; measured or from a table
    holder = models.CharField(max_length=64, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(default=now)

    objects = DeviceQuerySet.as_manager()

    class Meta:
        ordering = ["host", "-name"]  # a GPU before the CPU
        constraints = [models.UniqueConstraint(fields=["host", "name"], name="device_once")]

    def __str__(self) -> str:
        return f"{self.name} of {self.host}"
