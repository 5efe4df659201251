"""Everything the palette finds by name, from all rooms: the record's, and campaigns, dataset versions, training runs, adapters.

A name matches where every word of the text stands in it, in any order, as the palette does with what is on the page.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import TypeVar

from django.db.models import CharField, F, Model, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.http import HttpRequest, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from solver.campaigns.models import Campaign
from training.models import Adapter, DatasetVersion, TrainingRun
from trajectories import palette, queries
from trajectories.palette import Place
from trajectories.reader import owner_of

M = TypeVar("M", bound=Model)
MOST = 5  # of each kind


@require_safe
def places(request: HttpRequest) -> JsonResponse:
    text = request.GET.get("q", "").replace("\0", "").strip()[: queries.LONGEST_QUERY]
    found = palette.records(text, owner_of(request))
    if text:
        found += [*_campaigns(text), *_versions(text), *_trainings(text), *_adapters(text)]
    return JsonResponse({"places": [asdict(place) for place in found]})


def _named(rows: QuerySet[M], text: str, *parts: str) -> Iterable[M]:
    """The newest rows whose name, `parts` with columns in braces, holds every word."""
    columns = [F(part[1:-1]) if part.startswith("{") else Value(part) for part in parts]
    found = rows.annotate(palette=Concat(*(Cast(column, CharField()) for column in columns), Value("")))
    for word in text.split():
        found = found.filter(palette__icontains=word)
    return found.order_by("-pk")[:MOST]


def _campaigns(text: str) -> list[Place]:
    rows = _named(Campaign.objects.all(), text, "campaign ", "{id}", " ", "{name}")
    return [
        Place(f"Campaign {row.pk}: {row.name}", row.status, reverse("campaign", args=[row.pk]))
        for row in rows
    ]


def _versions(text: str) -> list[Place]:
    rows = _named(DatasetVersion.objects.all(), text, "dataset ", "{role}", "/v", "{number}")
    return [
        Place(
            f"Dataset {row}, {row.row_count} rows", row.state, reverse("dataset", args=[row.role, row.number])
        )
        for row in rows
    ]


def _trainings(text: str) -> list[Place]:
    rows = _named(TrainingRun.objects.select_related("dataset"), text, "training run ", "{id}", " ", "{role}")
    return [
        Place(
            f"Training run {row.pk}: {row.role} on {row.dataset}",
            row.status,
            reverse("training-run", args=[row.pk]),
        )
        for row in rows
    ]


def _adapters(text: str) -> list[Place]:
    rows = _named(Adapter.objects.all(), text, "adapter ", "{role}", "@", "{number}", " ", "{digest}")
    return [Place(f"Adapter {row}", row.state, reverse("adapter", args=[row.pk])) for row in rows]
