"""A base model on disk: what the lab's engine accepts. Checked without torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from solver.engines.adapters import base_fingerprint
from solver.engines.protocol import EngineError
from solver.engines.safetensors_header import BadWeights, read_header

# Decoders whose layers all see the whole past; the engine's tests run each of them.
MODEL_TYPES = ("llama", "mistral", "qwen2", "qwen3")


class BadBase(EngineError):
    """A base model that cannot be loaded; the message names the folder, the reason and the mend."""

    code = "bad_base"


@dataclass(frozen=True, slots=True)
class BaseFiles:
    """A checked folder: config, tokenizer and safetensors, no pickle and no code of its own."""

    folder: Path
    config: Mapping[str, Any]
    generation: Mapping[str, Any]  # generation_config.json, empty where there is none
    parameters: int
    fingerprint: str


def read_base(folder: Path) -> BaseFiles:
    """Check the folder of a base model. Raises BadBase."""

    def refuse(why: str, mend: str) -> BadBase:
        return BadBase(f"The base model in {folder.name!r} cannot be loaded: {why}; {mend}.")

    if not folder.is_dir():
        raise refuse("the folder does not exist", "correct base, or build the model first")
    try:
        config = json.loads((folder / "config.json").read_bytes())
    except (OSError, ValueError):
        raise refuse(
            "config.json is missing or not JSON", "give the folder of a transformers model"
        ) from None
    if not isinstance(config, dict):
        raise refuse("config.json is not a JSON object", "give the folder of a transformers model")
    why = _unsupported(config)
    if why:
        raise refuse(why, f"supported are plain {', '.join(MODEL_TYPES)} models")
    weights = sorted(folder.glob("*.safetensors"))
    if not weights:
        raise refuse(
            "it holds no safetensors file, and pickle files are never loaded", "convert it to safetensors"
        )
    if not (folder / "tokenizer.json").is_file():
        raise refuse("tokenizer.json is missing", "save the tokenizer into the same folder")
    parameters = 0
    for path in weights:
        try:
            header = read_header(path)
        except BadWeights as error:
            raise refuse(f"{path.name} {error}", "copy it again") from None
        parameters += sum(_size(entry.shape) for entry in header.values())
    return BaseFiles(folder, config, _generation(folder), parameters, base_fingerprint(folder))


def _generation(folder: Path) -> Mapping[str, Any]:
    try:
        config = json.loads((folder / "generation_config.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return config if isinstance(config, dict) else {}


def _unsupported(config: Mapping[str, Any]) -> str | None:
    kind = str(config.get("model_type", "missing"))[:40]
    if "auto_map" in config:
        return "it needs code that comes with the model, which is never run"
    if kind not in MODEL_TYPES:
        return f"its model_type is {kind}"
    if config.get("quantization_config"):
        return "its weights are quantised"
    layers = config.get("layer_types")
    if isinstance(layers, list) and set(layers) - {"full_attention"}:
        return "some of its layers see only a window of the past"
    if config.get("sliding_window") and (kind == "mistral" or config.get("use_sliding_window")):
        return "its layers see only a window of the past"
    return None


def _size(shape: tuple[int, ...]) -> int:
    count = 1
    for side in shape:
        count *= side
    return count
