"""What a call costs: prices a million tokens, each valid from a day on.

Amounts are Decimals from the text that states them to the sum that is shown; a float never holds money.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from solver.engines.protocol import Usage

MILLION = Decimal(1_000_000)
QUANTUM = Decimal("0.000000001")  # nine places: one token at a thousandth of a cent a million still counts
Amount = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=6)]


class BadPrice(ValueError):
    """A price that cannot be used; one sentence a fault."""


class Price(BaseModel):
    """Per million tokens. An empty `model` is the price of every model that has none of its own."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    model: str = Field(default="", max_length=200)
    input: Amount
    cached_input: Amount | None = None  # prompt tokens the server had computed before; None: priced as input
    output: Amount
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")
    valid_from: date = date(1970, 1, 1)

    @classmethod
    def parse(cls, data: Mapping[str, Any], where: str = "The price") -> Price:
        """Raises BadPrice."""
        try:
            return cls.model_validate(dict(data))
        except ValidationError as error:
            raise BadPrice(" ".join(_sentence(where, item) for item in error.errors())) from None

    def cost(self, usage: Usage) -> Decimal:
        cached = min(usage.cached_tokens, usage.prompt_tokens)
        cached_price = self.input if self.cached_input is None else self.cached_input
        total = (
            (usage.prompt_tokens - cached) * self.input
            + cached * cached_price
            + usage.completion_tokens * self.output
        )
        return (total / MILLION).quantize(QUANTUM, ROUND_HALF_EVEN)


@dataclass(frozen=True, slots=True)
class PriceTable:
    """All prices of one engine, of one currency, whatever their age."""

    prices: tuple[Price, ...] = ()

    @property
    def currency(self) -> str:
        return self.prices[0].currency if self.prices else ""

    def at(self, model: str, day: date) -> Price | None:
        """The newest price that was valid on `day`: the model's own before the one for every model."""
        for name in dict.fromkeys((model, "")):
            valid = [price for price in self.prices if price.model == name and price.valid_from <= day]
            if valid:
                return max(valid, key=lambda price: price.valid_from)
        return None


def parse_prices(entries: Iterable[Any]) -> list[Price]:
    """The prices of one table. Raises BadPrice: a wrong field, the same day twice, or two currencies."""
    prices = []
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, Mapping):
            raise BadPrice(f"Price {number} must be a mapping such as {{input: 0.15, output: 0.6}}.")
        prices.append(Price.parse(entry, f"Price {number}"))
    check_together(prices)
    return prices


def check_together(prices: Sequence[Price]) -> None:
    """Raises BadPrice where a sum over the table would mean nothing."""
    currencies = sorted({price.currency for price in prices})
    if len(currencies) > 1:
        raise BadPrice(
            f"One table has one currency, not {' and '.join(currencies)}: sums over a run would mean nothing."
        )
    seen: set[tuple[str, date]] = set()
    for price in prices:
        if (price.model, price.valid_from) in seen:
            name = f"model {price.model!r}" if price.model else "every model"
            raise BadPrice(f"There are two prices of {name} from {price.valid_from}; keep one.")
        seen.add((price.model, price.valid_from))


def _sentence(where: str, item: Any) -> str:
    field = ".".join(str(part) for part in item["loc"])
    what = str(item["msg"]).rstrip(".")
    if item["type"] == "extra_forbidden":
        what = "there is no such field; the fields are " + ", ".join(Price.model_fields)
    elif item["type"] == "string_pattern_mismatch":
        what = "must be three capital letters such as USD"
    return f"{where}, {field}: {what}."
