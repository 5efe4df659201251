"""What ships: base and adapters in safetensors, the tokenizer, the recorded results and the model card made of them."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from micro import table
from micro.model_card import model_card
from micro.scale import Scale
from solver.engines.adapters import BASE_CARD
from trajectories.agents import AGENTS

LARGEST_BYTES = 15 * 1024 * 1024
BASE_FILES = ("config.json", "generation_config.json", "model.safetensors")
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")
SERIES = ("teacher", "student", "supervisor")
ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors", BASE_CARD)


def publish(scale: Scale, made: Path, target: Path) -> None:
    """Gather the files, write results, card and manifest. Refuses to make an artefact of more than 15 MB."""
    copy(made / "base", BASE_FILES, target / "base")
    copy(made / "tokenizer", TOKENIZER_FILES, target / "base")
    for agent in AGENTS:
        copy(made / "adapters" / agent, ADAPTER_FILES, target / "adapters" / agent)
    results = gather_results(scale, made)
    (target / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    (target / "README.md").write_text(model_card(results), encoding="utf-8")
    files = sorted(p for p in target.rglob("*") if p.is_file() and p.name != "manifest.json")
    size = sum(p.stat().st_size for p in files)
    if size > LARGEST_BYTES:
        raise RuntimeError(
            f"the artefact has {size:,} bytes, more than {LARGEST_BYTES:,}: lower the rank or the shape"
        )
    digests = {str(p.relative_to(target)): file_digest(p) for p in files}
    (target / "manifest.json").write_text(json.dumps({"sha256": digests}, indent=1) + "\n", encoding="utf-8")


def copy(source: Path, names: tuple[str, ...], target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for name in names:
        shutil.copyfile(source / name, target / name)


def file_digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def gather_results(scale: Scale, made: Path) -> dict[str, Any]:
    """All that the card is made of. `seeds` holds the arms of every seed whose evaluation stands; the weights and
    everything that is told of their making are the first seed's."""
    seeds = {1: read_arms(made), **{n: read_arms(folder) for n, folder in other_seeds(made).items()}}
    found = table.rows(list(seeds.values()))
    adapters = sorted(path.parent.name for path in (made / "adapters").glob("*/adapter_model.safetensors"))
    return {
        "scale": asdict(scale),
        "corpus_sha256": file_digest(made / "corpus.npz"),
        "pairs_sha256": {name: file_digest(made / f"pairs-{name}.json") for name in SERIES},
        "pretraining": _last_line(made / "base" / "training" / "metrics.jsonl"),
        "adapters": {
            name: _last_line(made / "adapters" / name / "training" / "metrics.jsonl") for name in adapters
        },
        "yields": {
            name: json.loads((made / f"pairs-{name}.json").read_text(encoding="utf-8"))["counts"]
            for name in SERIES
        },
        "parameters": {"base": _parameters(made / "base" / "model.safetensors")}
        | {agent: _parameters(made / "adapters" / agent / "adapter_model.safetensors") for agent in AGENTS},
        "versions": {name: version(name) for name in ("torch", "transformers", "peft", "tokenizers")},
        "table": found,
        "findings": [{"said": said, "holds": holds} for said, holds in table.findings(found)],
        "seeds": {str(number): arms for number, arms in seeds.items()},
    }


def read_arms(made: Path) -> list[dict[str, Any]]:
    return [
        json.loads(path.read_text(encoding="utf-8")) for path in sorted((made / "results").glob("*.json"))
    ]


def other_seeds(made: Path) -> dict[int, Path]:
    """Seeds beside the first that have a base and all four to compare."""
    found = {int(path.name.partition("-")[2]): path for path in made.glob("seed-*")}
    needed = {table.BASE, table.FOUR}
    return {n: path for n, path in sorted(found.items()) if needed <= {arm["arm"] for arm in read_arms(path)}}


def _last_line(path: Path) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(path.read_text(encoding="utf-8").splitlines()[-1])
    return line


def _parameters(path: Path) -> int:
    """From the header alone: eight bytes of its length, then JSON with a shape for each tensor."""
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    total = 0
    for name, tensor in header.items():
        if name != "__metadata__":
            count = 1
            for side in tensor["shape"]:
                count *= side
            total += count
    return total
