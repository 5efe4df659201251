"""The record: problems, runs, their event log and its projections.

`StepEvent` is the truth; `Step` and the counters of `Run` are projections written in the same transaction by
`trajectories.eventlog`, so that lists and outlines never open an event's payload.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.timezone import now

from trajectories import transitions
from trajectories.desk.models import KeyMap, Preference, ReviewLease, ReviewQueue, StarredView
from trajectories.problem_schema import ProblemSpec, TestKind

__all__ = ["KeyMap", "Preference", "ReviewLease", "ReviewQueue", "StarredView"]


class ProblemQuerySet(models.QuerySet["Problem"]):
    def current(self) -> ProblemQuerySet:
        """The newest version of each problem; older ones stay for the runs that used them."""
        return self.filter(superseded_at=None)


class Problem(models.Model):
    """One immutable version of a problem. An import that changes a problem adds a version."""

    external_id = models.CharField(max_length=200)
    version = models.PositiveIntegerField(default=1)
    digest = models.CharField(max_length=64, unique=True)
    source = models.CharField(max_length=64, db_index=True)
    title = models.CharField(max_length=200)
    difficulty = models.CharField(max_length=64, blank=True)
    test_kind = models.CharField(max_length=8, choices=[(kind.value, kind.value) for kind in TestKind])
    sample_count = models.PositiveIntegerField()
    test_count = models.PositiveIntegerField()
    licence = models.CharField(max_length=300, blank=True)
    split = models.CharField(max_length=32, blank=True)
    superseded_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ProblemQuerySet.as_manager()

    class Meta:
        ordering = ["source", "external_id"]
        constraints = [models.UniqueConstraint(fields=["external_id", "version"], name="problem_version")]

    def __str__(self) -> str:
        return f"{self.title} ({self.external_id})"

    def spec(self) -> ProblemSpec:
        return ProblemSpec.model_validate(self.body.spec)

    @property
    def tag_names(self) -> list[str]:
        return [tag.name for tag in self.tags.all()]


class ProblemBody(models.Model):
    """The full text and all tests, apart from `Problem` so that lists never load megabytes of tests."""

    problem = models.OneToOneField(Problem, models.CASCADE, primary_key=True, related_name="body")
    spec = models.JSONField()

    def __str__(self) -> str:
        return f"body of problem {self.problem_id}"


class ProblemTag(models.Model):
    problem = models.ForeignKey(Problem, models.CASCADE, related_name="tags")
    name = models.CharField(max_length=64)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["name", "problem"], name="tag_once")]

    def __str__(self) -> str:
        return self.name


# How the engine of a trajectory of another system begins; no engine of the lab has a slash in its name.
IMPORTED = "imported/"


class RunStatus(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    FAILED = "failed"


class RunQuerySet(models.QuerySet["Run"]):
    def move(self, to: RunStatus, **changes: Any) -> int:
        """Guarded transition: only rows in a state from which `to` is allowed move. Returns how many did."""
        return transitions.move(self, Run.MOVES, "status", to, changes)

    def claimable(self) -> RunQuerySet:
        """Queued, or running under a lease that ran out."""
        return self.filter(
            Q(status=RunStatus.QUEUED) | Q(status=RunStatus.RUNNING, lease_expires_at__lt=now())
        )


class Run(models.Model):
    """One strategy on one problem with one engine and seed.

    `engine` is a copy of the engine's specification at start (base, adapters, digests), not a reference: later
    changes of the engine never rewrite history. `fence` is the fencing token of the worker that owns the run.
    """

    MOVES: ClassVar[dict[RunStatus, set[RunStatus]]] = {
        RunStatus.QUEUED: {RunStatus.RUNNING, RunStatus.CANCELLED},
        RunStatus.RUNNING: {
            RunStatus.RUNNING,
            RunStatus.QUEUED,
            RunStatus.FINISHED,
            RunStatus.CANCELLED,
            RunStatus.FAILED,
        },
        RunStatus.FINISHED: set(),
        RunStatus.CANCELLED: {RunStatus.QUEUED},
        RunStatus.FAILED: {RunStatus.QUEUED},
    }

    problem = models.ForeignKey(Problem, models.PROTECT, related_name="runs")
    strategy = models.CharField(max_length=32)
    params = models.JSONField(default=dict)
    engine = models.JSONField(default=dict)
    engine_name = models.CharField(max_length=64)  # found by the indexes of facets
    seed = models.BigIntegerField(default=0)
    language = models.CharField(max_length=16, default="python")
    judge_profile = models.CharField(max_length=16, default="strict")
    code_version = models.CharField(max_length=64, blank=True)
    request_id = models.CharField(
        max_length=64, unique=True
    )  # a double click or a reload starts nothing twice
    created_by = models.CharField(max_length=150, blank=True)
    imported_from = models.CharField(max_length=32, blank=True, db_index=True)  # a file format; "": ran here
    branch_of = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="branches")
    branch = models.JSONField(
        default=dict, blank=True
    )  # solver.branches.Change: what differs, from which step
    awaits = models.CharField(max_length=64, blank=True)  # request id of the parent, where it is not here yet
    recorded_solved = models.BooleanField(null=True, blank=True)  # what the source of an import says

    status = models.CharField(max_length=10, choices=RunStatus.choices, default=RunStatus.QUEUED)
    reason = models.CharField(max_length=64, blank=True)  # code of the ending, e.g. engine_unreachable
    message = models.TextField(blank=True)  # one sentence for people
    verdict = models.CharField(max_length=4, blank=True)
    strip = models.CharField(
        max_length=400, blank=True
    )  # one letter a hidden test, see trajectories.verdicts
    passed = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    judge_level = models.CharField(max_length=8, blank=True)

    step_count = models.PositiveIntegerField(default=0)
    calls = models.PositiveIntegerField(default=0)
    prompt_tokens = models.PositiveBigIntegerField(default=0)
    completion_tokens = models.PositiveBigIntegerField(default=0)
    format_failures = models.PositiveIntegerField(default=0)
    model_seconds = models.FloatField(default=0)
    # Money of the `priced_calls`, those of the run that had a price; `saved` is what stored answers would have cost.
    # `currency` "": no call had one.
    priced_calls = models.PositiveIntegerField(default=0)
    cost = models.DecimalField(max_digits=18, decimal_places=9, default=0)
    saved = models.DecimalField(max_digits=18, decimal_places=9, default=0)
    currency = models.CharField(max_length=3, blank=True)

    last_seq = models.PositiveIntegerField(default=0)
    fence = models.PositiveIntegerField(default=0)
    lease_owner = models.CharField(max_length=64, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    published_at = models.DateTimeField(
        null=True, blank=True
    )  # when a worker was last told about the queued run
    cancel_requested = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["status", "lease_expires_at"], name="run_lease"),
            models.Index(fields=["problem", "-id"], name="run_problem"),
            models.Index(fields=["awaits"], name="run_awaits", condition=~Q(awaits="")),
            # The facets of the list of runs count every run: from the index alone, without a look at the rows.
            # `branch_of` is what the queues of failures ask besides.
            models.Index(
                fields=["status", "verdict", "strategy", "engine_name", "branch_of"], name="run_facets"
            ),
            # The same of the runs of some problems, and their counts by problem, which become counts by tag.
            models.Index(
                fields=["problem", "status", "verdict", "strategy", "engine_name"], name="run_problem_facets"
            ),
            models.Index(
                fields=["verdict", "problem"], name="run_verdict"
            ),  # tags of the runs of one verdict
        ]

    def __str__(self) -> str:
        return f"run {self.pk}"

    @property
    def ended(self) -> bool:
        return self.status in {RunStatus.FINISHED, RunStatus.CANCELLED, RunStatus.FAILED}

    @property
    def solved(self) -> bool:
        return self.verdict == "AC"

    @property
    def unjudged(self) -> bool:
        """Imported, and no judge of ours has spoken; `filters.UNJUDGED` says the same to the database."""
        return (
            self.status == RunStatus.FINISHED and not self.verdict and self.engine_name.startswith(IMPORTED)
        )


class StepEvent(models.Model):
    """One fact. Insert only; `seq` is gap-free and commit-ordered within the run."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="events")
    seq = models.PositiveIntegerField()
    kind = models.CharField(max_length=32)
    step = models.PositiveIntegerField(null=True, blank=True)
    payload = models.JSONField()
    created_at = models.DateTimeField(default=now)  # of an imported event: when it happened, where recorded

    class Meta:
        ordering = ["run", "seq"]
        constraints = [models.UniqueConstraint(fields=["run", "seq"], name="event_seq")]
        indexes = [models.Index(fields=["run", "step"], name="event_step")]

    def __str__(self) -> str:
        return f"run {self.run_id} event {self.seq} {self.kind}"


