"""Twenty and more ways in which a server can misbehave, each ending in a sentence a user can act on, in bounded time."""

from __future__ import annotations

import gzip
import socket
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from solver.engines.openai_api import OpenAIEngine
from solver.engines.protocol import (
    ContextOverflow,
    EngineError,
    EngineRefused,
    EngineUnreachable,
    FinishReason,
)
from tests.engines.asking import request
from tests.engines.loopback import Behaviour, Handler, answer, serving, status

KEY = "sk-very-secret-0123456789"
PATIENT = {"connect_s": 60, "first_token_s": 60, "between_tokens_s": 60, "total_s": 240}
SILENT = (
    "silence",
    "comments",
)  # ways that only a deadline ends: this one, so that a busy machine meets no other
MIDDLE = "silence in the middle"


def deadlines(name: str) -> Mapping[str, float]:
    if not name.startswith(SILENT):
        return PATIENT
    return {**PATIENT, "between_tokens_s": 0.5} if name == MIDDLE else {**PATIENT, "first_token_s": 0.6}


@dataclass(frozen=True)
class Way:
    """`requests`: how often the server is asked in two tries; None where that may vary."""

    behave: Behaviour
    error: type[EngineError]
    said: str
    requests: int | None = 1


def page(handler: Handler) -> None:
    handler.raw(200, b"<html><title>It works!</title></html>", Content_Type="text/html")


def hang(handler: Handler) -> None:
    handler.board.release.wait(30)


def hang_after_headers(handler: Handler) -> None:
    handler.start_stream()
    handler.board.release.wait(30)


def pings(handler: Handler) -> None:
    handler.start_stream()
    while not handler.board.release.wait(0.05):
        handler.wfile.write(b": still here\n\n")


def hang_midway(handler: Handler) -> None:
    handler.start_stream()
    handler.delta("Half an ans")
    handler.board.release.wait(30)


def half(handler: Handler) -> None:
    handler.start_stream()
    handler.delta("Half an ans")


def reset(handler: Handler) -> None:
    """The connection is torn down instead of closed."""
    handler.start_stream()
    handler.delta("Half an ans")
    time.sleep(0.05)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def events(*lines: str | bytes) -> Behaviour:
    def behave(handler: Handler) -> None:
        handler.start_stream()
        for line in lines:
            handler.wfile.write(b"data: " + (line if isinstance(line, bytes) else line.encode()) + b"\n\n")

    return behave


def chunk(delta: str, finish: str = "null") -> str:
    return f'{{"choices": [{{"index": 0, "delta": {delta}, "finish_reason": {finish}}}]}}'


def flood(handler: Handler) -> None:
    handler.start_stream()
    handler.delta("x" * 10_000_000, "stop")
    handler.event("[DONE]")


def endless(handler: Handler) -> None:
    handler.start_stream()
    for _ in range(100_000):
        handler.delta("word " * 20)


def endless_error(handler: Handler) -> None:
    """An error whose body never ends."""
    handler.send_response(500)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Connection", "close")
    handler.end_headers()
    for _ in range(4096):
        handler.wfile.write(b"x" * 65536)


def bad_gzip(handler: Handler) -> None:
    body = b"\x00" + gzip.compress(b"{}")[1:]
    handler.raw(200, body, Content_Type="text/event-stream", Content_Encoding="gzip")


def not_http(handler: Handler) -> None:
    handler.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")


def echo_key(handler: Handler) -> None:
    given = handler.headers["Authorization"]
    status(400, f"I do not like the header {given}\nnor its\x1b[31m colour")(handler)


