"""The row of an engine that the lab runs: what somebody wants of it, and what its host says it is."""

from __future__ import annotations

from typing import Any

from django.db import models


class Wanted(models.TextChoices):
    RUNNING = "running"
    DRAINED = "drained"  # no new runs; stopped once those it has are done
    STOPPED = "stopped"


class ServiceState(models.TextChoices):
    STOPPED = "stopped"
    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"
    FAILED = "failed"


class EngineService(models.Model):
    """`wanted` is written by people, everything else by the host process that tends the engine."""

    name = models.CharField(max_length=64, primary_key=True)
    wanted = models.CharField(max_length=8, choices=Wanted.choices, default=Wanted.RUNNING)
    state = models.CharField(max_length=8, choices=ServiceState.choices, default=ServiceState.STOPPED)
    message = models.TextField(blank=True)  # one sentence: why it failed, or what an adapter lacks
    pid = models.PositiveIntegerField(null=True)
    starts = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField(null=True)
    ready_at = models.DateTimeField(null=True)
    beat_at = models.DateTimeField(null=True)
    numbers = models.JSONField(default=dict)  # `metrics.Numbers` and tokens_per_s
    adapters = models.JSONField(default=dict)  # name -> "" loaded, or a sentence why not

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return f"service {self.name}: {self.state}"

    @property
    def told(self) -> dict[str, Any]:
        return dict(self.numbers)


class EngineTest(models.Model):
    """What the last "Test connection" of an engine found; `digest` is of the description that was tested."""

    name = models.CharField(max_length=64, primary_key=True)
    digest = models.CharField(max_length=64)
    checks = models.JSONField()  # list of `solver.engines.check.Check` as mappings
    tested_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"test of {self.name}"
