"""Distillation as rows. The runs are a campaign's, so that budget, retries, pauses and cost are the campaign's too; what
is added here is which of them were harvested and what came of each."""

from __future__ import annotations

from django.db import models

from solver.campaigns.models import Campaign
from trajectories.models import Run


class Distillation(models.Model):
    """`campaign` runs it; None where the trajectories were imported. `spec` is exact and never changes."""

    name = models.CharField(max_length=120)
    spec = models.JSONField()
    spec_digest = models.CharField(max_length=64, db_index=True)
    request_id = models.CharField(max_length=64, unique=True)
    campaign = models.OneToOneField(Campaign, models.PROTECT, null=True, related_name="distillation")
    created_by = models.CharField(max_length=150, blank=True)
    code_version = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"distillation {self.pk}: {self.name}"


class Harvest(models.Model):
    """A judged run has been looked at. `kept`: role -> ids of the examples it gives; `why`: role -> why it gives none."""

    distillation = models.ForeignKey(Distillation, models.CASCADE, related_name="harvests")
    run = models.ForeignKey(Run, models.PROTECT, related_name="harvests")
    cell = models.CharField(max_length=8)  # teacher, student or imported
    passed = models.BooleanField()
    kept = models.JSONField(default=dict)
    why = models.JSONField(default=dict)

    class Meta:
        ordering = ["distillation", "id"]
        constraints = [models.UniqueConstraint(fields=["distillation", "run"], name="harvest_once")]

    def __str__(self) -> str:
        return f"harvest of run {self.run_id}"