WAYS: dict[str, Way] = {
    "a storm of 429": Way(
        status(429, "slow down"), EngineUnreachable, r"limiting requests .*tried 2 times", 2
    ),
    "429 for an hour": Way(
        status(429, "later", **{"Retry-After": "3600"}), EngineUnreachable, "asks to wait 3600 s"
    ),
    "429 for want of money": Way(
        status(429, "You exceeded your current quota, check billing"), EngineRefused, "no credit left"
    ),
    "a storm of 503": Way(status(503, "overloaded"), EngineUnreachable, r"HTTP 503.*tried 2 times", 2),
    "an endless error": Way(endless_error, EngineUnreachable, r"more data than any answer|HTTP 500", None),
    "silence before the headers": Way(hang, EngineUnreachable, r"no first token within 0\.6 s"),
    "silence after the headers": Way(hang_after_headers, EngineUnreachable, r"no first token within 0\.6 s"),
    "comments instead of tokens": Way(pings, EngineUnreachable, r"no first token within 0\.6 s"),
    MIDDLE: Way(hang_midway, EngineUnreachable, r"fell silent for 0\.5 s"),
    "half a stream": Way(half, EngineUnreachable, "without saying how the answer finished"),
    "a torn connection": Way(reset, EngineUnreachable, "broke off in the middle of an answer"),
    "an empty stream": Way(events(), EngineUnreachable, "without a single event"),
    "only [DONE]": Way(events("[DONE]"), EngineUnreachable, "without a single event"),
    "a web page": Way(page, EngineUnreachable, "without a single event"),
    "no JSON": Way(events("{not json"), EngineUnreachable, "not JSON"),
    "no UTF-8": Way(events(b"\xff\xfe\xfa"), EngineUnreachable, "not JSON|without"),
    "JSON of another form": Way(
        events('{"choices": "none"}', '{"choices": [null]}', "[DONE]"),
        EngineUnreachable,
        "without saying how",
    ),
    "text that is no text": Way(
        events(chunk('{"content": {"a": 1}}'), chunk('{"content": 7}'), "[DONE]"),
        EngineUnreachable,
        "without saying how",
    ),
    "an unknown end": Way(
        events(chunk('{"content": "x"}', '"bored"')), EngineUnreachable, "unknown finish reason 'bored'"
    ),
    "a token of 10 MB": Way(flood, EngineUnreachable, "10000000 characters for at most 64 tokens"),
    "an answer without end": Way(endless, EngineUnreachable, r"characters for at most 64 tokens"),
    "an error in the stream": Way(
        events('{"error": {"message": "CUDA out of memory"}}'), EngineUnreachable, "CUDA out of memory", 2
    ),
    "an error after half an answer": Way(
        events(chunk('{"content": "Half"}'), '{"error": {"message": "CUDA out of memory"}}'),
        EngineUnreachable,
        "CUDA out of memory",
    ),
    "damaged compression": Way(bad_gzip, EngineUnreachable, "lost the connection|not JSON|without", None),
    "another protocol": Way(not_http, EngineUnreachable, "does not speak HTTP", 2),
    "an unknown model": Way(status(404, "no model small"), EngineRefused, "does not know the model 'small'"),
    "a bad key": Way(status(401, "bad key"), EngineRefused, "did not accept the key in TEST_API_KEY"),
    "a redirect": Way(
        status(302, "there", Location="http://169.254.169.254/"),
        EngineRefused,
        "redirects to 169.254.169.254",
    ),
    "too long a prompt": Way(
        status(400, "This model's maximum context length is 8 tokens", "context_length_exceeded"),
        ContextOverflow,
        "do not fit the context",
    ),
    "an echo of the key": Way(echo_key, EngineRefused, r"refused the request .*\[key\]"),
}


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_API_KEY", KEY)


@pytest.fixture
def ask() -> Iterator[Callable[..., Any]]:
    opened: list[OpenAIEngine] = []

    def call(board: Any, timeouts: Mapping[str, float] = PATIENT) -> Any:
        opened.append(OpenAIEngine(board.spec(timeouts=timeouts, tries=2, key_env="TEST_API_KEY")))
        return opened[-1].chat(request())

    yield call
    for engine in opened:
        engine.close()


@pytest.mark.parametrize("name", WAYS)
def test_it_ends_in_one_sentence_that_says_what_happened(name: str, ask: Callable[..., Any]) -> None:
    way = WAYS[name]
    with serving(way.behave) as board:
        with pytest.raises(way.error, match=way.said) as raised:
            ask(board, deadlines(name))
        board.release.set()
        asked = len(board.bodies)
    sentence = str(raised.value)
    assert sentence.endswith(".")
    assert sentence.isprintable()
    assert len(sentence) < 600
    assert "'local'" in sentence, "it names the engine"
    assert KEY not in sentence
    assert raised.value.__cause__ is None, "the cause may hold the key"
    if way.requests is not None:
        assert asked == way.requests


TOLERATED: dict[str, tuple[Behaviour, str, FinishReason]] = {
    "no usage": (answer("ok", usage=None), "ok", FinishReason.STOP),
    "negative usage": (answer("ok", usage=(-5, "many")), "ok", FinishReason.STOP),
    "absurd usage": (answer("ok", usage=(2**60, 2**60)), "ok", FinishReason.STOP),
    "filtered": (answer("par", finish="content_filter"), "par", FinishReason.CONTENT_FILTER),
    "no [DONE]": (
        events(chunk('{"content": "ok"}'), chunk("{}", '"stop"')),
        "ok",
        FinishReason.STOP,
    ),
    "a vendor's field full of nonsense": (
        events(
            '{"lab": {"adapter_digest": "../../etc", "seed": "x", "template_digest": 7}, "choices": []}',
            chunk('{"content": "ok"}', '"stop"'),
        ),
        "ok",
        FinishReason.STOP,
    ),
}


@pytest.mark.parametrize("name", TOLERATED)
def test_a_smaller_fault_leaves_the_answer_usable_and_marked(name: str, ask: Callable[..., Any]) -> None:
    behave, text, finish = TOLERATED[name]
    with serving(behave) as board:
        reply = ask(board)
    assert (reply.text, reply.finish_reason) == (text, finish)
    assert reply.usage.estimated == (name != "filtered")
    assert reply.adapter_digest is None
    assert set(reply.detail) <= {"tries", "queued_s", "served_by"}


def test_after_every_one_of_them_the_same_engine_answers(ask: Callable[..., Any]) -> None:
    """No way of failing leaves a connection, a slot or a lock behind."""
    single = {"max_concurrency": 1, "timeouts": PATIENT, "tries": 1, "key_env": "TEST_API_KEY"}
    quick = [way for name, way in WAYS.items() if not name.startswith((*SILENT, "an endless error"))]
    for way in quick:
        with serving(way.behave, answer("ok")) as board:
            engine = OpenAIEngine(board.spec(**single))
            with pytest.raises(way.error):
                engine.chat(request())
            assert engine.chat(request()).text == "ok"
            engine.close()
