"""What the page of a training run shows, read from its row and events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.safestring import SafeString

from training import curves, lora_spec
from training.models import DatasetRow, TrainingEvent, TrainingRun
from training.run_models import TrainingStatus

ALERTS = 5


@dataclass(frozen=True, slots=True)
class Extreme:
    """A held-out row and its loss; `row` leads to the example and its step."""

    loss: float | None  # None: not a number
    row: DatasetRow | None
    position: int


@dataclass(slots=True)
class Live:
    """The parts that change while a run goes on."""

    run: TrainingRun
    started: dict[str, Any] = field(default_factory=dict)
    last: dict[str, Any] = field(default_factory=dict)
    held_out: dict[str, Any] = field(default_factory=dict)
    best: list[Extreme] = field(default_factory=list)
    worst: list[Extreme] = field(default_factory=list)
    alerts: list[dict[str, Any]] = field(default_factory=list)
    batch: dict[str, Any] | None = None
    attempts: int = 0
    charts: dict[str, SafeString] = field(default_factory=dict)

    @property
    def waits(self) -> bool:
        return self.run.status == TrainingStatus.QUEUED


def live(run: TrainingRun, others: Sequence[TrainingRun] = ()) -> Live:
    found = Live(run)
    found.started = _last(run, "started")
    found.last = _last(run, "metrics")
    found.held_out = _last(run, "eval")
    found.best = _extremes(run, found.held_out.get("best", []))
    found.worst = _extremes(run, found.held_out.get("worst", []))
    alerts = TrainingEvent.objects.filter(run=run, kind="alert").order_by("-seq")
    found.alerts = list(alerts.values_list("payload", flat=True)[:ALERTS])
    found.batch = curves.first_batch(run)
    found.attempts = TrainingEvent.objects.filter(run=run, kind="attempt").count()
    found.charts = {
        "loss": curves.loss_chart(run, others),
        "lr": curves.line_chart(run, "lr", "Learning rate"),
        "grad_norm": curves.line_chart(run, "grad_norm", "Gradient norm before clipping"),
    }
    if run.spec["method"] == "dpo":
        found.charts["margin"] = curves.line_chart(run, "margin", "Margin of the answer over the refused one")
        found.charts["held_out"] = curves.held_out_chart(run, "Held-out loss on answer tokens")
    return found


def _last(run: TrainingRun, kind: str) -> dict[str, Any]:
    told = TrainingEvent.objects.filter(run=run, kind=kind).order_by("-seq").values_list("payload", flat=True)
    return told.first() or {}


def _extremes(run: TrainingRun, told: list[dict[str, Any]]) -> list[Extreme]:
    rows = DatasetRow.objects.filter(version=run.dataset_id, position__in=[one["row"] for one in told])
    by_position = {row.position: row for row in rows.select_related("example__problem", "example__run")}
    return [Extreme(one["loss"], by_position.get(one["row"]), one["row"]) for one in told]


def settings(run: TrainingRun) -> str:
    return lora_spec.to_yaml(run.spec)


def comparable(run: TrainingRun) -> list[TrainingRun]:
    """Runs of the same role and method that have something to show; losses of SFT and DPO are different things."""
    same = TrainingRun.objects.filter(role=run.role, spec__method=run.spec["method"])
    others = same.filter(step__gt=0).exclude(pk=run.pk)
    return list(others.select_related("dataset").order_by("-pk")[:20])
