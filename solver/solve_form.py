"""The Solve form: what can be chosen for a problem, what is chosen now, and reading it back from a request.

Parameters of a strategy are sent as `<strategy>.<parameter>` and adapter switches as `<engine>.<role>`, so that the form
holds every choice at once and needs no script to change what it shows.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict

from solver import engine_book, judge_pool, runs
from solver.engines.protocol import Role
from solver.engines.spec import BASE, EngineSpec
from solver.judge import LANGUAGES
from solver.strategies.parameters import Parameter
from solver.strategies.registry import STRATEGIES, BadParameter, StrategyInfo
from trajectories.models import Problem, Run
from trajectories.problem_schema import TestKind
from trajectories.sent_once import key_of_form

DEFAULT_STRATEGY = "mapcoder"
AGENTS = (Role.RETRIEVAL, Role.PLANNING, Role.CODING, Role.DEBUGGING)


@dataclass(frozen=True, slots=True)
class Setting:
    """One parameter of a strategy with its present value."""

    field: str
    parameter: Parameter
    value: Any


@dataclass(frozen=True, slots=True)
class StrategyChoice:
    info: StrategyInfo
    chosen: bool
    settings: tuple[Setting, ...]
    calls: int


@dataclass(frozen=True, slots=True)
class AdapterSwitch:
    field: str
    role: str
    adapter: str
    on: bool


@dataclass(frozen=True, slots=True)
class EngineChoice:
    spec: EngineSpec
    chosen: bool
    default: bool
    concerns: tuple[str, ...]
    adapters: tuple[AdapterSwitch, ...]
    constrained: bool


@dataclass(slots=True)
class SolveForm:
    strategies: list[StrategyChoice]
    engines: list[EngineChoice]
    languages: list[tuple[str, str]]
    language: str
    judge_profiles: tuple[str, ...]
    judge_profile: str
    seed: str
    request_id: str
    ask_anew: bool = False
    errors: dict[str, str] = field(default_factory=dict)


def blank(problem: Problem, like: Run | None = None) -> SolveForm:
    """The form with defaults, or with what the run `like` was started with."""
    chosen: dict[str, str] = {}
    if like is not None:
        chosen = {
            "strategy": like.strategy,
            "engine": like.engine_name,
            "seed": str(like.seed),
            "language": like.language,
            "judge_profile": like.judge_profile,
            "ask_anew": "1" if like.engine.get("ask_anew") else "",
            f"{like.engine_name}.constrained": "on" if like.engine.get("constrained") else "",
            **{f"{like.strategy}.{name}": _as_text(value) for name, value in like.params.items()},
        }
    switches = None if like is None else _switched_on(like)
    return _form(problem, chosen | (switches or {}), sent=switches is not None)


def _switched_on(like: Run) -> dict[str, str] | None:
    """The ticks of the adapters that the run used; None where its engine is gone or it does not say who answered."""
    spec = next((spec for spec in engine_book.all_engines() if spec.name == like.engine_name), None)
    roles = like.engine.get("roles")
    if spec is None or not roles:
        return None
    bare = engine_book.roles_of(spec, {role.value: False for role in AGENTS})
    return {f"{spec.name}.{role}": "on" for role in AGENTS if roles.get(role) != bare[role]}


def refused(problem: Problem, sent: QueryDict, error: runs.StartRefused) -> SolveForm:
    """The form as it was sent, with what is wrong with it."""
    form = _form(problem, {name: ",".join(values) for name, values in sent.lists()}, sent=True)
    form.errors[error.field] = str(error)
    form.request_id = sent.get("request_id") or form.request_id
    return form


def start(problem: Problem, sent: QueryDict, user: str) -> Run:
    """Start what the form asks for. Raises runs.StartRefused."""
    strategy, engine = sent.get("strategy", ""), sent.get("engine", "")
    params = {
        name.partition(".")[2]: ",".join(values) if len(values) > 1 else values[0]
        for name, values in sent.lists()
        if name.startswith(f"{strategy}.") and any(values)
    }
    try:
        seed = int(sent.get("seed") or 0)
    except ValueError:
        raise runs.StartRefused("seed", "The seed must be a whole number.") from None
    return runs.start(
        problem,
        engine=engine,
        strategy=strategy,
        params=params,
        seed=seed,
        language=sent.get("language", "python"),
        judge_profile=sent.get("judge_profile", "strict"),
        adapters=_switched_off(engine, sent),
        ask_anew="ask_anew" in sent,
        constrained=bool(sent.get(f"{engine}.constrained")),
        request_id=key_of_form(sent),
        created_by=user,
    )


def _switched_off(engine: str, sent: QueryDict) -> dict[str, bool]:
    """Roles whose adapter was shown and left unticked. A form that shows no adapters sends no `<engine>.shown`."""
    shown = sent.getlist(f"{engine}.shown")
    return {role: False for role in shown if f"{engine}.{role}" not in sent}


def _form(problem: Problem, chosen: Mapping[str, str], *, sent: bool) -> SolveForm:
    engines = engine_book.all_engines()
    default = engine_book.default_engine(problem)
    names = [spec.name for spec in engines]
    engine = chosen.get("engine") if chosen.get("engine") in names else (default.name if default else "")
    strategy = chosen.get("strategy", DEFAULT_STRATEGY)
    strategy = strategy if strategy in STRATEGIES else DEFAULT_STRATEGY
    if default is not None and not chosen:
        usual = engine_book.usual_params(default).items()
        chosen = {f"{name}.{key}": str(value) for name in STRATEGIES for key, value in usual}
    available = judge_pool.languages() if problem.test_kind == TestKind.STDIO else ("python",)
    return SolveForm(
        strategies=[_strategy(info, info.name == strategy, chosen) for info in STRATEGIES.values()],
        engines=[
            _engine(
                problem,
                spec,
                spec.name == engine,
                default is not None and spec.name == default.name,
                chosen,
                sent,
            )
            for spec in engines
        ],
        languages=[(key, LANGUAGES[key].title) for key in available],
        language=chosen.get("language", "python"),
        judge_profiles=runs.JUDGE_PROFILES,
        judge_profile=chosen.get("judge_profile", "strict"),
        seed=chosen.get("seed", "0"),
        request_id=uuid.uuid4().hex,
        ask_anew=bool(chosen.get("ask_anew")),
    )


def _strategy(info: StrategyInfo, chosen: bool, values: Mapping[str, str]) -> StrategyChoice:
    settings = tuple(
        Setting(f"{info.name}.{p.name}", p, values.get(f"{info.name}.{p.name}", _as_text(p.default)))
        for p in info.parameters
        if p.kind != "subset"
    )
    try:
        checked = info.check({setting.parameter.name: setting.value for setting in settings})
    except BadParameter:  # the form is shown again with what was wrong; the bound is that of the defaults
        checked = info.check({})
    return StrategyChoice(info, chosen, settings, info.call_bound(info.params(checked)))


def _engine(
    problem: Problem, spec: EngineSpec, chosen: bool, default: bool, values: Mapping[str, str], sent: bool
) -> EngineChoice:
    switches = tuple(
        AdapterSwitch(
            f"{spec.name}.{role}", role, model, not (sent and chosen) or f"{spec.name}.{role}" in values
        )
        for role in AGENTS
        if spec.adapters and (model := spec.model_for(role)) != BASE
    )
    concerns = tuple(engine_book.concerns(problem, spec))
    constrained = bool(values.get(f"{spec.name}.constrained"))
    return EngineChoice(spec, chosen, default, concerns, switches, constrained)


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
