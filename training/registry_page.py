"""What the registry shows: every adapter with its newest evaluation, and what serves now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from solver.campaigns.models import CampaignStatus
from solver.models import ServedAdapter
from training.evaluation import clearly_better
from training.models import Adapter, AdapterEvaluation

SHOWN = 40


@dataclass(frozen=True, slots=True)
class RegistryRow:
    adapter: Adapter
    result: dict[str, Any] | None
    evaluating: int | None  # campaign under way; one that has ended without a measured problem is none
    serving: bool

    @property
    def verdict(self) -> str:
        """What was measured, in words; empty without an evaluation."""
        if self.result is None:
            return ""
        served = self.result.get("served")
        if self.result["high"] < 0:
            return "worse than the base"
        if served and served["n"] and served["high"] < 0:
            return "worse than what served"
        return "better" if clearly_better(self.result) else "no clear gain"


def rows(adapters: list[Adapter] | None = None) -> list[RegistryRow]:
    found = list(Adapter.objects.select_related("dataset")[:SHOWN]) if adapters is None else adapters
    links = AdapterEvaluation.adapters.through.objects.filter(adapter__in=found).order_by(
        "-adapterevaluation_id"
    )
    results: dict[int, Any] = {}
    open_ones: dict[int, int] = {}
    evaluations = {
        made.pk: made
        for made in AdapterEvaluation.objects.filter(adapters__in=found).select_related("campaign")
    }
    for link in links:
        made = evaluations[link.adapterevaluation_id]
        if made.result is not None:
            results.setdefault(link.adapter_id, {**made.result, "campaign": made.campaign_id})
        elif made.campaign.status in (CampaignStatus.RUNNING, CampaignStatus.PAUSED):
            open_ones.setdefault(link.adapter_id, made.campaign_id)
    active = set(ServedAdapter.objects.filter(active=True).values_list("engine", "name"))
    return [
        RegistryRow(
            adapter,
            results.get(adapter.pk),
            open_ones.get(adapter.pk),
            (adapter.engine, adapter.name) in active,
        )
        for adapter in found
    ]
