"""The page of an alignment: one cell, or two paired on the problems that both described; the same as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from solver.benchmarks.embedding import EMBEDDERS, EmbedderMissing, has_minilm, usual
from solver.campaigns import alignment, heatmap
from solver.campaigns.models import CampaignCell


@require_safe
def alignment_page(request: HttpRequest) -> HttpResponse:
    """`?a=` and perhaps `?b=` are cells; `?embedder=` one of those there are; `?as=json` the figures alone."""
    cells = [_cell(request.GET[name]) for name in ("a", "b") if request.GET.get(name)]
    if not cells:
        raise Http404("name a cell: ?a=")
    embedder = request.GET.get("embedder") or usual()
    if embedder not in EMBEDDERS:
        raise Http404(f"no such embedder; there are {', '.join(EMBEDDERS)}")
    found, problem = None, ""
    try:
        found = alignment.read(cells, embedder)
    except EmbedderMissing as error:
        problem = str(error)
    if request.GET.get("as") == "json":
        return JsonResponse(_plain(cells, found, problem))
    return render(request, "campaigns/alignment.html", _context(cells, found, problem, embedder))


def _cell(text: str) -> CampaignCell:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
    cell = CampaignCell.objects.select_related("campaign").filter(pk=number).first()
    if cell is None:
        raise Http404("no such cell")
    return cell


def _context(
    cells: list[CampaignCell], found: alignment.Found | None, problem: str, embedder: str
) -> dict[str, Any]:
    aligned = found.alignment if found else None
    sides = []
    if aligned:
        sides = [
            (cell, side, heatmap.draw(aligned, side, f"cosine of {cell.name}'s descriptions with each tag"))
            for cell, side in zip(cells, aligned.sides, strict=True)
        ]
    return {
        "a": cells[0],
        "b": cells[1] if len(cells) > 1 else None,
        "choices": CampaignCell.objects.filter(campaign=cells[-1].campaign_id).exclude(pk=cells[0].pk),
        "found": found,
        "aligned": aligned,
        "sides": sides,
        "scale": heatmap.scale(aligned) if aligned else None,
        "problem": problem,
        "embedder": embedder,
        "embedders": [(name, one.title, name != "minilm" or has_minilm()) for name, one in EMBEDDERS.items()],
        "levels": range(heatmap.LEVELS),
        "most": heatmap.MOST,
    }


def _plain(cells: list[CampaignCell], found: alignment.Found | None, problem: str) -> dict[str, Any]:
    aligned = found.alignment if found else None
    return {
        "cells": [{"id": cell.pk, "name": cell.name, "campaign": cell.campaign_id} for cell in cells],
        "left_out": found.left_out if found else None,
        "problem": problem,
        "alignment": asdict(aligned) if aligned else None,
    }
