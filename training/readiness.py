"""Is a training run ready to start? Every reason for and against, before anything is spent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from django.db.models import Avg, FloatField, Q
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from solver import engine_book
from solver.engines.base_model import BadBase, BaseFiles, read_base
from solver.engines.spec import EngineKind
from training import devices, fit, starting_adapter, version_rows
from training.encoding import CannotEncode
from training.fit import Fit
from training.lora_spec import LoraSpec
from training.models import (
    Adapter,
    DatasetRow,
    DatasetVersion,
    Device,
    ExampleState,
    TrainingEvent,
    VersionState,
)
from training.version_rows import Length

LEAST_ROWS = 2
LARGEST_ON_CPU = 3_000_000_000  # parameters: beyond it an epoch takes weeks
LONGEST_ON_CPU_S = 24 * 3600.0
NAMED = 4

Level = Literal["ok", "warn", "no"]


@dataclass(frozen=True, slots=True)
class Finding:
    level: Level
    title: str
    detail: str = ""

    def as_dict(self) -> dict[str, str]:
        return {"level": self.level, "title": self.title, "detail": self.detail}


@dataclass(slots=True)
class Gate:
    spec: LoraSpec
    findings: list[Finding] = field(default_factory=list)
    version: DatasetVersion | None = None
    base: BaseFiles | None = None
    adapter: Adapter | None = None  # where it starts, and the reference of DPO; None: the base
    device: Device | None = None
    fit: Fit | None = None
    lengths: Sequence[Length] = ()

    @property
    def against(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.level == "no"]

    @property
    def open(self) -> bool:
        return not self.against

    def say(self, level: Level, title: str, detail: str = "") -> None:
        self.findings.append(Finding(level, title, detail))


def check(spec: LoraSpec) -> Gate:
    gate = Gate(spec)
    _dataset(gate)
    _base(gate)
    if gate.base and spec.adapter:
        _adapter(gate)
    if gate.base and gate.version and gate.version.state == VersionState.READY:
        _rows(gate)
    _device(gate)
    if gate.base and gate.device:
        _precision(gate)
        if gate.lengths:
            _fits(gate)
    order = {"no": 0, "warn": 1, "ok": 2}
    gate.findings.sort(key=lambda finding: order[finding.level])
    return gate


def _dataset(gate: Gate) -> None:
    try:
        version = gate.version = version_rows.find(gate.spec.dataset)
    except version_rows.UnknownVersion as error:
        gate.say("no", str(error))
        return
    if version.state != VersionState.READY:
        gate.say("no", f"{version} is {version.get_state_display().lower()}, not ready", version.message)
        return
    rows = DatasetRow.objects.filter(version=version)
    train = rows.filter(split="train")
    if (count := train.count()) < LEAST_ROWS:
        words = "is empty" if not count else "has a single training row"
        gate.say(
            "no", f"{version} {words}", f"Training needs at least {LEAST_ROWS} rows; build a larger version."
        )
    else:
        gate.say("ok", f"{count:,} rows to train on, {rows.filter(split='eval').count():,} held out")
    withdrawn = rows.filter(example__state=ExampleState.WITHDRAWN)
    if taken := withdrawn.count():
        gate.say(
            "no",
            f"{taken} row{' was' if taken == 1 else 's were'} withdrawn after this version was built",
            f"Rebuild {version.role} without them.",
        )
    _leaks(gate, version)


def _leaks(gate: Gate, version: DatasetVersion) -> None:
    rows = DatasetRow.objects.filter(version=version)
    train = rows.filter(split="train")
    tested = train.filter(example__problem__split="test")
    if count := tested.count():
        names = tested.order_by("position").values_list("example__problem__external_id", flat=True)
        named = list(dict.fromkeys(names))
        gate.say("no", f"{count} rows come from the test split", _named(list(map(str, named))))
    held = rows.filter(split="eval").exclude(example__problem=None).values("example__problem")
    if shared := train.filter(example__problem__in=held).count():
        gate.say("no", f"{shared} training rows are about held-out problems", "The split must be by problem.")
    if not count and not shared:
        gate.say("ok", "No row comes from the test split, and no problem is on both sides")


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"


def base_of(spec: LoraSpec) -> tuple[str, str]:
    """The base as given or as the engine has it, and a sentence where there is none."""
    if spec.base:
        return spec.base, ""
    try:
        engine = engine_book.get(spec.engine)
    except engine_book.UnknownEngine as error:
        return "", f"{str(error)[:1].upper()}{str(error)[1:]}."
    if engine.base:
        return engine.base, ""
    return "", (
        f"The engine {spec.engine!r} names no base model on this machine; give the folder of its base, or its hub id, as base."
    )


def _base(gate: Gate) -> None:
    name, missing = base_of(gate.spec)
    if missing:
        gate.say("no", "No base to train on", missing)
        return
    folder = fit.find_base(name)
    if folder is None:
        gate.say(
            "no",
            f"The base {name} is not on this machine",
            f"Give the folder it lies in, or fetch it once where there is a network: hf download {name}",
        )
        return
    try:
        base = gate.base = read_base(folder)
        layers = fit.linear_layers(base)
    except BadBase as error:
        gate.say("no", "The base cannot be trained", str(error))
        return
    if unknown := fit.unknown_targets(gate.spec, layers):
        gate.say(
            "no",
            f"The base has no linear layers called {', '.join(unknown)}",
            f"It has {', '.join(sorted(layers))}.",
        )
    _served_base(gate, base)


def _served_base(gate: Gate, base: BaseFiles) -> None:
    """An adapter can be served only on the base it was trained on."""
    try:
        engine = engine_book.get(gate.spec.engine)
    except engine_book.UnknownEngine as error:
        gate.say("no", "The engine that would serve it is unknown", f"{error}.")
        return
    if engine.kind is EngineKind.RECORDED:
        gate.say("no", f"The engine {engine.name!r} replays recordings; no adapter can be served there")
    elif engine.base and read_base(Path(engine.base)).fingerprint != base.fingerprint:
        gate.say(
            "no",
            f"The engine {engine.name!r} serves another base than {base.folder.name}",
            "An adapter fits the base it was trained on only.",
        )
    else:
        gate.say(
            "ok",
            f"Base {base.folder.name}, {base.parameters / 1e6:,.1f} M parameters, served by {engine.name}",
        )


def _adapter(gate: Gate) -> None:
    assert gate.base
    try:
        gate.adapter = starting_adapter.find(gate.spec.adapter)
        starting_adapter.check(gate.adapter, gate.spec, gate.base)
    except starting_adapter.CannotStart as error:
        gate.say("no", str(error), error.mend)
    else:
        gate.say("ok", f"Starts from adapter {gate.adapter}, which stays the reference", gate.adapter.name)


def _rows(gate: Gate) -> None:
    assert gate.base and gate.version
    try:
        found = version_rows.lengths(gate.version, gate.base.folder, gate.base.fingerprint)
    except CannotEncode as error:
        gate.say("no", "The rows cannot become tokens", str(error))
        return
    spec = gate.spec
    if faults := [row for row in found if row.fault]:
        gate.say("no", f"{len(faults)} rows cannot become tokens", faults[0].fault)
    pairs = [row for row in found if row.refused and not row.fault]
    if spec.method == "dpo":
        if sum(row.split == "train" for row in pairs) < LEAST_ROWS:
            gate.say(
                "no",
                f"{len(pairs)} rows have a refused answer",
                "DPO trains on preference pairs; use method: sft.",
            )
        elif alone := sum(not row.refused and not row.fault for row in found):
            gate.say(
                "warn",
                f"{alone} of {len(found)} rows have no refused answer and are left out",
                "DPO trains on preference pairs alone.",
            )
        found = tuple(pairs)
    over = [row for row in found if max(row.tokens, row.refused) > spec.length]
    if over:
        told = f"{_named([f'{max(row.tokens, row.refused):,}' for row in over])} of {spec.length:,} tokens"
        if spec.over_length == "refuse":
            gate.say(
                "no",
                f"{len(over)} rows are over the cut-off",
                f"{told}. Raise length, or set over_length: drop or cut.",
            )
        else:
            gate.say(
                "warn",
                f"{len(over)} rows are over the cut-off and will be {'cut' if spec.over_length == 'cut' else 'left out'}",
                told,
            )
    gate.lengths = [
        row
        for row in found
        if not row.fault and (spec.over_length == "cut" or max(row.tokens, row.refused) <= spec.length)
    ]
    context = int(gate.base.config.get("max_position_embeddings") or 0)
    if context and spec.length > context:
        gate.say("warn", f"length {spec.length:,} is over the base's context of {context:,} tokens")


def _device(gate: Gate) -> None:
    if not Device.objects.filter(host=devices.host()).exists():
        devices.refresh()
    found = Device.objects.all()
    if gate.spec.device != "auto":
        found = found.filter(name=gate.spec.device)
    gate.device = found.order_by("-name").first()
    if gate.device is None:
        have = ", ".join(sorted({device.name for device in Device.objects.all()}))
        gate.say("no", f"There is no device {gate.spec.device}", f"This lab has {have}.")
    elif gate.device.holder:
        gate.say("warn", f"{gate.device.name} is busy", "The run waits in the queue for it.")


def _precision(gate: Gate) -> None:
    assert gate.device
    if gate.spec.precision == "4bit" and not fit.has_quantiser():
        gate.say(
            "no",
            "precision 4bit needs bitsandbytes, which is not installed",
            "pip install bitsandbytes==0.50.2, or choose bf16.",
        )


def _fits(gate: Gate) -> None:
    assert gate.base and gate.device
    spec, device = gate.spec, gate.device
    train = [row for row in gate.lengths if row.split == "train"]
    if not train:
        return
    sizes = [min(row.tokens, spec.length) + min(row.refused, spec.length) for row in train]
    speed = _measured(gate)
    made = gate.fit = fit.estimate(
        spec,
        gate.base,
        tokens=sum(sizes),
        longest=max(sizes),
        rows=len(train),
        device=device.name,
        flops=device.flops,
    )
    if speed:
        made = gate.fit = Fit(
            made.parameters,
            made.adapter_parameters,
            made.memory_bytes,
            made.tokens / speed,
            made.steps,
            made.tokens,
        )
    memory = f"Memory {_size(made.memory_bytes)} of {_size(device.memory_bytes)}"
    where = f"{device.title}, {fit.precision_on(spec, device.name)}, batches of {spec.batch}"
    gate.say(
        "ok" if made.memory_bytes <= device.memory_bytes else "no",
        memory,
        where
        if made.memory_bytes <= device.memory_bytes
        else f"{where}. Lower batch or length, or take precision 4bit.",
    )
    _time(gate, made, "measured in an earlier run here" if speed else "computed")
    gate.say(
        "ok",
        f"The adapter has {made.adapter_parameters / 1e6:,.2f} M parameters, {made.share * 100:.2f} % of the base",
        f"{_size(made.adapter_bytes)} on disk; four such adapters are {4 * made.share * 100:.2f} %",
    )


def _time(gate: Gate, made: Fit, basis: str) -> None:
    assert gate.device
    told = f"About {_time_words(made.seconds)} for {made.steps:,} steps over {made.tokens:,} tokens"
    on_cpu = gate.device.name == "cpu"
    if on_cpu and (made.parameters > LARGEST_ON_CPU or made.seconds > LONGEST_ON_CPU_S):
        gate.say(
            "no",
            f"A base of {made.parameters / 1e9:.1f} B parameters is too slow on a CPU",
            f"{told} ({basis}). Train it on a GPU, or take a smaller base.",
        )
    else:
        gate.say("ok", told, basis)


def _measured(gate: Gate) -> float | None:
    """Tokens a second of runs that trained on this base, by this method, and on this device alone: what `auto` took stands in
    each attempt."""
    assert gate.base and gate.device
    attempts = TrainingEvent.objects.filter(kind="attempt")
    here = Q(payload__device=gate.device.name)
    runs = TrainingEvent.objects.filter(
        kind="metrics",
        run__base_fingerprint=gate.base.fingerprint,
        run__spec__gradient_checkpointing=gate.spec.gradient_checkpointing,
        run__spec__method=gate.spec.method,
        run__in=attempts.filter(here).values("run"),
        step__gt=5,
    ).exclude(run__in=attempts.exclude(here).values("run"))
    told = runs.aggregate(mean=Avg(Cast(KT("payload__tokens_per_s"), FloatField())))["mean"]
    return float(told) if told else None


def _size(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def _time_words(seconds: float) -> str:
    for size, word in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {word}"
    return f"{seconds:.0f} s"


def reasons(gate: Gate) -> Iterator[str]:
    for finding in gate.against:
        yield f"{finding.title}. {finding.detail}".strip()
