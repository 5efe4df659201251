"""What every engine promises, asked of all three kinds."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from solver.engines.protocol import Cancelled, ChatModel, ChatRequest, EngineUnreachable, FinishReason
from solver.engines.recorded import RecordedEngine
from solver.engines.recorder import Recorder
from solver.engines.registry import close_engine, open_engine
from solver.engines.spec import EngineSpec
from tests.engines.asking import request
from tests.engines.conftest import tiny_spec
from tests.engines.loopback import Handler, answer, serving

PROMPT = "print the sum of the list, then the largest number"


@pytest.fixture(params=["openai", "recorded", "transformers"])
def spec(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EngineSpec]:
    """Three engines that answer PROMPT with at least a dozen pieces; model `base` or `small`."""
    if request.param == "transformers":
        yield tiny_spec(request.getfixturevalue("tiny"))
        return

    def slowly(handler: Handler) -> None:
        answer(*(f"word{i} " for i in range(20)))(handler)

    with serving(slowly) as board:
        spec = board.spec(models={"default": "base"})
        if request.param == "openai":
            yield spec
            return
        live = open_engine(spec)
        Recorder(live, tmp_path / "demo.jsonl").chat(asked())
        close_engine(spec)
    yield EngineSpec.parse(
        {
            "name": "demo",
            "kind": "recorded",
            "recordings": [str(tmp_path / "demo.jsonl")],
            "tokens_per_second": 400,
        }
    )


@pytest.fixture
def engine(spec: EngineSpec) -> Iterator[ChatModel]:
    opened = open_engine(spec)
    yield opened
    close_engine(spec)


def asked() -> ChatRequest:
    return request(PROMPT, model="base", max_tokens=40)


def test_the_streamed_pieces_are_the_answer(engine: ChatModel) -> None:
    heard: list[str] = []
    reply = engine.chat(asked(), on_delta=heard.append)
    assert "".join(heard) == reply.text
    assert len(heard) >= 12
    assert reply.first_token_s is not None
    assert 0 <= reply.first_token_s <= reply.seconds


def test_the_answer_is_the_same_with_and_without_a_listener(engine: ChatModel) -> None:
    assert engine.chat(asked(), on_delta=lambda _text: None).text == engine.chat(asked()).text


def test_usage_and_finish_reason_are_always_there(engine: ChatModel) -> None:
    reply = engine.chat(asked())
    assert reply.usage.prompt_tokens > 0
    assert reply.usage.completion_tokens > 0
    assert reply.finish_reason in (FinishReason.STOP, FinishReason.LENGTH)
    assert reply.model


def test_many_threads_get_the_answer_each_of_them_asked_for(engine: ChatModel) -> None:
    alone = engine.chat(asked()).text
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: engine.chat(asked(), on_delta=lambda _text: None), range(24)))
    assert {reply.text for reply in replies} == {alone}


def test_a_cancel_raises_and_the_engine_serves_on(engine: ChatModel) -> None:
    stop = threading.Event()
    with pytest.raises(Cancelled, match=r"was cancelled\."):
        engine.chat(asked(), on_delta=lambda _text: stop.set(), cancelled=lambda: True)
    assert engine.chat(asked()).text


def test_it_says_what_it_is(engine: ChatModel, spec: EngineSpec) -> None:
    info = engine.info()
    assert (info.name, info.kind) == (spec.name, spec.kind.value)
    assert info.streams
    assert info.simulated == isinstance(engine, RecordedEngine)
    assert info.models


def test_a_closed_engine_says_so_and_closing_twice_does_no_harm(engine: ChatModel) -> None:
    engine.close()
    engine.close()
    with pytest.raises(EngineUnreachable, match="is closed; open it again"):
        engine.chat(asked())
