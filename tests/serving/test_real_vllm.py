"""Against a real vLLM (`make test-vllm`): adapters forgotten and loaded again, capabilities measured, its numbers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from solver.engines.openai_api import OpenAIEngine
from solver.engines.probe import probe
from solver.engines.spec import EngineSpec
from solver.serving.server import VllmServer
from tests.engines.asking import request

DESCRIBED = os.environ.get("MCL_TEST_VLLM_SPEC")
pytestmark = pytest.mark.skipif(not DESCRIBED, reason="make test-vllm starts a vLLM for these")


@pytest.fixture
def spec() -> EngineSpec:
    return EngineSpec.model_validate_json(DESCRIBED or "")


@pytest.fixture
def engine(spec: EngineSpec) -> Iterator[OpenAIEngine]:
    opened = OpenAIEngine(spec)
    yield opened
    opened.close()


def forget(spec: EngineSpec, name: str) -> None:
    httpx2.post(
        f"{spec.base_url}/unload_lora_adapter", json={"lora_name": name}, timeout=60
    ).raise_for_status()


def test_every_capability_is_there(engine: OpenAIEngine) -> None:
    checks = {check.name: (check.ok, check.detail) for check in probe(engine)}
    assert all(ok for ok, _ in checks.values()), checks


def test_each_adapter_answers_as_itself_also_beside_the_others(
    engine: OpenAIEngine, spec: EngineSpec
) -> None:
    names = ["base", *sorted(spec.adapters)] * 4
    alone = {name: engine.chat(request("print the sum", model=name)).text for name in names[:3]}
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda name: engine.chat(request("print the sum", model=name)).text, names))
    assert len(set(alone.values())) == 3
    assert together == [alone[name] for name in names]


def test_a_forgotten_adapter_is_loaded_by_the_call_that_needs_it(
    engine: OpenAIEngine, spec: EngineSpec
) -> None:
    name = sorted(spec.adapters)[0]
    before = engine.chat(request("print the sum", model=name)).text
    forget(spec, name)
    assert engine.chat(request("print the sum", model=name)).text == before


def test_what_it_serves_is_brought_in_line_with_the_description(spec: EngineSpec, tmp_path: Path) -> None:
    server = VllmServer(spec)
    name = sorted(spec.adapters)[1]
    forget(spec, name)
    assert name not in server.served()
    assert server.reconcile() == dict.fromkeys(spec.adapters, "")
    assert set(spec.adapters) < server.served()


def test_its_numbers_are_read(engine: OpenAIEngine, spec: EngineSpec) -> None:
    server = VllmServer(spec)
    before = server.numbers()
    engine.chat(request("print the sum", model="base", max_tokens=12))
    after = server.numbers()
    assert before is not None and after is not None
    assert after.new_tokens > before.new_tokens and after.prompt_tokens > before.prompt_tokens
