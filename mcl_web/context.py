"""What every page knows: the navigation's counts and the workers that are alive."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.utils.timezone import now

from trajectories.models import Worker


def lab(request: HttpRequest) -> dict[str, Any]:
    alive = Worker.objects.filter(beat_at__gt=now() - timedelta(seconds=30)).values_list("kind", flat=True)
    kinds: dict[str, int] = {}
    for kind in alive:
        kinds[kind] = kinds.get(kind, 0) + 1
    return {"workers": sorted(kinds.items()), "section": request.path.strip("/").partition("/")[0]}
