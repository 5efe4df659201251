"""A LoRA adapter on disk: what the lab's engine accepts, and the sentence for everything it does not.

Checked without torch, so that an upload can be refused in the web process. Accepted is plain LoRA on linear
layers (`bias: none`), because only that can share a forward pass with other adapters, here as in vLLM.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from solver.engines.digests import file_digest
from solver.engines.protocol import EngineError
from solver.engines.safetensors_header import BadWeights, TensorEntry, read_header

WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"
BASE_CARD = "base.json"  # {"fingerprint": ...}: which base the adapter was trained on, written by the trainer

_PICKLES = ("*.bin", "*.pt", "*.pth", "*.pkl", "*.ckpt")
_TENSOR = re.compile(r"^base_model\.model\.(?P<module>.+)\.lora_(?P<side>[AB])\.weight$")
# peft treats the keys of rank_pattern and alpha_pattern as regular expressions; names are all that is needed,
# and
# an expression with repetition would let an upload occupy the process.
_PLAIN_PATTERN = re.compile(r"^\^?[A-Za-z0-9_.\\]{1,300}\$?\Z")
_FLOATS = frozenset({"F32", "F16", "BF16"})
_LARGEST_CONFIG = 1_000_000
_UNSUPPORTED = {
    "use_dora": "it is a DoRA adapter (use_dora)",
    "modules_to_save": "it replaces whole layers of the base (modules_to_save)",
    "lora_bias": "it trains biases of the LoRA layers (lora_bias)",
    "fan_in_fan_out": "its matrices are stored transposed (fan_in_fan_out)",
    "layer_replication": "it repeats layers of the base (layer_replication)",
    "alora_invocation_tokens": "it is an activated LoRA (alora_invocation_tokens)",
    "target_parameters": "it adapts parameters that are no linear layers (target_parameters)",
    "trainable_token_indices": "it trains embeddings of single tokens (trainable_token_indices)",
}
_BASE_CHANGING = ("pissa", "olora", "corda", "loftq", "eva", "lora_ga")


class BadAdapter(EngineError):
    """An adapter that cannot be served; the message names it, the reason and the mend."""

    code = "bad_adapter"


@dataclass(frozen=True, slots=True)
class Factor:
    """One adapted layer: y += scale * B (A x), A of shape [rank, inputs], B of shape [outputs, rank]."""

    rank: int
    inputs: int
    outputs: int
    scale: float


@dataclass(frozen=True, slots=True)
class AdapterFiles:
    """A checked adapter folder. `factors` is keyed by the base model's module names."""

    name: str
    folder: Path
    digest: str
    rank: int  # the largest of all layers
    factors: Mapping[str, Factor]
    base_fingerprint: str | None

    @property
    def weights(self) -> Path:
        return self.folder / WEIGHTS


def read_adapter(name: str, folder: Path, *, max_rank: int) -> AdapterFiles:
    """Check the folder of adapter `name`. Raises BadAdapter."""

    def refuse(why: str, mend: str) -> BadAdapter:
        return BadAdapter(f"The adapter {name!r} cannot be served: {why}; {mend}.")

    if not folder.is_dir():
        raise refuse("its folder does not exist", "correct the path in adapters")
    weights = folder / WEIGHTS
    if not weights.is_file():
        pickles = [path.name for pattern in _PICKLES for path in folder.glob(pattern)]
        if pickles:
            raise refuse(
                f"its weights are in {min(pickles)}, a pickle file, which can run code when loaded",
                f"save it again as {WEIGHTS}",
            )
        raise refuse(f"{WEIGHTS} is missing", "give the folder that holds it")
    try:
        config = _read_config(folder / CONFIG)
        tensors = read_header(weights)
    except BadWeights as error:
        raise refuse(f"its file {error}", "copy or export it again") from None
    try:
        factors = _factors(config, tensors, max_rank)
    except _Unsupported as error:
        raise refuse(str(error), error.mend) from None
    digest = file_digest(weights)
    if digest is None:
        raise refuse(f"{WEIGHTS} disappeared while it was read", "copy it again")
    fingerprint = _read_card(folder / BASE_CARD)
    return AdapterFiles(name, folder, digest, max(f.rank for f in factors.values()), factors, fingerprint)


class _Unsupported(Exception):
    def __init__(self, why: str, mend: str = "train a plain LoRA adapter") -> None:
        super().__init__(why)
        self.mend = mend


