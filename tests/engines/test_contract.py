"""What every engine promises, asked of all of them: replayed, in process, in a process of its own, over HTTP.

A real vLLM is asked too where MCL_TEST_VLLM_URL names one (such as http://127.0.0.1:8000/v1). MCL_TEST_VLLM_MODEL is the model
to ask, by default the first it lists; MCL_TEST_VLLM_ADAPTER the name of an adapter it serves.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from solver.engines.openai_api import OpenAIEngine
from solver.engines.protocol import (
    Cancelled,
    ChatModel,
    ChatRequest,
    ContextOverflow,
    EngineRefused,
    EngineUnreachable,
    FinishReason,
)
from solver.engines.recorded import RecordedEngine
from solver.engines.recorder import Recorder
from solver.engines.registry import close_engine, open_engine
from solver.engines.served import ServedEngine
from solver.engines.spec import EngineKind, EngineSpec
from tests.engines.asking import request
from tests.engines.conftest import tiny_spec
from tests.engines.loopback import Handler, answer, serving
from tests.engines.served_engine import Server

PROMPT = "print the sum of the list, then the largest number"
VLLM = os.environ.get("MCL_TEST_VLLM_URL")
REAL = ("transformers", "served", *(["vllm"] if VLLM else []))  # a model runs


@pytest.fixture(params=["openai", "recorded", *REAL])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def spec(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EngineSpec]:
    """Engines that answer PROMPT with at least a dozen pieces."""
    if kind in ("transformers", "served"):
        yield tiny_spec(request.getfixturevalue("tiny"))
        return
    if kind == "vllm":
        yield vllm_spec()
        return

    def slowly(handler: Handler) -> None:
        answer(*(f"word{i} " for i in range(20)))(handler)

    with serving(slowly) as board:
        spec = board.spec(models={"default": "base"})
        if kind == "openai":
            yield spec
            return
        live = open_engine(spec)
        Recorder(live, tmp_path / "demo.jsonl").chat(asked())
        close_engine(spec)
    recordings = {"recordings": [str(tmp_path / "demo.jsonl")], "tokens_per_second": 400}
    yield EngineSpec.parse({"name": "demo", "kind": "recorded", **recordings})


def vllm_spec() -> EngineSpec:
    given = {
        "name": "vllm",
        "kind": "openai",
        "base_url": VLLM,
        "allow_loopback": True,
        "models": {"default": os.environ.get("MCL_TEST_VLLM_MODEL", "base")},
        "capabilities": {"structured_output": True},
    }
    spec = EngineSpec.parse(given)
    if "MCL_TEST_VLLM_MODEL" in os.environ:
        return spec
    engine = OpenAIEngine(spec)
    listed = engine.run(engine.list_models())
    engine.close()
    return EngineSpec.parse({**given, "models": {"default": listed[0]}})


@pytest.fixture
def engine(kind: str, spec: EngineSpec, request: pytest.FixtureRequest) -> Iterator[ChatModel]:
    if kind == "served":
        server: Server = request.getfixturevalue("tiny_server")
        client = ServedEngine(spec, server.socket)
        yield client
        client.close()
        return
    opened = open_engine(spec)
    yield opened
    close_engine(spec)


@pytest.fixture
def model(spec: EngineSpec) -> str:
    """The base model's name with this engine."""
    return spec.models["default"] if spec.kind is EngineKind.OPENAI else "base"


def asked(model: str = "base", **sampling: Any) -> ChatRequest:
    settings: dict[str, Any] = {"max_tokens": 40, **sampling}
    return request(PROMPT, model=model, **settings)


def test_the_streamed_pieces_are_the_answer(engine: ChatModel, model: str) -> None:
    heard: list[str] = []
    reply = engine.chat(asked(model), on_delta=heard.append)
    assert "".join(heard) == reply.text
    assert len(heard) >= 5, "pieces that are ready together may come together"
    assert reply.first_token_s is not None
    assert 0 <= reply.first_token_s <= reply.seconds


def test_the_answer_is_the_same_with_and_without_a_listener(engine: ChatModel, model: str) -> None:
    assert engine.chat(asked(model), on_delta=lambda _text: None).text == engine.chat(asked(model)).text


def test_usage_and_finish_reason_are_always_there(engine: ChatModel, model: str) -> None:
    reply = engine.chat(asked(model))
    assert reply.usage.prompt_tokens > 0
    assert reply.usage.completion_tokens > 0
    assert reply.finish_reason in (FinishReason.STOP, FinishReason.LENGTH)
    assert reply.model


