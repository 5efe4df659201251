"""What a training run is, as exact YAML: role, dataset, base, LoRA shape, optimiser, batches. Pure.

Only the shape is checked here; whether the dataset, the base and the device fit is `readiness`'s to say.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from trajectories.agents import AGENTS, AgentName
from trajectories.spec_text import Fault, Faulty, read_fields

ALL_LINEAR = "all-linear"
# Ranks that vLLM accepts; another rank would be padded there, or refused.
RANKS = (1, 8, 16, 32, 64, 128, 256)
MAX_TEXT = 100_000


class BadSpec(Faulty):
    """A training run that cannot be started."""


def _listed(value: Any) -> Any:
    if isinstance(value, str) and value != ALL_LINEAR:
        return [word.strip() for word in value.split(",") if word.strip()]
    return value


Module = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.]{1,80}$")]
Targets = Annotated[Literal["all-linear"] | tuple[Module, ...], BeforeValidator(_listed)]


class LoraSpec(BaseModel):
    """One adapter's training. `length` is in tokens; with `packing` a bin of that many is one row of the batch.

    `epochs` counts passes over the rows; `max_steps` ends the run earlier. `evaluate`: problems on which the
    finished adapter is tried against the base, 0 for none. `base` empty: the base of `engine`. `adapter`: where DPO starts,
    and what it is measured against; empty: the base.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: AgentName
    dataset: Annotated[str, Field(pattern=r"^[a-z_]+@v[0-9]{1,9}$")]
    engine: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")] = "micro"
    base: str = Field(default="", max_length=500)
    method: Literal["sft", "dpo"] = "sft"
    beta: float = Field(default=0.1, gt=0, le=10)
    adapter: Annotated[str, Field(pattern=r"^([a-z]+@[0-9]{1,9})?$")] = ""
    rank: int = Field(default=32, ge=1, le=256)
    alpha: float = Field(default=64, gt=0, le=4096)
    dropout: float = Field(default=0.05, ge=0, lt=1)
    targets: Targets = "all-linear"
    lr: float = Field(default=1e-4, gt=0, le=1)
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup: float = Field(default=0.03, ge=0, lt=1)
    weight_decay: float = Field(default=0.0, ge=0, le=1)
    max_grad_norm: float = Field(default=1.0, gt=0, le=100)
    epochs: float = Field(default=2, gt=0, le=1000)
    max_steps: int | None = Field(default=None, ge=1, le=10_000_000)
    batch: int = Field(default=2, ge=1, le=1024)
    accumulation: int = Field(default=8, ge=1, le=4096)
    length: int = Field(default=8192, ge=16, le=1_000_000)
    over_length: Literal["refuse", "drop", "cut"] = "refuse"
    packing: bool = True
    precision: Literal["auto", "fp32", "bf16", "4bit"] = "auto"
    gradient_checkpointing: bool = True
    seed: int = Field(default=17, ge=0, lt=2**31)
    eval_every: int = Field(default=50, ge=1)
    save_every: int = Field(default=50, ge=1)
    evaluate: int = Field(default=60, ge=0, le=5000)
    device: Annotated[str, Field(pattern=r"^(auto|cpu|cuda:[0-9]{1,2})$")] = "auto"

    @model_validator(mode="after")
    def _hangs_together(self) -> LoraSpec:
        if self.dataset.partition("@")[0] != self.role:
            raise ValueError(
                f"dataset {self.dataset} holds rows of another role than {self.role}; choose one of its own"
            )
        if self.adapter and self.method != "dpo":
            raise ValueError(
                f"adapter {self.adapter} is where DPO starts, and sft starts from the base; leave it out, or write method: dpo"
            )
        if self.adapter and self.adapter.partition("@")[0] != self.role:
            raise ValueError(
                f"adapter {self.adapter} belongs to another role than {self.role}; choose one of its own"
            )
        if isinstance(self.targets, tuple) and not self.targets:
            raise ValueError(
                "targets names no module; write all-linear or a list such as [q_proj, k_proj, v_proj, o_proj]"
            )
        if self.rank not in RANKS:
            near = min(RANKS, key=lambda rank: abs(rank - self.rank))
            raise ValueError(
                f"rank {self.rank} cannot be served by vLLM, which knows {', '.join(map(str, RANKS))}; use {near}"
            )
        return self

    def canonical(self) -> dict[str, Any]:
        """Plain JSON with every default filled in: what is stored and run."""
        return self.model_dump(mode="json")

    def digest(self) -> str:
        return hashlib.sha256(json.dumps(self.canonical(), sort_keys=True).encode()).hexdigest()

    def to_yaml(self) -> str:
        return to_yaml(self.canonical())

    @property
    def rows_a_step(self) -> int:
        return self.batch * self.accumulation


