"""What a campaign is, as exact YAML: problems x strategies x models x seeds x languages, and its limits.

Only the shape is checked here; whether the engines, strategies and problems exist is `plan`'s to say.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from solver.engines import prices
from trajectories.agents import AGENTS, AgentName
from trajectories.spec_text import Fault, Faulty, read_fields
from trajectories.zero import REFUSED, holds_zero

MAX_TEXT = 200_000
MAX_CELLS = 64


class BadCampaign(Faulty):
    """A campaign that cannot be started."""


def _listed(value: Any) -> Any:
    """One value stands for a list of one."""
    return [value] if isinstance(value, str | int | float) and not isinstance(value, bool) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]
AdapterName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@:/-]{0,127}$")
]  # a server's own model too, such as owner/name:tag


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class DifficultyRange(_Strict):
    """Numeric difficulties from `least` to `most`, both included."""

    least: float | None = None
    most: float | None = None


class ProblemSet(_Strict):
    """Conditions join with "and", values within one with "or". Nothing given: every problem of the lab."""

    source: Names = ()
    tags: Names = ()
    difficulty: DifficultyRange | Names = ()
    split: Names = ()
    test_kind: Names = ()
    ids: Names = ()
    limit: int | None = Field(default=None, ge=1)
    sample_seed: int | None = None
    duplicates: Literal["skip", "keep"] = "skip"


class StrategyChoice(_Strict):
    name: str
    params: dict[str, Any] = Field(default_factory=dict)
    label: str = Field(default="", max_length=80)


class Price(_Strict):
    """Per million tokens. Only what the report can reckon with is taken: a started spec never changes any more."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    currency: str = "USD"

    @model_validator(mode="after")
    def _is_exact(self) -> Price:
        exact_price(self.model_dump())
        return self


def exact_price(stated: Mapping[str, Any]) -> prices.Price:
    """The price that a campaign states, in decimals. Raises BadPrice."""
    return prices.Price.parse({name: str(stated[name]) for name in ("input", "output", "currency")})


class ModelChoice(_Strict):
    """`adapters`: which roles keep the model or adapter the engine names for them; the others get its base. Role and
    name of an adapter: these roles are served by these adapters, the others by the base.

    `constrained`: answers are held to the grammars of their forms while they are decoded.
    """

    engine: str
    adapters: Literal["all", "none"] | tuple[AgentName, ...] | dict[AgentName, AdapterName] = "all"
    constrained: bool = False
    label: str = Field(default="", max_length=80)
    price: Price | None = None

    def switches(self) -> dict[str, bool | str]:
        """Role -> on, or the adapter, as `solver.runs.start` takes it; empty where the engine says who serves."""
        if self.adapters == "all":
            return {}
        if isinstance(self.adapters, dict):
            named = {str(role): name for role, name in self.adapters.items()}
            return {role: named.get(role, False) for role in AGENTS}
        on = () if self.adapters == "none" else self.adapters
        return {role: role in on for role in AGENTS}


class Limits(_Strict):
    """What the campaign may spend. `model_seconds` is the time of all model calls added up, not wall clock; `cost` is
    money paid by the price tables of its engines, in their currency."""

    calls: int | None = Field(default=None, ge=1)
    tokens: int | None = Field(default=None, ge=1)
    model_seconds: float | None = Field(default=None, gt=0)
    cost: float | None = Field(default=None, gt=0)


class CampaignSpec(_Strict):
    name: str = Field(min_length=1, max_length=120)
    problems: ProblemSet = ProblemSet()
    strategies: tuple[StrategyChoice, ...] = Field(min_length=1)
    models: tuple[ModelChoice, ...] = Field(min_length=1)
    seeds: tuple[Annotated[int, Field(ge=-(2**31), lt=2**31)], ...] = Field(
        default=(0,), min_length=1, max_length=1000
    )
    languages: Annotated[tuple[str, ...], BeforeValidator(_listed)] = Field(default=("python",), min_length=1)
    judge_profile: str = "strict"
    budget: Limits = Limits()
    at_once: int = Field(default=8, ge=1, le=256)
    engine_tries: int = Field(default=3, ge=1, le=20)
    ask_anew: bool = False  # ask the engines even where an answer to the same request is stored

    @model_validator(mode="after")
    def _is_a_grid(self) -> CampaignSpec:
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("seeds hold the same number twice; each seed is one run of a problem")
        if len(set(self.languages)) < len(self.languages):
            raise ValueError("languages hold the same language twice")
        cells = len(self.strategies) * len(self.models) * len(self.languages)
        if cells > MAX_CELLS:
            raise ValueError(
                f"{cells} combinations are compared; at most {MAX_CELLS} are, split the campaign"
            )
        return self

    def canonical(self) -> dict[str, Any]:
        """Plain JSON with every default filled in: what is stored."""
        return self.model_dump(mode="json")

    def digest(self) -> str:
        return hashlib.sha256(json.dumps(self.canonical(), sort_keys=True).encode()).hexdigest()

    def to_yaml(self) -> str:
        """The spec as a person would write it: defaults left out, except what decides the figures."""
        data = self.model_dump(mode="json", exclude_defaults=True)
        shown = {
            "seeds": list(self.seeds),
            "languages": list(self.languages),
            "judge_profile": self.judge_profile,
        }
        ordered = {
            name: {**shown, **data}[name] for name in type(self).model_fields if name in {**shown, **data}
        }
        return yaml.safe_dump(
            ordered, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100
        )


def read_yaml(text: str) -> CampaignSpec:
    """Raises BadCampaign."""
    return read_data(read_fields(text, BadCampaign, longest=MAX_TEXT, example="name: My campaign"))


def read_data(data: dict[str, Any]) -> CampaignSpec:
    """Raises BadCampaign."""
    if holds_zero(data):
        raise BadCampaign([Fault("", REFUSED)])
    try:
        return CampaignSpec.model_validate(data)
    except ValidationError as error:
        faults = dict.fromkeys(_fault(item) for item in error.errors(include_url=False, include_input=True))
        raise BadCampaign(list(faults)) from None


_FIELDS: dict[str, type[BaseModel]] = {
    "": CampaignSpec,
    "problems": ProblemSet,
    "difficulty": DifficultyRange,
    "strategies": StrategyChoice,
    "models": ModelChoice,
    "price": Price,
    "budget": Limits,
}
_UNION_BRANCHES = {"DifficultyRange", "literal['all','none']"}  # and whatever holds a bracket


def _fault(item: Any) -> Fault:
    steps = [step for step in item["loc"] if step not in _UNION_BRANCHES and "[" not in str(step)]
    where = ".".join(str(step + 1) if isinstance(step, int) else str(step) for step in steps)
    kind, message = item["type"], str(item["msg"]).removeprefix("Value error, ").rstrip(".")
    if kind == "extra_forbidden":
        owner = next((str(step) for step in reversed(steps[:-1]) if isinstance(step, str)), "")
        names = list(_FIELDS[owner].model_fields) if owner in _FIELDS else []
        near = difflib.get_close_matches(str(steps[-1]), names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"the fields here are {', '.join(names)}."
        return Fault(where, f"There is no such field; {hint}")
    if kind == "missing":
        return Fault(where, "This field is missing; write it.")
    if kind in {"tuple_type", "list_type"}:
        return Fault(where, f"This must be a list such as [a, b], not {item['input']!r:.60}.")
    return Fault(
        where, f"{message[:1].upper()}{message[1:]}, not {item['input']!r:.60}." if where else f"{message}."
    )
