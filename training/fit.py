"""What a training run needs before it starts: memory, time, adapter size. Computed from shapes; nothing is loaded.

Memory = frozen weights + adapter (weights, gradients, two Adam moments, fp32; with DPO from an adapter its copy) + activations of one micro-batch + logits of
one head chunk. Time = 4 operations a parameter and token (forward, and backward through a frozen base), 6 with gradient
checkpointing, and with DPO 2 more for the reference, at the rate the device reaches.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from solver.engines.base_model import BaseFiles
from solver.engines.safetensors_header import read_header
from training.lora_spec import ALL_LINEAR, LoraSpec

WEIGHT_BYTES = {"fp32": 4.0, "bf16": 2.0, "4bit": 0.6}
ADAPTER_BYTES = 16  # fp32: weight, gradient, two moments
FROZEN_BYTES = 4  # of the adapter that DPO is measured against
PROCESS_BYTES = 700_000_000  # torch, transformers and peft themselves
HEAD_CHUNK = 1024
_LINEAR = re.compile(r"^model\.layers\.\d+\.(?P<kind>.+)\.weight$")


@dataclass(frozen=True, slots=True)
class Fit:
    parameters: int
    adapter_parameters: int
    memory_bytes: int
    seconds: float
    steps: int
    tokens: int

    @property
    def adapter_bytes(self) -> int:
        return 4 * self.adapter_parameters

    @property
    def share(self) -> float:
        return self.adapter_parameters / max(1, self.parameters)


def linear_layers(base: BaseFiles) -> dict[str, list[tuple[int, int]]]:
    """Kind of linear layer (`q_proj`) to the (outputs, inputs) of each such layer."""
    found: dict[str, list[tuple[int, int]]] = {}
    for path in sorted(base.folder.glob("*.safetensors")):
        for name, entry in read_header(path).items():
            match = _LINEAR.match(name)
            if match and len(entry.shape) == 2:
                kind = match["kind"].rpartition(".")[2]
                found.setdefault(kind, []).append((entry.shape[0], entry.shape[1]))
    return found


def unknown_targets(spec: LoraSpec, layers: Mapping[str, Any]) -> list[str]:
    return [] if spec.targets == ALL_LINEAR else [name for name in spec.targets if name not in layers]


def adapter_parameters(spec: LoraSpec, layers: Mapping[str, list[tuple[int, int]]]) -> int:
    kinds = layers if spec.targets == ALL_LINEAR else spec.targets
    return sum(spec.rank * (out + into) for kind in kinds for out, into in layers.get(kind, []))


def precision_on(spec: LoraSpec, device: str) -> str:
    return spec.precision if spec.precision != "auto" else "fp32" if device == "cpu" else "bf16"


def has_quantiser() -> bool:
    return importlib.util.find_spec("bitsandbytes") is not None


def estimate(
    spec: LoraSpec, base: BaseFiles, *, tokens: int, longest: int, rows: int, device: str, flops: float
) -> Fit:
    """`tokens` of one epoch, `longest` row and number of `rows`, as they are trained."""
    layers = linear_layers(base)
    adapter = adapter_parameters(spec, layers)
    precision = precision_on(spec, device)
    at_once = spec.batch * (spec.length if spec.packing and tokens > spec.length else longest)
    at_once = min(at_once, tokens)
    steps, epochs = _steps(spec, tokens, rows)
    memory = (
        base.parameters * WEIGHT_BYTES[precision]
        + adapter * (ADAPTER_BYTES + (FROZEN_BYTES if spec.adapter else 0))
        + _activations(spec, base.config, at_once, precision)
        + PROCESS_BYTES
    )
    passes = (6 if spec.gradient_checkpointing else 4) + (2 if spec.method == "dpo" else 0)
    work = passes * base.parameters * tokens * epochs
    return Fit(base.parameters, adapter, int(memory), work / max(flops, 1.0), steps, int(tokens * epochs))


def _steps(spec: LoraSpec, tokens: int, rows: int) -> tuple[int, float]:
    bins = max(1, -(-tokens * 21 // (20 * spec.length))) if spec.packing else rows  # bins are about 95 % full
    an_epoch = max(1, -(-bins // spec.rows_a_step))
    steps = max(1, round(an_epoch * spec.epochs))
    if spec.max_steps is not None:
        return spec.max_steps, spec.max_steps / an_epoch
    return steps, spec.epochs


def _activations(spec: LoraSpec, config: Mapping[str, Any], tokens: int, precision: str) -> float:
    """Per token and layer about 14 hidden and 3 feed-forward widths; with checkpointing one layer whole, of the
    others their input."""
    hidden, wide = int(config.get("hidden_size", 0)), int(config.get("intermediate_size", 0))
    layers, words = int(config.get("num_hidden_layers", 0)), int(config.get("vocab_size", 0))
    size = 4 if precision == "fp32" else 2
    one = (14 * hidden + 3 * wide) * size
    kept = one + layers * hidden * size if spec.gradient_checkpointing else layers * one
    return tokens * kept + 3 * 4 * HEAD_CHUNK * words


def find_base(name: str) -> Path | None:
    """A folder, or the local copy of a hub id in Hugging Face's cache; None where neither is on this machine."""
    folder = Path(name)
    if folder.is_dir():
        return folder
    if re.fullmatch(r"[A-Za-z0-9][\w.-]{0,95}/[\w.-]{1,96}", name):
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

        try:
            return Path(snapshot_download(name, local_files_only=True))
        except (LocalEntryNotFoundError, HfHubHTTPError, OSError, ValueError):
            return None
    return None