def to_yaml(data: dict[str, Any]) -> str:
    """A field a line, lists and mappings within the line."""
    return "".join(f"{name}: {_inline(value)}\n" for name, value in data.items())


def _inline(value: Any) -> str:
    text = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, default_flow_style=True, width=1000)
    return text.removesuffix("...\n").strip()


def read_yaml(text: str) -> dict[str, Any]:
    """The fields of a text, not yet checked. Raises BadSpec."""
    return read_fields(text, BadSpec, longest=MAX_TEXT, example="role: coding")


def read_spec(data: dict[str, Any]) -> LoraSpec:
    """Raises BadSpec."""
    try:
        return LoraSpec.model_validate(data)
    except ValidationError as error:
        items = error.errors(include_url=False, include_input=True)
        raise BadSpec(list(dict.fromkeys(_fault(item) for item in items))) from None


def _fault(item: Any) -> Fault:
    where = str(item["loc"][0]) if item["loc"] else ""
    message = str(item["msg"]).removeprefix("Value error, ").rstrip(".")
    if item["type"] == "extra_forbidden":
        near = difflib.get_close_matches(where, LoraSpec.model_fields, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"the fields are {', '.join(LoraSpec.model_fields)}."
        return Fault(where, f"There is no such field; {hint}")
    if item["type"] == "missing":
        return Fault(where, "This field is missing; write it.")
    return Fault(
        where, f"{message}, not {item['input']!r:.60}." if where else f"{message[:1].upper()}{message[1:]}."
    )


def recipe(data: dict[str, Any], datasets: dict[str, str]) -> list[LoraSpec]:
    """The specs of a recipe: the same settings for every role that `datasets` (role -> version) has. Raises BadSpec.

    `roles` of `data` may hold settings of single roles, such as `roles: {debugging: {lr: 5e-5}}`.
    """
    own = data.get("roles") or {}
    if not isinstance(own, dict) or any(not isinstance(part, dict) for part in own.values()):
        raise BadSpec([Fault("roles", "Write settings of a role as `roles: {coding: {lr: 0.0001}}`.")])
    if unknown := sorted(set(map(str, own)) - set(AGENTS)):
        raise BadSpec(
            [Fault("roles", f"There is no role {unknown[0]!r}; the roles are {', '.join(AGENTS)}.")]
        )
    common = {name: value for name, value in data.items() if name not in {"role", "dataset", "roles"}}
    return [
        read_spec({**common, **own.get(role, {}), "role": role, "dataset": datasets[role]})
        for role in AGENTS
        if role in datasets
    ]


PRESETS: dict[str, tuple[str, dict[str, Any]]] = {
    "paper": (
        "MapCoder-Lite's rank 32 on one large GPU; what the paper leaves open is named in the how-to",
        {
            "rank": 32,
            "alpha": 64,
            "dropout": 0.05,
            "lr": 1e-4,
            "schedule": "cosine",
            "warmup": 0.03,
            "epochs": 2,
        },
    ),
    "micro": (
        "The shipped model of 3 million parameters, in minutes on a CPU",
        {
            "engine": "micro",
            "rank": 16,
            "alpha": 32,
            "dropout": 0.0,
            "lr": 2e-3,
            "warmup": 0.1,
            "weight_decay": 0.0,
            "epochs": 3,
            "batch": 3,
            "accumulation": 1,
            "length": 1024,
            "gradient_checkpointing": False,
            "eval_every": 20,
            "save_every": 20,
            "evaluate": 40,
        },
    ),
}
