"""An engine whose replies say what they cost."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.utils.timezone import now

from solver.answers import tally
from solver.engines.prices import Price, PriceTable
from solver.engines.protocol import ChatModel, ChatReply, ChatRequest, EngineInfo

ZERO = Decimal(0)


class Priced:
    """Adds `detail["cost"]`: amount and currency as text, and the day from which the price is valid.

    A stored answer costs nothing; what it would have cost stands beside it as `saved`. Without a price there is no
    cost in the reply: unknown is not zero.
    """

    def __init__(self, inner: ChatModel, engine: str, prices: PriceTable) -> None:
        self._inner, self._engine, self._prices = inner, engine, prices

    def chat(
        self,
        request: ChatRequest,
        *,
        on_delta: Callable[[str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> ChatReply:
        reply = self._inner.chat(request, on_delta=on_delta, cancelled=cancelled)
        price = self._prices.at(request.model, now().date())
        if reply.stored:
            tally.hit(self._engine, reply.usage, price.cost(reply.usage) if price else ZERO)
        if price is None:
            return reply
        return dataclasses.replace(reply, detail={**reply.detail, "cost": _cost(reply, price)})

    def info(self) -> EngineInfo:
        return self._inner.info()

    def close(self) -> None:
        self._inner.close()


def _cost(reply: ChatReply, price: Price) -> dict[str, Any]:
    worth = price.cost(reply.usage)
    paid, saved = (ZERO, worth) if reply.stored else (worth, ZERO)
    told = {"amount": f"{paid:f}", "currency": price.currency, "price_from": price.valid_from.isoformat()}
    if saved:
        told["saved"] = f"{saved:f}"
    return told
