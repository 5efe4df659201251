"""How much is stored and what it has saved, by engine; and clearing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Sum

from solver.answers.models import AnswerTally, StoredAnswer
from solver.engines.protocol import Usage


@dataclass(frozen=True, slots=True)
class Stock:
    """`saved` is money in the currency of the engine's price table; 0 where it has none."""

    engine: str
    answers: int = 0
    size: int = 0
    hits: int = 0
    tokens: int = 0
    saved: Decimal = Decimal(0)
    since: datetime | None = None


def hit(engine: str, usage: Usage, saved: Decimal) -> None:
    """A stored answer was used."""
    AnswerTally.objects.get_or_create(engine=engine)
    AnswerTally.objects.filter(engine=engine).update(
        hits=F("hits") + 1,
        tokens=F("tokens") + usage.prompt_tokens + usage.completion_tokens,
        saved=F("saved") + saved,
    )


def stocks() -> dict[str, Stock]:
    held = StoredAnswer.objects.exclude(answered_at=None).values("engine")
    counted = {
        row["engine"]: row for row in held.annotate(n=Count("key"), bytes=Sum("size")).order_by("engine")
    }
    tallies = {tally.engine: tally for tally in AnswerTally.objects.all()}
    found = {}
    for engine in {*counted, *tallies}:
        row: Mapping[str, Any] = counted.get(engine, {})
        tally = tallies.get(engine)
        used = (tally.hits, tally.tokens, tally.saved, tally.since) if tally else (0, 0, Decimal(0), None)
        found[engine] = Stock(engine, row.get("n", 0), row.get("bytes", 0), *used)
    return found


def clear(engine: str) -> int:
    """Forget an engine's answers, and what they had saved; returns how many. Questions being asked go on."""
    removed, _ = StoredAnswer.objects.filter(engine=engine).exclude(answered_at=None).delete()
    AnswerTally.objects.filter(engine=engine).delete()
    return removed
