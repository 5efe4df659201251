"""The adapter that a DPO run starts from: found in the registry, and of the very shape that the run trains."""

from __future__ import annotations

from typing import Any

from solver.engines.adapters import BadAdapter, read_adapter
from solver.engines.base_model import BaseFiles
from training import fit
from training.lora_spec import ALL_LINEAR, RANKS, LoraSpec, to_yaml
from training.models import Adapter

NAMED = 5


class CannotStart(ValueError):
    """What is wrong with it; `mend` says what to do."""

    def __init__(self, what: str, mend: str = "") -> None:
        super().__init__(what)
        self.mend = mend


def find(name: str) -> Adapter:
    """`coding@3` as a row. Raises CannotStart."""
    role, _, number = name.partition("@")
    found = Adapter.objects.filter(role=role, number=int(number)).first()
    if found is None:
        have = ", ".join(map(str, Adapter.objects.filter(role=role)[:NAMED]))
        raise CannotStart(
            f"There is no adapter {name}",
            f"Of {role} there are: {have}." if have else f"Train one of {role} with method: sft first.",
        )
    return found


def shape(adapter: Adapter) -> dict[str, Any]:
    """Rank, alpha and targets as a spec names them, read from its files. Raises CannotStart."""
    try:
        files = read_adapter(adapter.name, adapter.folder, max_rank=max(RANKS))
    except BadAdapter as error:
        raise CannotStart(f"The files of {adapter} cannot be used", str(error)) from None
    if files.digest != adapter.digest:
        raise CannotStart(f"The files of {adapter} are not those that were registered", "Import it again.")
    kinds = {(factor.rank, round(factor.rank * factor.scale, 6)) for factor in files.factors.values()}
    if len(kinds) > 1:
        raise CannotStart(
            f"{adapter} has layers of different ranks or scales",
            "Start from an adapter with the same rank and alpha in every layer.",
        )
    ((rank, alpha),) = kinds
    return {
        "rank": rank,
        "alpha": alpha,
        "targets": sorted({module.rpartition(".")[2] for module in files.factors}),
    }


def check(adapter: Adapter, spec: LoraSpec, base: BaseFiles) -> None:
    """Its base is the run's, its files are here, its layers are those the spec asks for. Raises CannotStart."""
    if adapter.base_fingerprint and adapter.base_fingerprint != base.fingerprint:
        raise CannotStart(f"{adapter} was trained on another base", "Choose an adapter of this base.")
    own = shape(adapter)
    targets = fit.linear_layers(base) if spec.targets == ALL_LINEAR else spec.targets
    wanted = {"rank": spec.rank, "alpha": spec.alpha, "targets": sorted(targets)}
    if differing := {name: own[name] for name in own if own[name] != wanted[name]}:
        told = to_yaml(differing).strip().replace("\n", ", ")
        raise CannotStart(f"{adapter} has another shape than this run", f"Write {told}")