def _read_config(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _LARGEST_CONFIG:
            raise BadWeights(f"{CONFIG} is too large to be an adapter's settings")
        config = json.loads(path.read_bytes())
    except OSError:
        raise BadWeights(f"{CONFIG} is missing or cannot be read") from None
    except ValueError:
        raise BadWeights(f"{CONFIG} is not JSON") from None
    if not isinstance(config, dict):
        raise BadWeights(f"{CONFIG} is not a JSON object")
    return config


def _read_card(path: Path) -> str | None:
    try:
        card = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    fingerprint = card.get("fingerprint") if isinstance(card, dict) else None
    return fingerprint if isinstance(fingerprint, str) else None


def _factors(config: dict[str, Any], tensors: Mapping[str, TensorEntry], max_rank: int) -> dict[str, Factor]:
    _check_config(config)
    sides: dict[str, dict[str, TensorEntry]] = {}
    for name, entry in tensors.items():
        match = _TENSOR.match(name)
        if match is None:
            raise _Unsupported(f"it holds {name[:100]!r}, which is no LoRA matrix of a linear layer")
        if len(entry.shape) != 2 or entry.dtype not in _FLOATS or 0 in entry.shape:
            raise _Unsupported(f"{name[:100]!r} is no matrix of floating point numbers")
        sides.setdefault(match["module"], {})[match["side"]] = entry
    if not sides:
        raise _Unsupported("it adapts no layer")
    return {module: _factor(module, pair, config, max_rank) for module, pair in sides.items()}


def _check_config(config: dict[str, Any]) -> None:
    kind = str(config.get("peft_type", "missing")).upper()
    if kind != "LORA":
        raise _Unsupported(f"its peft_type is {kind[:40]}, not LORA")
    for field, why in _UNSUPPORTED.items():
        if config.get(field):
            raise _Unsupported(why)
    if config.get("bias", "none") != "none":
        raise _Unsupported(f"it trains biases (bias: {str(config['bias'])[:40]})", "train it with bias: none")
    start = str(config.get("init_lora_weights", True)).lower()
    if start.startswith(_BASE_CHANGING):
        raise _Unsupported(
            f"its training began by changing the base (init_lora_weights: {start[:40]})",
            "convert it to a plain LoRA adapter",
        )


def _factor(module: str, pair: dict[str, TensorEntry], config: dict[str, Any], max_rank: int) -> Factor:
    if set(pair) != {"A", "B"}:
        raise _Unsupported(f"the layer {module[:100]} has only one of its two matrices", "export it again")
    (rank, inputs), (outputs, columns) = pair["A"].shape, pair["B"].shape
    if rank != columns:
        raise _Unsupported(f"the two matrices of {module[:100]} do not fit each other", "export it again")
    if rank > max_rank:
        raise _Unsupported(
            f"its rank {rank} is over the engine's maximum of {max_rank}",
            "raise local.max_rank or train a smaller one",
        )
    return Factor(rank, inputs, outputs, _scale(module, rank, config))


def _scale(module: str, rank: int, config: dict[str, Any]) -> float:
    """alpha / rank, or alpha / sqrt(rank) for rank-stabilised adapters; patterns match as in peft."""
    declared = _by_pattern(config.get("rank_pattern"), module, config.get("r"))
    if declared != rank:
        raise _Unsupported(
            f"{CONFIG} says rank {declared} and the layer {module[:100]} has {rank}", "export it again"
        )
    alpha = _by_pattern(config.get("alpha_pattern"), module, config.get("lora_alpha"))
    if not isinstance(alpha, int | float) or isinstance(alpha, bool) or not math.isfinite(alpha):
        raise _Unsupported(f"{CONFIG} gives no lora_alpha for {module[:100]}", "export it again")
    return alpha / math.sqrt(rank) if config.get("use_rslora") else alpha / rank


def _by_pattern(patterns: object, module: str, default: object) -> object:
    if isinstance(patterns, dict):
        for pattern, value in patterns.items():
            if not _PLAIN_PATTERN.match(str(pattern)):
                raise _Unsupported(
                    f"{CONFIG} holds the pattern {str(pattern)[:60]!r}, not a plain module name"
                )
            if re.match(rf"(.*\.)?({pattern})$", module):
                return value
    return default


def base_fingerprint(folder: Path) -> str:
    """SHA-256 over the digests of a base model's safetensors files: what an adapter was trained on."""
    import hashlib

    files = sorted(folder.glob("*.safetensors"))
    lines = [f"{path.name} {file_digest(path)}" for path in files]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
