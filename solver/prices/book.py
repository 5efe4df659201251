"""The price tables of this lab: read, add to, replace from a file, remove from."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from solver.engines.prices import Price, PriceTable, check_together
from solver.engines.spec import EngineSpec
from solver.prices.models import PriceRow

_FIELDS = ("model", "input", "cached_input", "output", "currency", "valid_from")


def table_name(spec: EngineSpec) -> str:
    return spec.price_table or spec.name


def table(spec: EngineSpec) -> PriceTable:
    return _read(table_name(spec))


def rows(spec: EngineSpec) -> list[PriceRow]:
    return list(PriceRow.objects.filter(table=table_name(spec)))


def add(spec: EngineSpec, price: Price) -> None:
    """Raises BadPrice where it does not go with those there are."""
    name = table_name(spec)
    with transaction.atomic():
        check_together([*_read(name).prices, price])
        PriceRow.objects.create(table=name, **price.model_dump())


def replace(spec: EngineSpec, prices: Sequence[Price]) -> None:
    """The whole table from a file. What calls have cost so far stands in their records and does not change."""
    name = table_name(spec)
    check_together(prices)
    with transaction.atomic():
        PriceRow.objects.filter(table=name).delete()
        PriceRow.objects.bulk_create([PriceRow(table=name, **price.model_dump()) for price in prices])


def remove(spec: EngineSpec, pk: int) -> bool:
    removed, _ = PriceRow.objects.filter(table=table_name(spec), pk=pk).delete()
    return bool(removed)


def _read(name: str) -> PriceTable:
    found = PriceRow.objects.filter(table=name).values(*_FIELDS)
    return PriceTable(tuple(Price.model_validate(row) for row in found))
