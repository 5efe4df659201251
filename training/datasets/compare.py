"""Two versions of a role side by side: which examples came, went, or changed their split. No text is loaded."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from django.db.models import Exists, F, OuterRef, QuerySet

from training.models import DatasetRow, DatasetVersion

SHOWN = 50


@dataclass(slots=True)
class Difference:
    """`added` and `removed` are the first rows of each; `by_way` counts what came (+) and went (-) by way."""

    before: DatasetVersion
    after: DatasetVersion
    kept: int = 0
    added_count: int = 0
    removed_count: int = 0
    moved_count: int = 0
    added: list[DatasetRow] = field(default_factory=list)
    removed: list[DatasetRow] = field(default_factory=list)
    moved: list[DatasetRow] = field(default_factory=list)
    by_way: list[tuple[str, int, int]] = field(default_factory=list)

    @property
    def same(self) -> bool:
        return self.before.digest == self.after.digest


def compare(before: DatasetVersion, after: DatasetVersion) -> Difference:
    added, removed = _only_in(after, before), _only_in(before, after)
    both = DatasetRow.objects.filter(version=after, example__rows__version=before)
    moved = both.exclude(split=F("example__rows__split"))
    ways = (Counter(rows.values_list("example__way", flat=True).order_by()) for rows in (added, removed))
    came, went = ways
    return Difference(
        before,
        after,
        both.count(),
        added.count(),
        removed.count(),
        moved.count(),
        list(added.select_related("example__problem")[:SHOWN]),
        list(removed.select_related("example__problem")[:SHOWN]),
        list(moved.select_related("example__problem")[:SHOWN]),
        [(way, came[way], went[way]) for way in sorted({*came, *went})],
    )


def _only_in(one: DatasetVersion, other: DatasetVersion) -> QuerySet[DatasetRow]:
    there = DatasetRow.objects.filter(version=other, example=OuterRef("example"))
    return DatasetRow.objects.filter(~Exists(there), version=one).order_by("position")