def test_many_threads_get_the_answer_each_of_them_asked_for(engine: ChatModel, model: str) -> None:
    alone = engine.chat(asked(model)).text
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: engine.chat(asked(model), on_delta=lambda _text: None), range(24)))
    assert {reply.text for reply in replies} == {alone}


def test_a_cancel_raises_and_the_engine_serves_on(engine: ChatModel, model: str) -> None:
    stop = threading.Event()
    with pytest.raises(Cancelled, match=r"was cancelled\."):
        engine.chat(asked(model), on_delta=lambda _text: stop.set(), cancelled=lambda: True)
    assert engine.chat(asked(model)).text


def test_it_says_what_it_is(engine: ChatModel, spec: EngineSpec) -> None:
    info = engine.info()
    assert (info.name, info.kind) == (spec.name, spec.kind.value)
    assert info.streams
    assert info.simulated == isinstance(engine, RecordedEngine)
    assert info.models


def test_a_closed_engine_says_so_and_closing_twice_does_no_harm(engine: ChatModel, model: str) -> None:
    engine.close()
    engine.close()
    with pytest.raises(EngineUnreachable, match="is closed; open it again"):
        engine.chat(asked(model))


# -- promises of engines in which a model runs

real = pytest.mark.parametrize("kind", REAL)


@real
def test_a_budget_cuts_the_answer_and_the_reply_says_so(engine: ChatModel, model: str) -> None:
    reply = engine.chat(asked(model, max_tokens=3))
    assert reply.finish_reason is FinishReason.LENGTH
    assert (reply.usage.completion_tokens, reply.usage.estimated) == (3, False)


@real
def test_a_seed_repeats_an_answer_also_beside_others(engine: ChatModel, model: str) -> None:
    def drawn(seed: int) -> str:
        return engine.chat(asked(model, temperature=1.2, seed=seed, max_tokens=24)).text

    alone = [drawn(seed) for seed in range(4)]
    assert len(set(alone)) > 1
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(drawn, range(4))) == alone


@real
def test_a_grammar_is_obeyed_at_a_high_temperature(engine: ChatModel, model: str) -> None:
    assert engine.info().grammars
    for seed in range(4):
        settings: dict[str, Any] = {"temperature": 1.5, "seed": seed, "max_tokens": 24}
        reply = engine.chat(request(PROMPT, model=model, grammar='start: "<" /[a-f]{3,5}/ ">"\n', **settings))
        assert reply.finish_reason is FinishReason.STOP
        assert reply.text[0] + reply.text[-1] == "<>"
        assert set(reply.text[1:-1]) <= set("abcdef")
        assert 3 <= len(reply.text[1:-1]) <= 5
        assert reply.detail["grammar_enforced"] is True


@real
def test_what_is_no_grammar_is_refused(engine: ChatModel, model: str) -> None:
    with pytest.raises(EngineRefused):
        engine.chat(request(PROMPT, model=model, grammar="start: missing_rule\n"))


@real
def test_a_stop_string_ends_the_answer_before_it(engine: ChatModel, model: str) -> None:
    whole = engine.chat(asked(model)).text
    stop = whole[len(whole) // 2 : len(whole) // 2 + 2]
    reply = engine.chat(asked(model, stop=(stop,)))
    assert reply.finish_reason is FinishReason.STOP
    assert reply.text == whole[: whole.index(stop)]


@real
def test_an_unknown_model_is_refused_by_name_and_the_engine_serves_on(engine: ChatModel, model: str) -> None:
    with pytest.raises(EngineRefused, match="nobody-loaded-this"):
        engine.chat(asked("nobody-loaded-this"))
    assert engine.chat(asked(model)).text


@real
def test_a_prompt_beyond_the_context_is_refused_as_such(engine: ChatModel, model: str) -> None:
    with pytest.raises(ContextOverflow, match=r"context|do not fit"):
        engine.chat(request("word 7 " * 20_000, model=model, max_tokens=40))
    assert engine.chat(asked(model)).text


@real
def test_an_adapter_changes_the_answer_beside_the_base_in_one_batch(
    engine: ChatModel, kind: str, model: str
) -> None:
    adapter = os.environ.get("MCL_TEST_VLLM_ADAPTER") if kind == "vllm" else "coding"
    if adapter is None:
        pytest.skip("MCL_TEST_VLLM_ADAPTER names no adapter of this vLLM")
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda name: engine.chat(asked(name)), [model, adapter] * 4))
    texts = [reply.text for reply in replies]
    assert texts == texts[:2] * 4
    assert texts[0] != texts[1]
    if kind != "vllm":
        assert len(replies[1].adapter_digest or "") == 64
        assert replies[0].adapter_digest is None
