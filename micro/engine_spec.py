"""Where the shipped micro model lies, what it is, and whether a statement is one that it can know.

Pure: no torch, no model is loaded.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from micro import statement as grammar
from micro.tokenizer import CONTEXT, LONGEST_ANSWER
from trajectories.agents import AGENTS

ARTEFACT = Path(__file__).parent / "artefact"
PROBLEMS = Path(__file__).parent / "problems.jsonl"
NAME = "micro"
LABEL = "micro model, synthetic family"
TEACHER = "micro-teacher"
TEACHER_LABEL = "Micro teacher and supervisor: a program that knows the family, no model"
TEACHER_MODEL = "micro-oracle"
TEACHER_MISTAKES = 0.05  # of its answers, so that "kept if it passes" has something to drop
TEMPLATES = "micro"
OUT_OF_FAMILY = (
    "This statement is outside the micro model's family of problems: its answer will be fluent and wrong. Take an "
    "example, ask for a random problem, or choose an engine with a real model."
)


class ArtefactMissing(RuntimeError):
    """The shipped weights are not there, or are not the ones that were shipped."""


@dataclass(frozen=True)
class Artefact:
    """Folders for `from_pretrained`; digests are SHA-256 of the weights files."""

    base: Path
    adapters: dict[str, Path]
    digests: dict[str, str]


@lru_cache(maxsize=4)
def artefact(folder: Path = ARTEFACT) -> Artefact:
    """The shipped model, its weights checked against the manifest. Raises `ArtefactMissing`."""
    manifest = folder / "manifest.json"
    if not manifest.is_file():
        raise ArtefactMissing(
            f"{manifest} is not there: check the files out again, or make them with `python -m micro.recipe --scale full`"
        )
    wanted: dict[str, str] = json.loads(manifest.read_text(encoding="utf-8"))["sha256"]
    for name, digest in wanted.items():
        path = folder / name
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            raise ArtefactMissing(
                f"{path} is missing or is not the file that was shipped: check it out again"
            )
    return Artefact(
        base=folder / "base",
        adapters={agent: folder / "adapters" / agent for agent in AGENTS},
        digests={
            "base": wanted["base/model.safetensors"],
            **{agent: wanted[f"adapters/{agent}/adapter_model.safetensors"] for agent in AGENTS},
        },
    )


def engine_entry() -> dict[str, Any]:
    """The shipped engine as `solver.engines.spec.EngineSpec.parse` takes it: every agent with its own adapter."""
    shipped = artefact()
    return entry(NAME, LABEL, shipped.base, shipped.adapters)


def entry(name: str, label: str, base: Path, adapters: dict[str, Path]) -> dict[str, Any]:
    return {
        "name": name,
        "kind": "transformers",
        "label": label,
        "base": str(base),
        "adapters": {agent: str(folder) for agent, folder in adapters.items()},
        "models": {agent: agent for agent in AGENTS},
        "templates": TEMPLATES,
        "context_tokens": CONTEXT,
        "sampling": {"temperature": 0.0, "max_tokens": LONGEST_ANSWER},
    }


def teacher_entry() -> dict[str, Any]:
    """The teacher and supervisor of the micro world (`micro.oracle_server`), on the socket that the lab gives it."""
    return {
        "name": TEACHER,
        "kind": "openai",
        "label": TEACHER_LABEL,
        "base_url": "http://localhost/v1",
        "allow_loopback": True,
        "models": {"default": TEACHER_MODEL},
        "templates": TEMPLATES,
        "simulated": True,
        "sampling": {"temperature": 0.0, "max_tokens": 1024},
    }


def is_in_family(statement: str) -> bool:
    """Whether the grammar reads the statement. Free text outside it gets `OUT_OF_FAMILY` before the run."""
    return grammar.parse(statement) is not None


def shipped_problems() -> list[dict[str, Any]]:
    """The held-out problems of the demo's list, as normalised records."""
    with PROBLEMS.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
