"""Which answers may be kept, and under which key.

Two requests share an answer only if nothing differs that could change it: messages, model name, sampling with its
seed, grammar (`ChatRequest.digest`); where they go and what is sent with them; the content of the weights where this
machine has them. A server that changes its model under the same address and name cannot be noticed: clear its answers.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from solver.engines.digests import adapter_digest, file_digest
from solver.engines.protocol import ChatRequest, FinishReason
from solver.engines.spec import EngineKind, EngineSpec

KEPT = (FinishReason.STOP, FinishReason.LENGTH)


def is_kept(spec: EngineSpec, request: ChatRequest) -> bool:
    """By default only where asking costs: of OpenAI-compatible servers, and only for requests that name one draw.

    A temperature above 0 without a seed asks for a new draw each time; such an answer is kept only on demand.
    """
    if spec.kind is EngineKind.RECORDED or spec.stored_answers == "never":
        return False
    if spec.stored_answers == "always":
        return True
    settled = request.sampling.temperature == 0 or request.sampling.seed is not None
    return spec.kind is EngineKind.OPENAI and settled and not spec.simulated


def key(spec: EngineSpec, request: ChatRequest) -> str:
    told = [request.digest(), _endpoint(spec), _weights(spec, request.model)]
    return hashlib.sha256(json.dumps(told, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _endpoint(spec: EngineSpec) -> dict[str, Any]:
    can = spec.capabilities
    return {
        "kind": spec.kind.value,
        "base_url": spec.base_url,
        "extra_body": spec.extra_body,
        "seed": can.seed,
        "structured_output": can.structured_output,
    }


def _weights(spec: EngineSpec, model: str) -> list[str | None]:
    folder = spec.adapters.get(model)
    adapter = adapter_digest(Path(folder)) if folder else None
    if spec.base is None:
        return [None, adapter]
    files = sorted(Path(spec.base).glob("*.safetensors")) + sorted(Path(spec.base).glob("*.json*"))
    return [*(file_digest(file) for file in files), adapter]
