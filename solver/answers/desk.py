"""The engine as a run meets it: its answers are kept where that is agreed, and every reply says what it cost."""

from __future__ import annotations

from collections.abc import Callable

from solver.answers.store import StoredAnswers
from solver.engines.protocol import ChatModel
from solver.engines.routed import RoutedEngine
from solver.engines.spec import EngineKind, EngineSpec
from solver.prices import book
from solver.prices.priced import Priced


def accounted(
    spec: EngineSpec, opened: Callable[[EngineSpec], ChatModel], *, ask_anew: bool = False
) -> ChatModel:
    """`ask_anew`: neither read nor keep answers. Closing is left to the process, which shares the engine.

    The members of a routed engine are accounted for one by one: they have stores and prices of their own.
    """
    if spec.kind is EngineKind.ROUTED:
        return RoutedEngine(spec, lambda member: accounted(member, opened, ask_anew=ask_anew))
    engine = opened(spec)
    kept = engine if ask_anew else StoredAnswers(engine, spec)
    return Priced(kept, spec.name, book.table(spec))
