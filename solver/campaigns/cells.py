"""The cells of a campaign: each strategy with each model set in each language, checked against what the lab has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from solver import engine_book, judge_pool
from solver.campaigns.spec import CampaignSpec, ModelChoice, StrategyChoice
from solver.engines.spec import EngineSpec
from solver.judge import language_from_name
from solver.strategies.registry import STRATEGIES, BadParameter, StrategyInfo
from trajectories.spec_text import Fault

T = TypeVar("T")

LETTER = {"retrieval": "R", "planning": "P", "coding": "C", "debugging": "D"}


@dataclass(frozen=True, slots=True)
class StrategyPart:
    info: StrategyInfo
    params: dict[str, Any]
    label: str


@dataclass(frozen=True, slots=True)
class ModelPart:
    engine: EngineSpec
    choice: ModelChoice
    label: str


@dataclass(frozen=True, slots=True)
class CellPlan:
    """`calls` is the most model calls that one run of this cell may make."""

    name: str
    strategy: StrategyPart
    model: ModelPart
    language: str
    calls: int

    @property
    def params(self) -> dict[str, Any]:
        return {**self.strategy.params, "language": self.language}

    def engine_copy(self) -> dict[str, Any]:
        """What every run of this cell keeps of its engine; a run with another copy measures something else."""
        spec = self.model.engine
        choice = self.model.choice
        roles = engine_book.roles_of(spec, choice.switches())
        return engine_book.copy_for_run(spec, roles, constrained=choice.constrained)


def build(spec: CampaignSpec) -> tuple[list[CellPlan], list[Fault]]:
    faults: list[Fault] = []
    strategies = _found(_strategy(i, choice, faults) for i, choice in enumerate(spec.strategies, 1))
    models = _found(_model(i, choice, faults) for i, choice in enumerate(spec.models, 1))
    languages = _found(_language(i, given, faults) for i, given in enumerate(spec.languages, 1))
    for strategy in strategies:
        for model in models:
            _check_templates(strategy, model, faults)
    if faults:
        return [], faults
    cells = [
        _cell(strategy, model, language, spec)
        for language in languages
        for model in models
        for strategy in strategies
    ]
    return cells, _same_twice(cells)


def _found(parts: Iterable[T | None]) -> list[T]:
    return [part for part in parts if part is not None]


def _strategy(number: int, choice: StrategyChoice, faults: list[Fault]) -> StrategyPart | None:
    where = f"strategies.{number}"
    info = STRATEGIES.get(choice.name)
    if info is None:
        have = ", ".join(STRATEGIES)
        faults.append(Fault(f"{where}.name", f"There is no strategy {choice.name!r}; use one of {have}."))
        return None
    try:
        params = info.check(choice.params)
    except BadParameter as error:
        faults.append(Fault(f"{where}.params.{error.name}", str(error)))
        return None
    told = " ".join(f"{name}={_short(value)}" for name, value in choice.params.items())
    return StrategyPart(info, params, choice.label or f"{info.title} {told}".strip())


def _short(value: Any) -> str:
    return "+".join(map(str, value)) if isinstance(value, list) else str(value)


def _model(number: int, choice: ModelChoice, faults: list[Fault]) -> ModelPart | None:
    where = f"models.{number}"
    try:
        engine = engine_book.get(choice.engine)
    except LookupError as error:
        faults.append(Fault(f"{where}.engine", f"{str(error)[:1].upper()}{str(error)[1:]}."))
        return None
    if unknown := engine_book.unknown_adapters(engine, choice.switches()):
        have = ", ".join(sorted(engine.adapters)) or "none"
        message = f"Engine {engine.name!r} has no adapter {', '.join(unknown)}; it serves {have}."
        faults.append(Fault(f"{where}.adapters", message))
        return None
    if choice.adapters != "all" and not isinstance(choice.adapters, dict) and not has_adapters(engine):
        message = f"Engine {engine.name!r} serves every role by one model; it has no adapters to switch off."
        faults.append(Fault(f"{where}.adapters", message))
        return None
    if choice.constrained and (why := engine_book.cannot_constrain(engine)):
        faults.append(Fault(f"{where}.constrained", why))
        return None
    label = choice.label or engine.name
    return ModelPart(engine, choice, label if choice.label else f"{label}{_switched(choice)}")


def has_adapters(engine: EngineSpec) -> bool:
    every_role_off = dict.fromkeys(LETTER, False)
    return engine_book.roles_of(engine) != engine_book.roles_of(engine, every_role_off)


def _switched(choice: ModelChoice) -> str:
    mode = ", constrained" if choice.constrained else ""
    if choice.adapters == "all":
        return mode
    on = [LETTER[role] for role, is_on in choice.switches().items() if is_on]
    return (f" {'+'.join(on)} adapters" if on else " without adapters") + mode


def _language(number: int, given: str, faults: list[Fault]) -> str | None:
    try:
        name = language_from_name(given)
    except ValueError as error:
        faults.append(Fault(f"languages.{number}", str(error)))
        return None
    if name not in judge_pool.languages():
        have = ", ".join(judge_pool.languages())
        message = f"{given} is not installed on this machine; the judge found: {have}."
        faults.append(Fault(f"languages.{number}", message))
        return None
    return name


def _check_templates(strategy: StrategyPart, model: ModelPart, faults: list[Fault]) -> None:
    missing = strategy.info.missing_templates(model.engine.templates)
    if missing:
        message = (
            f"Engine {model.engine.name!r} speaks with the prompt set {model.engine.templates!r}, which has no "
            f"{', '.join(missing)}; {strategy.info.title} cannot use it."
        )
        faults.append(Fault("strategies", message))


def _cell(strategy: StrategyPart, model: ModelPart, language: str, spec: CampaignSpec) -> CellPlan:
    parts = [
        *(
            [strategy.label]
            if len(spec.strategies) > 1 or len(spec.models) * len(spec.languages) == 1
            else []
        ),
        *([model.label] if len(spec.models) > 1 else []),
        *([language] if len(spec.languages) > 1 else []),
    ]
    params = strategy.info.params({**strategy.params, "language": language})
    calls = params.max_calls or strategy.info.call_bound(params)
    return CellPlan(" · ".join(parts)[:200], strategy, model, language, calls)


def _same_twice(cells: Iterable[CellPlan]) -> list[Fault]:
    faults, seen, names = [], set[str](), set[str]()
    for cell in cells:
        settings = repr((cell.strategy.info.name, sorted(cell.params.items()), cell.engine_copy()))
        if settings in seen:
            faults.append(
                Fault("", f"The combination {cell.name!r} occurs twice with the same settings; drop one.")
            )
        elif cell.name in names:
            faults.append(
                Fault(
                    "", f"Two combinations are called {cell.name!r}; give their strategies or models labels."
                )
            )
        seen.add(settings)
        names.add(cell.name)
    return faults
