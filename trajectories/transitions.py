"""Guarded transitions: a row moves only from a state that allows it, in one UPDATE, whoever else is at it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet


def move(
    rows: QuerySet[Any], moves: Mapping[Any, set[Any]], field: str, to: Any, changes: Mapping[str, Any]
) -> int:
    """Only rows whose `field` may become `to` by `moves` (state to the states after it) move. Returns how many did."""
    allowed = [state for state, after in moves.items() if to in after]
    return rows.filter(**{f"{field}__in": allowed}).update(**{field: to, **changes})
