"""The form beside the YAML: what can be chosen, the spec a filled form means, and the form that shows a spec.

The YAML is what is started; the form only writes it. What the form cannot show (other prompts for single models, labels)
stays in the YAML and is named in `beyond`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count
from django.http import QueryDict

from solver import engine_book, judge_pool
from solver.campaigns import cells, presets
from solver.campaigns.spec import CampaignSpec, DifficultyRange, ModelChoice, read_data
from solver.engines.spec import EngineSpec
from solver.judge import LANGUAGES
from solver.runs import JUDGE_PROFILES
from solver.strategies.parameters import Parameter
from solver.strategies.registry import STRATEGIES, StrategyInfo
from trajectories.models import Problem

ABLATION = "ablation"
BOTH = "both"
ADAPTER_CHOICES = (
    ("all", "as the engine names them"),
    ("none", "none: the base for every role"),
    (BOTH, "both: without any, and with all"),
    (ABLATION, "one by one: none, R, R+D, R+D+P, all"),
)
DECODING_CHOICES = (
    ("free", "free"),
    ("constrained", "constrained to the answer formats"),
    (BOTH, "both, a column each"),
)


@dataclass(frozen=True, slots=True)
class StrategyRow:
    info: StrategyInfo
    chosen: bool
    settings: list[tuple[str, Parameter, Any]]  # field name, parameter, present value


@dataclass(frozen=True, slots=True)
class EngineRow:
    spec: EngineSpec
    chosen: bool
    adapters: str  # "" where the engine has none
    decoding: str  # "" where its answers cannot be held to a grammar


@dataclass(slots=True)
class Draft:
    values: dict[str, Any]
    sources: list[tuple[str, int, bool]]
    strategies: list[StrategyRow]
    engines: list[EngineRow]
    languages: list[tuple[str, str, bool]]
    judge_profiles: tuple[str, ...] = JUDGE_PROFILES
    adapter_choices: tuple[tuple[str, str], ...] = ADAPTER_CHOICES
    decoding_choices: tuple[tuple[str, str], ...] = DECODING_CHOICES
    beyond: list[str] = field(default_factory=list)


def first_spec(preset: str = "") -> dict[str, Any]:
    """What a new campaign begins with: a preset on the first engine that can run it, on problems made for that engine.

    Data that may still have faults: where no engine can run it, the page says why.
    """
    chosen = presets.BY_KEY.get(preset, presets.PRESETS[0])
    known = {spec.name: spec for spec in engine_book.all_engines()}
    engines = list(known) or ["name-of-an-engine"]
    drafts = [chosen.data(name) for name in engines]
    suited = next((data for data in drafts if not cells.build(read_data(data))[1]), drafts[0])
    engine = known.get(suited["models"][0]["engine"])
    source = engine_book.made_for(engine) if engine else None  # elsewhere its answers are no measure
    if source and Problem.objects.current().filter(source=source).exists():
        suited["problems"] = {"source": [source], **suited["problems"]}
    return suited


def from_form(post: QueryDict) -> dict[str, Any]:
    """The spec that a filled form means, as data for `spec.read_data`; empty fields are left out."""
    return {
        "name": post.get("name", "").strip(),
        "problems": _problems(post),
        "strategies": [_strategy(name, post) for name in _cheapest_first(post.getlist("strategy"))],
        "models": [model for name in post.getlist("engine") for model in _models(name, post)],
        "seeds": _numbers(post.get("seeds", "0")),
        "languages": post.getlist("language"),
        "judge_profile": post.get("judge_profile", "strict"),
        "budget": _present(
            {name: post.get(name, "").strip() for name in ("calls", "tokens", "model_seconds", "cost")}
        ),
        **_present({name: post.get(name, "").strip() for name in ("at_once", "engine_tries")}),
        **({"ask_anew": True} if "ask_anew" in post else {}),
    }


def _cheapest_first(names: list[str]) -> list[str]:
    """The simplest strategy comes first and so becomes the report's baseline."""
    known = [info for info in STRATEGIES.values() if info.name in names]
    return [
        info.name for info in sorted(known, key=lambda info: info.call_bound(info.params(info.check({}))))
    ]


def _present(values: dict[str, Any]) -> dict[str, Any]:
    return {name: _number_of(value) for name, value in values.items() if value not in ("", [], None)}


def _number_of(value: Any) -> Any:
    """Text of digits as a number, so that the YAML shows one; anything else is the spec's to refuse."""
    return (
        int(value)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19
        else value
    )


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _numbers(text: str) -> list[Any]:
    return [_number_of(word) for word in _words(text)]


def _problems(post: QueryDict) -> dict[str, Any]:
    difficulty = _present({name: post.get(name, "").strip() for name in ("least", "most")})
    return _present(
        {
            "source": post.getlist("source"),
            "tags": _words(post.get("tags", "")),
            "difficulty": difficulty or None,
            "test_kind": ["stdio"] if post.get("stdio_only") else [],
            "limit": post.get("limit", "").strip(),
            "sample_seed": post.get("sample_seed", "").strip(),
            "duplicates": "keep" if post.get("keep_duplicates") else "",
        }
    )


