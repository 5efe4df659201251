"""What a step's detail says it cost: `{"cost": {"amount": "0.000123", "currency": "USD", "saved": "0.0004"}}`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

_AMOUNT = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Spent:
    """`saved` is what the step would have cost had its answer not been stored."""

    amount: Decimal
    saved: Decimal
    currency: str


def spent(detail: dict[str, Any]) -> Spent | None:
    """None where no price was known, or where a file of another lab says something that is no amount."""
    told = detail.get("cost")
    if not isinstance(told, dict):
        return None
    currency, amount, saved = told.get("currency"), told.get("amount"), told.get("saved", "0")
    if not (isinstance(currency, str) and isinstance(amount, str) and isinstance(saved, str)):
        return None
    if not (_CURRENCY.fullmatch(currency) and _AMOUNT.fullmatch(amount) and _AMOUNT.fullmatch(saved)):
        return None
    return Spent(Decimal(amount), Decimal(saved), currency)
