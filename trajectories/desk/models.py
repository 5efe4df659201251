"""Queues of steps to judge, who has which step in hand, and what readers keep for themselves."""

from __future__ import annotations

from django.db import models


class Pick(models.TextChoices):
    """Which step of a matching run a queue shows."""

    FAILURE = "failure", "the step to blame"  # the supervisor's, else the last program
    CORRECTION = "correction", "the changed step of a branch"
    EVERY = "every", "every step of an agent"
    CHANGE = "change", "a changed step beside the original, blind"
    RUNS = "runs", "two runs of one problem, blind"

    @property
    def paired(self) -> bool:
        """Whether an item is two steps, of which the better one is asked for."""
        return self in (Pick.CHANGE, Pick.RUNS)


class Order(models.TextChoices):
    NEWEST = "newest", "newest first"
    OLDEST = "oldest", "oldest first"
    UNSURE = "unsure", "least sure first"  # by the supervisor's stated confidence
    SURE = "sure", "surest first"


class ReviewQueue(models.Model):
    """A saved filter with a rubric and an order. `reviewers`: an item is done once so many people have judged it."""

    slug = models.SlugField(max_length=64, unique=True)
    title = models.CharField(max_length=120)
    filter = models.CharField(max_length=500, blank=True)
    pick = models.CharField(max_length=10, choices=Pick.choices, default=Pick.FAILURE)
    order = models.CharField(max_length=8, choices=Order.choices, default=Order.NEWEST)
    rubric = models.TextField(blank=True)
    agent = models.CharField(max_length=16, blank=True)  # only steps of this agent
    blind = models.BooleanField(default=False)  # what others said is hidden until one has judged
    reviewers = models.PositiveSmallIntegerField(default=1)
    position = models.PositiveIntegerField(default=100)
    created_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "trajectories"
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.title


class ReviewLease(models.Model):
    """Who reads a step just now. Not a lock: two people may judge one step, but both are told.

    `rival` is somebody who opened it meanwhile.
    """

    run = models.ForeignKey("trajectories.Run", models.CASCADE, related_name="+")
    step = models.PositiveIntegerField()
    actor = models.CharField(max_length=150)
    expires_at = models.DateTimeField()
    rival = models.CharField(max_length=150, blank=True)

    class Meta:
        app_label = "trajectories"
        constraints = [models.UniqueConstraint(fields=["run", "step"], name="review_lease")]

    def __str__(self) -> str:
        return f"{self.actor} reads step {self.step} of run {self.run_id}"


class Choice(models.TextChoices):
    """Of the two steps of a preference: `this` is of the run that the judgement stands in."""

    THIS = "this"
    OTHER = "other"
    EQUAL = "equal"
    SKIP = "skip"  # nothing is said of the two


class Preference(models.Model):
    """Projection: which of two steps a reviewer prefers, by their newest standing `prefer`.

    The judgement is an event of `run`; `other` is the older run, of a branch its parent. The names say what the two sides
    are (`original`, a model), as recorded with the judgement; the reviewer saw neither.
    """

    run = models.ForeignKey("trajectories.Run", models.CASCADE, related_name="preferences")
    step = models.PositiveIntegerField()
    other = models.ForeignKey("trajectories.Run", models.CASCADE, related_name="+")
    other_step = models.PositiveIntegerField()
    actor = models.CharField(max_length=150)
    role = models.CharField(max_length=16)
    choice = models.CharField(max_length=5, choices=Choice.choices)
    on_left = models.BooleanField()  # where `step` stood
    name = models.CharField(max_length=120)
    other_name = models.CharField(max_length=120)
    judgement = models.ForeignKey("trajectories.Judgement", models.CASCADE, related_name="+")

    class Meta:
        app_label = "trajectories"
        constraints = [
            models.UniqueConstraint(
                fields=["run", "step", "other", "other_step", "actor"], name="preference_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.actor} on step {self.step} of run {self.run_id}: {self.choice}"


class StarredView(models.Model):
    """An address that a reader has named: a list with its filters, a queue, a map."""

    owner = models.CharField(max_length=150, blank=True)
    name = models.CharField(max_length=80)
    path = models.CharField(max_length=1000)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "trajectories"
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="starred_view")]

    def __str__(self) -> str:
        return self.name


class KeyMap(models.Model):
    """A reader's own keys: the lab's name of a key, as `aria-keyshortcuts` spells it, to the one they press."""

    owner = models.CharField(max_length=150, unique=True)
    keys = models.JSONField(default=dict)

    class Meta:
        app_label = "trajectories"

    def __str__(self) -> str:
        return f"keys of {self.owner}"
