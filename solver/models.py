"""Configured engines, and the rows of the packages beside this module.

A run copies the specification it was started with; it never refers back to an engine's row.
"""

from __future__ import annotations

from django.db import models

from solver.answers.models import AnswerTally, StoredAnswer
from solver.campaigns.models import Campaign, CampaignCell, CampaignProblem, CampaignRun
from solver.prices.models import PriceRow
from solver.rejudging.models import RejudgedRun, Rejudging
from solver.serving.models import EngineService, EngineTest

__all__ = [
    "AnswerTally",
    "Campaign",
    "CampaignCell",
    "CampaignProblem",
    "CampaignRun",
    "Engine",
    "EngineService",
    "EngineTest",
    "PriceRow",
    "RejudgedRun",
    "Rejudging",
    "ServedAdapter",
    "StoredAnswer",
]


class Engine(models.Model):
    """An engine a team has configured. `spec` is `solver.engines.spec.EngineSpec` as JSON; it never holds a key."""

    name = models.CharField(max_length=64, primary_key=True)
    spec = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ServedAdapter(models.Model):
    """An adapter that `engine` can serve besides those of its own description; `active`: its role is served by it.

    The name holds the digest and stands for these weights for ever, so a run that was started with it finds the same
    weights however often another one is promoted. Written by `training`, read by `engine_book`.
    """

    engine = models.CharField(max_length=64)
    role = models.CharField(max_length=16)
    name = models.CharField(max_length=128)
    folder = models.CharField(max_length=1000)
    digest = models.CharField(max_length=64)
    active = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["engine", "role", "id"]
        constraints = [
            models.UniqueConstraint(fields=["engine", "name"], name="served_adapter_name"),
            models.UniqueConstraint(
                fields=["engine", "role"], condition=models.Q(active=True), name="served_adapter_active"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} on {self.engine}"