class StepState(models.TextChoices):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Step(models.Model):
    """Projection of a step's events: what the outline, the lanes and lists show. Bodies stay in the events."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="steps")
    number = models.PositiveIntegerField()
    role = models.CharField(max_length=16)  # an agent role, or "judge"
    attempt = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=8, choices=StepState.choices, default=StepState.RUNNING)
    gist = models.CharField(max_length=200, blank=True)
    suite = models.CharField(max_length=8, blank=True)  # judge steps: samples or hidden
    verdict = models.CharField(max_length=4, blank=True)
    strip = models.CharField(max_length=400, blank=True)
    passed = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    format_failure = models.CharField(max_length=32, blank=True)
    prompt_tokens = models.PositiveIntegerField(default=0)
    completion_tokens = models.PositiveIntegerField(default=0)
    seconds = models.FloatField(default=0)
    started_seq = models.PositiveIntegerField()
    finished_seq = models.PositiveIntegerField(null=True, blank=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["run", "number"]
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="step_number")]

    def __str__(self) -> str:
        return f"run {self.run_id} step {self.number} {self.role}"


class JudgementQuerySet(models.QuerySet["Judgement"]):
    def standing(self) -> JudgementQuerySet:
        """Those that nobody has taken back."""
        return self.filter(undone=False)


class Judgement(models.Model):
    """Projection of a `judged` event: insert only but for `undone`, which its undo sets. See `trajectories.review`."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="judgements")
    seq = models.PositiveIntegerField()
    key = models.CharField(max_length=64)
    step = models.PositiveIntegerField(null=True, blank=True)
    verb = models.CharField(max_length=8)
    source = models.CharField(max_length=10)
    actor = models.CharField(max_length=150)
    value = models.JSONField(default=dict)
    before = models.JSONField(default=dict)
    reason = models.TextField(blank=True)
    evidence = models.JSONField(default=list)
    undoes = models.CharField(max_length=64, blank=True)
    undone = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    objects = JudgementQuerySet.as_manager()

    class Meta:
        ordering = ["run", "seq"]
        constraints = [models.UniqueConstraint(fields=["run", "key"], name="judgement_once")]
        indexes = [models.Index(fields=["actor", "-id"], name="judgement_actor")]

    def __str__(self) -> str:
        return f"{self.verb} by {self.actor} of run {self.run_id} step {self.step}"


