"""The learning as rows: examples, immutable dataset versions, and what is made of them.

An `Example` is one (prompt, answer) pair of one agent with where it came from; a `DatasetVersion` is a frozen,
content-addressed list of examples. Everything downstream names a version by its digest.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from training.adapter_models import Adapter, AdapterEvaluation, Exam, ExamAnswer, Promotion
from training.distillation.models import Distillation, Harvest
from training.run_models import Device, TrainingEvent, TrainingRun
from training.supervision.models import Supervision, SupervisionCase
from trajectories import transitions
from trajectories.models import Problem, Run
from trajectories.row_leases import Leased

__all__ = [
    "Adapter",
    "AdapterEvaluation",
    "DatasetRow",
    "DatasetVersion",
    "Device",
    "Distillation",
    "Exam",
    "ExamAnswer",
    "Example",
    "Harvest",
    "Promotion",
    "Supervision",
    "SupervisionCase",
    "TrainingEvent",
    "TrainingRun",
]


class Way(models.TextChoices):
    """How a pair came to be (MapCoder-Lite sections 3.1 and 3.2, and what reviewers add)."""

    TEACHER = "teacher"  # a strong model's own answer in a run that passed
    REPAIR = "repair"  # a strong model's repair of the student's program, which then passed
    SUPERVISOR = "supervisor"  # the blamed agent's revision after feedback, kept because the replay passed
    HUMAN = "human"  # written or corrected by a person
    IMPORTED = "imported"  # read from somebody's dataset file


class ExampleState(models.TextChoices):
    CANDIDATE = "candidate"  # passes every automatic filter, nobody has looked at it
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"  # was accepted; whatever used it is tainted


class ExampleQuerySet(models.QuerySet["Example"]):
    def move(self, to: ExampleState) -> int:
        """Guarded transition: only rows in a state from which `to` is allowed move. Returns how many did."""
        return transitions.move(self, Example.MOVES, "state", to, {})

    def of_step(self, run: int, step: int) -> ExampleQuerySet:
        """What a step taught: pairs whose answer it is, and pairs whose question was first asked in it."""
        own, asked = Q(run=run, step=step), Q(origin_run=run, origin_step=step)
        return self.filter(own | asked)


class Example(models.Model):
    """One training pair. `messages` is the agent's own prompt (no supervisor's words: prompt erasure), `answer` what it
    should say, `refused` the answer that it gave instead, where there is one (a preference pair).

    `run` and `step` are where the answer was recorded; `origin_run` and `origin_step` where the question was first
    asked, when the answer comes from a branch of that run.
    """

    MOVES: ClassVar[dict[ExampleState, set[ExampleState]]] = {
        ExampleState.CANDIDATE: {ExampleState.ACCEPTED, ExampleState.REJECTED},
        ExampleState.ACCEPTED: {ExampleState.WITHDRAWN},
        ExampleState.REJECTED: {ExampleState.ACCEPTED, ExampleState.CANDIDATE},
        ExampleState.WITHDRAWN: {ExampleState.ACCEPTED},
    }

    role = models.CharField(
        max_length=16
    )  # the agent whose adapter learns it: retrieval, planning, coding, debugging
    way = models.CharField(max_length=10, choices=Way.choices)
    state = models.CharField(max_length=10, choices=ExampleState.choices, default=ExampleState.CANDIDATE)
    problem = models.ForeignKey(Problem, models.PROTECT, null=True, related_name="examples")
    run = models.ForeignKey(Run, models.PROTECT, null=True, related_name="examples")
    step = models.PositiveIntegerField(null=True)
    origin_run = models.ForeignKey(Run, models.PROTECT, null=True, related_name="+")
    origin_step = models.PositiveIntegerField(null=True)
    messages = models.JSONField()
    answer = models.TextField()
    refused = models.TextField(blank=True)
    digest = models.CharField(max_length=64, unique=True)  # SHA-256 of role, messages and answer
    author = models.CharField(max_length=200, blank=True)  # the model or the person whose words the answer is
    licence = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ExampleQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["role", "state"], name="example_role"),
            models.Index(fields=["run", "step"], name="example_step"),
        ]

    def __str__(self) -> str:
        return f"{self.role} example {self.pk}"


class VersionState(models.TextChoices):
    BUILDING = "building"
    READY = "ready"
    FAILED = "failed"


class DatasetVersion(Leased):
    """An immutable list of examples of one role, `role@number`. `digest` is SHA-256 over its rows in order.

    `spec` is exactly what was asked for (ways, caps, quotas, splits, decontamination), `report` what was left out and
    why. A version is never changed; a better one is built beside it.
    """

    role = models.CharField(max_length=16)
    number = models.PositiveIntegerField()
    digest = models.CharField(max_length=64, db_index=True, blank=True)
    state = models.CharField(max_length=10, choices=VersionState.choices, default=VersionState.BUILDING)
    message = models.TextField(blank=True)
    spec = models.JSONField(default=dict)
    report = models.JSONField(default=dict)
    row_count = models.PositiveIntegerField(default=0)
    eval_count = models.PositiveIntegerField(default=0)
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="children")
    request_id = models.CharField(max_length=64, unique=True)
    created_by = models.CharField(max_length=150, blank=True)
    code_version = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["role", "number"], name="dataset_version")]

    def __str__(self) -> str:
        return f"{self.role}@v{self.number}"


class DatasetRow(models.Model):
    """A row of a version. The split is by problem: no problem has rows in both."""

    version = models.ForeignKey(DatasetVersion, models.CASCADE, related_name="rows")
    position = models.PositiveIntegerField()
    example = models.ForeignKey(Example, models.PROTECT, related_name="rows")
    split = models.CharField(max_length=5, choices=[("train", "train"), ("eval", "eval")])

    class Meta:
        ordering = ["version", "position"]
        constraints = [
            models.UniqueConstraint(fields=["version", "position"], name="dataset_row"),
            models.UniqueConstraint(fields=["version", "example"], name="dataset_row_once"),
        ]

    def __str__(self) -> str:
        return f"row {self.position} of version {self.version_id}"
