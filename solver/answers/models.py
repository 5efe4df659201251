"""Stored answers and what they have saved."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class StoredAnswer(models.Model):
    """One answer, or one question being asked (`reply` null) under a lease that `asked_by` renews.

    `key` is the digest of everything that decides the answer: see `solver.answers.key`.
    """

    key = models.CharField(max_length=64, primary_key=True)
    engine = models.CharField(max_length=64, db_index=True)
    model = models.CharField(max_length=200)
    reply = models.JSONField(null=True)
    size = models.PositiveIntegerField(default=0)  # bytes of the reply as JSON
    hits = models.PositiveIntegerField(default=0)
    asked_by = models.CharField(max_length=32)
    asking_until = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True, db_index=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(reply__isnull=True, answered_at=None)
                | Q(reply__isnull=False, answered_at__isnull=False),
                name="answer_whole",
            )
        ]

    def __str__(self) -> str:
        return f"stored answer {self.key[:12]} of {self.engine}"


class AnswerTally(models.Model):
    """What the store has spared an engine since `since`; it outlives the answers that were evicted."""

    engine = models.CharField(max_length=64, primary_key=True)
    hits = models.PositiveBigIntegerField(default=0)
    tokens = models.PositiveBigIntegerField(default=0)
    saved = models.DecimalField(max_digits=18, decimal_places=9, default=0)
    since = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"tally of {self.engine}"
