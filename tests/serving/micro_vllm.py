"""The micro model as a vLLM that the lab runs: base and four adapters, described as `engine add --file` takes it."""

from __future__ import annotations

import os
from typing import Any

import pytest

from micro.engine_spec import TEMPLATES, artefact
from micro.tokenizer import CONTEXT, LONGEST_ANSWER
from solver.engines.spec import EngineSpec
from solver.serving import vllm
from trajectories.agents import AGENTS

DESCRIBED = os.environ.get("MCL_TEST_VLLM_MICRO")
needs_micro_vllm = pytest.mark.skipif(
    not DESCRIBED, reason="make test-vllm starts a vLLM with the micro model for these"
)


def asked_like_micro(**given: Any) -> dict[str, Any]:
    """An engine entry that asks as the shipped `micro` engine does: models, prompts, context, sampling."""
    return {
        "kind": "openai",
        "allow_loopback": True,
        "models": {"default": "base", **{agent: agent for agent in AGENTS}},
        "templates": TEMPLATES,
        "context_tokens": CONTEXT,
        "sampling": {"temperature": 0.0, "max_tokens": LONGEST_ANSWER},
        "capabilities": {"structured_output": True},
        **given,
    }


def describe(python: str, port: int) -> EngineSpec:
    """float32, like the lab's own engine on a CPU: in bfloat16 rounding decides near-ties differently."""
    shipped = artefact()
    entry = asked_like_micro(
        name="micro-vllm",
        label="Micro model on vLLM",
        base_url=f"http://127.0.0.1:{port}/v1",
        adapters={agent: str(folder) for agent, folder in shipped.adapters.items()},
        vllm={
            "python": python,
            "model": str(shipped.base),
            "cpu": True,
            "cpu_kv_gigabytes": 1,
            "dtype": "float32",
        },
    )
    return vllm.named_by_content(EngineSpec.parse(entry))


def micro_vllm() -> EngineSpec:
    """The one that `make test-vllm` has started."""
    return EngineSpec.model_validate_json(DESCRIBED or "")
