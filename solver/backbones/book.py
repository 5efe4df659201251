"""Adding a backbone: find it, check it, weigh it against this host, describe an engine for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from solver.backbones import chat_template, estimate, hub
from solver.backbones.estimate import Host, Needs, Verdict
from solver.engines.adapters import BadAdapter, read_adapter
from solver.engines.base_model import BadBase, BaseFiles, read_base
from solver.engines.spec import BASE, EngineKind, EngineSpec
from solver.serving import vllm
from trajectories.agents import AGENTS

_ADAPTED = (*AGENTS, "supervisor")
CONTEXT = 8192  # tokens in flight that the memory estimate makes room for, unless told
_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}


@dataclass(frozen=True, slots=True)
class Wish:
    """How it is to be served. `vllm_python` None: by the lab's own engine."""

    name: str = ""
    adapters: Mapping[str, str] | None = None
    vllm_python: str | None = None
    port: int = 8100
    tensor_parallel: int = 1
    context_tokens: int | None = None
    cpu: bool = False


@dataclass(frozen=True, slots=True)
class Backbone:
    files: BaseFiles
    needs: Needs
    verdict: Verdict
    warnings: tuple[str, ...]
    template_digest: str
    spec: EngineSpec


def prepare(given: str, wish: Wish, host: Host) -> Backbone:
    """Everything that can be known before loading. Raises BadBase, BadAdapter or BadSpec."""
    folder = hub.locate(given)
    files = read_base(folder)
    warnings = chat_template.check(folder)
    on_gpu = bool(host.gpus) and not wish.cpu
    dtype = "bfloat16" if on_gpu or wish.vllm_python else "float32"
    needs = estimate.needs(files.config, files.parameters, bytes_each=_BYTES[dtype])
    tokens = wish.context_tokens or CONTEXT
    verdict = (
        estimate.on_gpus(needs, host, tokens, wish.tensor_parallel)
        if on_gpu
        else estimate.on_cpu(needs, host, tokens)
    )
    for role, adapter in (wish.adapters or {}).items():
        if role not in _ADAPTED:
            raise BadAdapter(
                f"There is no agent {role!r} to give an adapter to; the agents are {', '.join(_ADAPTED)}."
            )
        _same_base(read_adapter(role, Path(adapter), max_rank=64).base_fingerprint, files, role)
    name = wish.name or re.sub(r"[^a-z0-9._-]+", "-", Path(given).name.lower()).strip("-.")[:64]
    spec = EngineSpec.parse(_entry(name, given, folder, wish, on_gpu))
    spec = vllm.named_by_content(spec) if spec.vllm else spec
    return Backbone(files, needs, verdict, tuple(warnings), chat_template.digest(folder), spec)


def _same_base(fingerprint: str | None, files: BaseFiles, role: str) -> None:
    if fingerprint is not None and fingerprint != files.fingerprint:
        raise BadAdapter(
            f"The adapter of {role} was trained on another base (fingerprint {fingerprint[:12]}, this one has "
            f"{files.fingerprint[:12]}); train it on this base, or give the base it was trained on."
        )


def _entry(name: str, given: str, folder: Path, wish: Wish, on_gpu: bool) -> dict[str, Any]:
    adapters = {role: str(Path(adapter).resolve()) for role, adapter in (wish.adapters or {}).items()}
    entry: dict[str, Any] = {"name": name, "label": Path(given).name, "adapters": adapters}
    if wish.context_tokens:
        entry["context_tokens"] = wish.context_tokens
    models = {role: role for role in adapters}
    if wish.vllm_python is None:
        return {**entry, "kind": EngineKind.TRANSFORMERS.value, "base": str(folder), "models": models}
    settings = {
        "python": wish.vllm_python,
        "model": str(folder),
        "tensor_parallel": wish.tensor_parallel,
        "cpu": not on_gpu,
    }
    return {
        **entry,
        "kind": EngineKind.OPENAI.value,
        "base_url": f"http://127.0.0.1:{wish.port}/v1",
        "allow_loopback": True,
        "max_concurrency": 64,
        "models": {"default": BASE, **models},
        "vllm": settings,
    }


def refusal(found: Backbone) -> str | None:
    """Why it should not be added without being asked twice; None when it can be worked with."""
    if not found.verdict.fits:
        return f"{found.verdict.sentence} Choose a smaller model, or a machine with more memory."
    if not found.verdict.quick:
        return f"{found.verdict.sentence} Choose a model of at most 1.5 B for a CPU, or a machine with a GPU."
    return None


__all__ = ["Backbone", "BadBase", "Wish", "prepare", "refusal"]
