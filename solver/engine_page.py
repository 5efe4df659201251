"""What the Engines page shows of each engine: description, health, load, money, stored answers, the last test."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, Sum
from django.utils.timezone import now

from solver import engine_book
from solver.answers import tally
from solver.answers.tally import Stock
from solver.engines.sockets import address_of, socket_of
from solver.engines.spec import EngineKind, EngineSpec
from solver.prices import book
from solver.prices.models import PriceRow
from solver.serving import live
from solver.serving.live import Live
from solver.serving.models import EngineService, EngineTest
from trajectories.models import Run, RunStatus

WINDOW = timedelta(days=30)
BUSY = {"starting", "draining"}


@dataclass(frozen=True, slots=True)
class Usage:
    """Of the runs of the last 30 days that were made here; `running` and `queued` are of now."""

    runs: int = 0
    running: int = 0
    queued: int = 0
    calls: int = 0
    tokens: int = 0
    cost: Decimal = Decimal(0)
    currency: str = ""


@dataclass(frozen=True, slots=True)
class ServedModel:
    """`digest` None: a name of the server's, not weights of this machine. `lacking`: why it is not served."""

    role: str
    name: str
    digest: str | None
    lacking: str = ""


@dataclass(frozen=True, slots=True)
class EngineCard:
    spec: EngineSpec
    public: dict[str, Any]
    shipped: bool
    models: list[ServedModel]
    live: Live
    service: EngineService | None
    usage: Usage
    stock: Stock
    prices: list[PriceRow]
    test: EngineTest | None

    @property
    def managed(self) -> bool:
        return self.spec.vllm is not None

    @property
    def address(self) -> str:
        """Where it is reached; of an engine that ships, the socket of its own process, not the address it is told."""
        if self.shipped and self.spec.base_url and socket_of(self.spec) is None:
            return "a unix socket that manage.py up makes; none here"
        return address_of(self.spec)

    @property
    def editable(self) -> bool:
        return not self.shipped and self.spec.kind is EngineKind.OPENAI

    @property
    def test_is_stale(self) -> bool:
        return self.test is not None and self.test.digest != self.spec.digest()

    @property
    def keeps(self) -> bool:
        """Whether its answers are stored unless a run asks anew."""
        if self.spec.stored_answers == "auto":
            return self.spec.kind is EngineKind.OPENAI and not self.spec.simulated
        return self.spec.stored_answers == "always" and self.spec.kind is not EngineKind.RECORDED

    @property
    def busy(self) -> bool:
        return bool(self.usage.running or self.live.active or self.live.state in BUSY)


def cards() -> list[EngineCard]:
    specs = engine_book.all_engines()
    shipped, usage, stocks = engine_book.shipped(), _usage(), tally.stocks()
    services = {service.name: service for service in EngineService.objects.all()}
    tests = {test.name: test for test in EngineTest.objects.all()}
    found = []
    for spec in specs:
        service = services.get(spec.name) if spec.vllm is not None else None
        public = spec.public()
        found.append(
            EngineCard(
                spec=spec,
                public=public,
                shipped=spec.name in shipped,
                models=_models(spec, public, service),
                live=live.of(spec, service),
                service=service,
                usage=usage.get(spec.name, Usage()),
                stock=stocks.get(spec.name, Stock(spec.name)),
                prices=book.rows(spec),
                test=tests.get(spec.name),
            )
        )
    return found


def _models(spec: EngineSpec, public: dict[str, Any], service: EngineService | None) -> list[ServedModel]:
    digests, lacking = public.get("adapters", {}), service.adapters if service else {}
    return [
        ServedModel(
            role,
            model,
            (digests[model] or "") if model in digests else None,
            str(lacking.get(model, "")),
        )
        for role, model in spec.models.items()
    ]


def _usage() -> dict[str, Usage]:
    recent = Run.objects.filter(created_at__gte=now() - WINDOW, imported_from="")
    rows = (
        recent.order_by()
        .values("engine_name")
        .annotate(
            runs=Count("pk"),
            running=Count("pk", filter=Q(status=RunStatus.RUNNING)),
            queued=Count("pk", filter=Q(status=RunStatus.QUEUED)),
            calls=Sum("calls"),
            prompt=Sum("prompt_tokens"),
            completion=Sum("completion_tokens"),
            cost=Sum("cost"),
        )
    )
    currencies = dict(recent.exclude(currency="").order_by("pk").values_list("engine_name", "currency"))
    return {
        row["engine_name"]: Usage(
            row["runs"],
            row["running"],
            row["queued"],
            row["calls"],
            row["prompt"] + row["completion"],
            row["cost"],
            currencies.get(row["engine_name"], ""),
        )
        for row in rows
    }
