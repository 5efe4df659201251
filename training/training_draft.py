"""The form beside the YAML: the YAML is what is started, the form only writes it."""

from __future__ import annotations

import contextlib
import uuid
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict

from solver import engine_book
from solver.engines.spec import EngineKind, EngineSpec
from training import lora_spec, readiness, starting_adapter, training_runs
from training.lora_spec import PRESETS, BadSpec, LoraSpec
from training.models import Adapter, DatasetVersion, Device, VersionState
from training.readiness import Gate
from trajectories.agents import AGENTS
from trajectories.spec_text import Fault

NUMBERS = (
    "rank", "alpha", "dropout", "lr", "warmup", "weight_decay", "epochs", "max_steps", "batch", "accumulation", "length",
    "seed", "eval_every", "save_every", "evaluate",
)  # fmt: skip
CHOICES = {
    "schedule": ("cosine", "linear", "constant"),
    "method": ("sft", "dpo"),
    "over_length": ("refuse", "drop", "cut"),
    "precision": ("auto", "fp32", "bf16", "4bit"),
}
SWITCHES = ("packing", "gradient_checkpointing")
STARTS = 50  # adapters to start from, the newest


@dataclass(slots=True)
class Draft:
    """`gates` one a role; `text` is the YAML they come from."""

    text: str
    specs: list[LoraSpec] = field(default_factory=list)
    gates: list[Gate] = field(default_factory=list)
    faults: tuple[Fault, ...] = ()
    request_id: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def ready(self) -> bool:
        return bool(self.gates) and all(gate.open for gate in self.gates)

    @property
    def against(self) -> int:
        return sum(len(gate.against) for gate in self.gates) + len(self.faults)


def from_text(text: str) -> Draft:
    made = Draft(text)
    try:
        made.specs = training_runs.read(text)
    except BadSpec as error:
        made.faults = error.faults
        return made
    made.gates = [readiness.check(spec) for spec in made.specs]
    return made


def first(preset: str, role: str, dataset: str) -> str:
    """A preset on the newest dataset of a role, or as a recipe on those of all roles."""
    newest = training_runs.newest_datasets()
    name = preset if preset in PRESETS else "micro"
    settings = {"engine": engine_book.MICRO, **PRESETS[name][1]}
    if role in AGENTS or dataset:
        chosen = role if role in AGENTS else dataset.partition("@")[0]
        return lora_spec.to_yaml(
            {"role": chosen, "dataset": dataset or newest.get(chosen, f"{chosen}@v1"), **settings}
        )
    return lora_spec.to_yaml({"recipe": True, **({"datasets": newest} if newest else {}), **settings})


def going_on(adapter: Adapter) -> str:
    """DPO that starts from `adapter`, with the settings it was trained with, on the newest rows of its role. A learning rate
    of SFT would carry it away from its reference at once, so a tenth of it is written."""
    settings = {**PRESETS["micro" if adapter.engine == engine_book.MICRO else "paper"][1], **adapter.spec}
    with contextlib.suppress(starting_adapter.CannotStart):  # the gate says it
        settings |= starting_adapter.shape(adapter)
    newest = training_runs.newest_datasets()
    settings |= {
        "role": adapter.role,
        "dataset": newest.get(adapter.role, f"{adapter.role}@v1"),
        "engine": adapter.engine,
        "method": "dpo",
        "adapter": str(adapter),
        "dropout": 0.0,
        "lr": settings["lr"] / 10,
    }
    order = {name: settings[name] for name in ("role", "dataset", "engine", "method", "adapter")}
    return lora_spec.to_yaml(order | settings)


def from_form(post: QueryDict) -> str:
    data: dict[str, Any] = {}
    role = post.get("role", "")
    if role in AGENTS:
        data.update(role=role, dataset=post.get(f"dataset.{role}", ""))
    else:
        names = {one: name for one in AGENTS if (name := post.get(f"dataset.{one}", ""))}
        data.update(recipe=True, datasets=names)
    data["engine"] = post.get("engine", "")
    for name in ("base", "adapter", "targets", "device"):
        if value := post.get(name, "").strip():
            data[name] = value
    for name in NUMBERS:
        if value := post.get(name, "").strip():
            data[name] = _number(value)
    data.update({name: post[name] for name in CHOICES if post.get(name)})
    data.update({name: name in post for name in SWITCHES})
    return lora_spec.to_yaml(data)


def _number(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def trainable_engines() -> list[EngineSpec]:
    """Those that a model answers for."""
    return [spec for spec in engine_book.all_engines() if spec.kind is not EngineKind.RECORDED]


def form(draft: Draft) -> dict[str, Any]:
    """What can be chosen, with what the draft has chosen; a text that cannot be read leaves the form at its defaults."""
    shown = (
        draft.specs[0].canonical()
        if draft.specs
        else {name: f.default for name, f in LoraSpec.model_fields.items()}
    )
    recipe = len(draft.specs) != 1
    datasets: dict[str, str] = {spec.role: spec.dataset for spec in draft.specs}
    versions = DatasetVersion.objects.filter(state=VersionState.READY).order_by("role", "-number")
    targets = shown["targets"]
    return {
        "role": "" if recipe else shown["role"],
        "roles": [
            (role, datasets.get(role, ""), [version for version in versions if version.role == role])
            for role in AGENTS
        ],
        "engines": trainable_engines(),
        "engine": shown["engine"],
        "base": shown["base"],
        "adapters": [str(one) for one in Adapter.objects.all()[:STARTS]],
        "adapter": shown["adapter"],
        "targets": targets if isinstance(targets, str) else ", ".join(targets),
        "numbers": [(name, "" if shown[name] is None else shown[name]) for name in NUMBERS],
        "choices": [(name, values, shown[name]) for name, values in CHOICES.items()],
        "switches": [(name, shown[name]) for name in SWITCHES],
        "devices": ["auto", *Device.objects.values_list("name", flat=True)],
        "device": shown["device"],
        "presets": [(name, words) for name, (words, _) in PRESETS.items()],
    }