def _strategy(name: str, post: QueryDict) -> dict[str, Any]:
    params: dict[str, Any] = {}
    for parameter in STRATEGIES[name].parameters:
        text = ",".join(post.getlist(f"{name}.{parameter.name}")).strip()
        if text and text != str(parameter.default):
            params[parameter.name] = _number_of(text) if parameter.kind == "count" else text
    return {"name": name, **({"params": params} if params else {})}


def _models(engine: str, post: QueryDict) -> list[dict[str, Any]]:
    adapters, decoding = post.get(f"{engine}.adapters", "all"), post.get(f"{engine}.decoding", "free")
    if adapters == ABLATION:
        models = presets.adapter_models(engine)
    elif adapters == BOTH:
        models = [{"engine": engine, "adapters": "none"}, {"engine": engine}]
    else:
        models = [{"engine": engine, **({"adapters": adapters} if adapters != "all" else {})}]
    held = [{**model, "constrained": True} for model in models]
    if decoding != BOTH:
        return held if decoding == "constrained" else models
    for model in held:
        if "label" in model:
            model["label"] += ", constrained"
    return [one for pair in zip(models, held, strict=True) for one in pair]


def show(spec: CampaignSpec | None) -> Draft:
    """The form filled with a spec; None gives an empty one."""
    sources = Problem.objects.current().values("source").annotate(count=Count("pk")).order_by("source")
    wanted = set(spec.problems.source) if spec else set()
    languages = judge_pool.languages()
    chosen_languages = spec.languages if spec else ("python",)
    return Draft(
        values=_values(spec),
        sources=[(row["source"], row["count"], row["source"] in wanted) for row in sources],
        strategies=[_strategy_row(info, spec) for info in STRATEGIES.values()],
        engines=[_engine_row(engine, spec) for engine in engine_book.all_engines()],
        languages=[
            (key, LANGUAGES[key].title if key in LANGUAGES else key, key in chosen_languages)
            for key in languages
        ],
        beyond=_beyond(spec) if spec else [],
    )


def _values(spec: CampaignSpec | None) -> dict[str, Any]:
    if spec is None:
        return {"seeds": "0", "judge_profile": "strict", "at_once": 8, "engine_tries": 3}
    difficulty = spec.problems.difficulty
    band = difficulty if isinstance(difficulty, DifficultyRange) else DifficultyRange()
    return {
        "name": spec.name,
        "tags": ", ".join(spec.problems.tags),
        "least": _number(band.least),
        "most": _number(band.most),
        "stdio_only": spec.problems.test_kind == ("stdio",),
        "limit": spec.problems.limit,
        "sample_seed": spec.problems.sample_seed,
        "keep_duplicates": spec.problems.duplicates == "keep",
        "seeds": ", ".join(map(str, spec.seeds)),
        "judge_profile": spec.judge_profile,
        "calls": spec.budget.calls,
        "tokens": spec.budget.tokens,
        "model_seconds": _number(spec.budget.model_seconds),
        "cost": _number(spec.budget.cost),
        "ask_anew": spec.ask_anew,
        "at_once": spec.at_once,
        "engine_tries": spec.engine_tries,
    }


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _strategy_row(info: StrategyInfo, spec: CampaignSpec | None) -> StrategyRow:
    choice = next((choice for choice in spec.strategies if choice.name == info.name), None) if spec else None
    given = choice.params if choice else {}
    settings = [
        (f"{info.name}.{parameter.name}", parameter, given.get(parameter.name, parameter.default))
        for parameter in info.parameters
    ]
    return StrategyRow(info, choice is not None, settings)


def _engine_row(engine: EngineSpec, spec: CampaignSpec | None) -> EngineRow:
    choices = [choice for choice in spec.models if choice.engine == engine.name] if spec else []
    adapters = _adapters_shown(choices) if cells.has_adapters(engine) else ""
    modes = {choice.constrained for choice in choices}
    decoding = BOTH if len(modes) == 2 else "constrained" if modes == {True} else "free"
    return EngineRow(engine, bool(choices), adapters, decoding if engine.constrains else "")


def _hashable(adapters: Any) -> Any:
    return tuple(sorted(adapters.items())) if isinstance(adapters, dict) else adapters


def _adapters_shown(choices: list[ModelChoice]) -> str:
    sets = list(dict.fromkeys(_hashable(choice.adapters) for choice in choices)) or ["all"]
    if len(sets) == len(presets.ADAPTER_STEPS):
        return ABLATION
    if set(sets) == {"none", "all"}:
        return BOTH
    return sets[0] if isinstance(sets[0], str) else "all"


def _beyond(spec: CampaignSpec) -> list[str]:
    """What would be lost if the form wrote the YAML anew."""
    shown = {
        "single problem ids": bool(spec.problems.ids),
        "splits": bool(spec.problems.split),
        "difficulty labels": isinstance(spec.problems.difficulty, tuple) and bool(spec.problems.difficulty),
        "labels": any(choice.label for choice in spec.strategies),
        "prices": any(choice.price for choice in spec.models),
        "adapters by name": any(isinstance(choice.adapters, dict) for choice in spec.models),
        "a strategy twice": len({choice.name for choice in spec.strategies}) < len(spec.strategies),
    }
    return [name for name, there in shown.items() if there]
