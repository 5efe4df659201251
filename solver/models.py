"""Configured engines, and the rows of the packages beside this module.

A run copies the specification it was started with; it never refers back to an engine's row.
"""

from __future__ import annotations

from django.db import models

from solver.answers.models import AnswerTally, StoredAnswer
from solver.campaigns.models import Campaign, CampaignCell, CampaignProblem, CampaignRun
from solver.prices.models import PriceRow

__all__ = [
    "AnswerTally",
    "Campaign",
    "CampaignCell",
    "CampaignProblem",
    "CampaignRun",
    "Engine",
    "PriceRow",
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