class Blame(models.Model):
    """Projection: whom a source holds responsible for a run's failure, by its newest standing `blame`."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="blames")
    source = models.CharField(max_length=10)
    actor = models.CharField(max_length=150)
    agent = models.CharField(max_length=16)  # retrieval, planning, coding, debugging, or none
    cause = models.CharField(max_length=64, blank=True)
    step = models.PositiveIntegerField(null=True, blank=True)
    confidence = models.FloatField(null=True, blank=True)  # as stated by the source, 0 to 1
    flips = models.PositiveIntegerField(
        null=True, blank=True
    )  # of a replay: how many of `trials` came out AC
    trials = models.PositiveIntegerField(null=True, blank=True)
    judgement = models.ForeignKey(Judgement, models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "source", "actor"], name="blame_source")]
        indexes = [models.Index(fields=["source", "agent"], name="blame_agent")]

    def __str__(self) -> str:
        return f"{self.source} blames {self.agent} in run {self.run_id}"


class Decision(models.Model):
    """Projection: what a reviewer decided of a step, by their newest standing `accept` or `reject`."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="decisions")
    step = models.PositiveIntegerField()
    actor = models.CharField(max_length=150)
    accepted = models.BooleanField()
    role = models.CharField(max_length=16, blank=True)
    code = models.CharField(max_length=32, blank=True)  # of a rejection
    judgement = models.ForeignKey(Judgement, models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "step", "actor"], name="decision_once")]
        indexes = [models.Index(fields=["actor", "accepted"], name="decision_actor")]

    def __str__(self) -> str:
        return f"step {self.step} of run {self.run_id} {'accepted' if self.accepted else 'rejected'}"


class BulkExportStatus(models.TextChoices):
    WAITING = "waiting", "Waiting"
    RUNNING = "running", "Running"
    READY = "ready", "Ready"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


class BulkExport(models.Model):
    """Many runs in one ZIP file, written by a worker. The row is the job; see `trajectories.exporters.bulk`."""

    request_id = models.CharField(max_length=64, unique=True)
    format = models.CharField(max_length=16)
    filters = models.JSONField(default=dict)
    newest = models.BigIntegerField()  # runs up to this id: a list that grows meanwhile changes nothing
    status = models.CharField(
        max_length=10, choices=BulkExportStatus.choices, default=BulkExportStatus.WAITING
    )
    total = models.PositiveIntegerField()
    done = models.PositiveIntegerField(default=0)
    size = models.BigIntegerField(default=0)  # bytes of the finished file
    message = models.TextField(blank=True)
    holder = models.CharField(max_length=128, blank=True)
    held_until = models.DateTimeField(null=True, blank=True)
    created_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["status"], name="bulk_export_status")]

    def __str__(self) -> str:
        return f"export {self.pk} of {self.total} runs"


class Worker(models.Model):
    """A worker process's own sign of life: the liveness shown in the top bar and in `doctor`."""

    name = models.CharField(max_length=128, primary_key=True)
    kind = models.CharField(max_length=16)
    beat_at = models.DateTimeField()
    detail = models.JSONField(default=dict)

    class Meta:
        ordering = ["kind", "name"]

    def __str__(self) -> str:
        return self.name
