"""Filters of the exported page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template

register = template.Library()


@register.filter
def at(table: Mapping[Any, Any], key: Any) -> Any:
    return table.get(key)


@register.filter
def words(name: str) -> str:
    """`recorded_feedback` as people write it."""
    return str(name).replace("_", " ")
