from __future__ import annotations

import asyncio
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from solver.engines.openai_api import OpenAIEngine
from solver.engines.openai_transport import is_listening, until_listening
from solver.engines.protocol import (
    Cancelled,
    ContextOverflow,
    EngineError,
    EngineRefused,
    EngineUnreachable,
    FinishReason,
)
from tests.conftest import PATIENCE_S
from tests.engines.asking import request
from tests.engines.loopback import Behaviour, Handler, Loopback, answer, serving, status

KEY = "sk-very-secret-0123456789"


@contextmanager
def engine_at(*script: Behaviour, **fields: Any) -> Iterator[tuple[OpenAIEngine, Loopback]]:
    with serving(*script) as board:
        engine = OpenAIEngine(board.spec(**fields))
        try:
            yield engine, board
        finally:
            engine.close()


def hang(handler: Handler) -> None:
    handler.start_stream()
    handler.delta("Wait")
    while not handler.board.release.wait(0.05):
        handler.wfile.write(b": ping\n\n")  # notices a caller that hung up


def silent(handler: Handler) -> None:
    handler.start_stream()
    while not handler.board.release.wait(0.05):
        handler.wfile.write(b": ping\n\n")


def half(handler: Handler) -> None:
    handler.start_stream()
    handler.delta("Half an ans")


def test_an_answer_is_streamed_and_its_usage_reported() -> None:
    with engine_at(answer("Hello ", "world")) as (engine, _):
        heard: list[str] = []
        reply = engine.chat(request(), on_delta=heard.append)
    assert heard == ["Hello ", "world"]
    assert reply.text == "Hello world"
    assert reply.finish_reason is FinishReason.STOP
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens, reply.usage.estimated) == (7, 3, False)
    assert reply.first_token_s is not None and 0 < reply.first_token_s <= reply.seconds


def test_the_name_of_the_model_that_answered_is_kept_short_and_fit_to_store() -> None:
    """A run's log holds it: PostgreSQL refuses a zero character, and nothing bounds what a server calls its model."""

    def boast(handler: Handler) -> None:
        handler.start_stream()
        handler.delta("ok", "stop", model="big\0\n" + KEY + " model" * 1000)

    with engine_at(boast) as (engine, _):
        told = engine.chat(request()).detail["served_by"]
    assert told.startswith("big [key] model") and len(told) <= 200 and told.isprintable()


def test_seed_stop_and_extra_fields_reach_the_server_and_no_key_is_sent_without_one() -> None:
    with engine_at(answer("ok"), extra_body={"top_k": 5}) as (engine, board):
        engine.chat(request(seed=11, stop=("END",), temperature=0.5))
    body = board.bodies[0]
    assert (body["seed"], body["stop"], body["top_k"], body["temperature"]) == (11, ["END"], 5, 0.5)
    assert "authorization" not in board.headers[0]


def test_a_grammar_is_sent_only_to_servers_that_can(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    grammar = 'start: "yes" | "no"\n'
    with engine_at(answer("no")) as (engine, board):
        reply = engine.chat(request(grammar=grammar))
    assert "structured_outputs" not in board.bodies[0]
    assert reply.detail["grammar_enforced"] is False
    assert "authorization" not in board.headers[0], "a key of another account must not be picked up"
    with engine_at(answer("no"), capabilities={"structured_output": True}) as (engine, board):
        reply = engine.chat(request(grammar=grammar))
    assert board.bodies[0]["structured_outputs"] == {"grammar": grammar}
    assert reply.detail["grammar_enforced"] is True


def test_a_limited_request_is_tried_again_after_the_time_the_server_asks_for() -> None:
    with engine_at(status(429, **{"Retry-After": "0.2"}), answer("ok")) as (engine, board):
        reply = engine.chat(request())
    assert reply.text == "ok"
    assert reply.detail["tries"] == 2
    assert reply.seconds >= 0.2
    assert len(board.bodies) == 2


def test_a_server_that_asks_for_an_hour_is_not_waited_for() -> None:
    patience = pytest.raises(EngineUnreachable, match="asks to wait 3600 s")
    with engine_at(status(429, **{"Retry-After": "3600"})) as (engine, board), patience:
        engine.chat(request())
    assert len(board.bodies) == 1


def test_a_server_that_always_fails_is_unreachable_after_every_try() -> None:
    with (
        engine_at(status(500, **{"retry-after-ms": "1"}), tries=3) as (engine, board),
        pytest.raises(EngineUnreachable, match=r"internal problem \(HTTP 500\).*tried 3 times") as caught,
    ):
        engine.chat(request())
    assert len(board.bodies) == 3
    assert board.url in str(caught.value)


def test_nobody_listening_is_unreachable_and_names_the_address() -> None:
    with serving(answer("x")) as board:
        spec = board.spec(tries=1)
    engine = OpenAIEngine(spec)
    with pytest.raises(
        EngineUnreachable, match=r"http://127\.0\.0\.1:\d+/v1 could not be reached; check that"
    ):
        engine.chat(request())
    engine.close()


def test_a_late_first_token_ends_the_call_without_a_second_try() -> None:
    slow = {"connect_s": 60, "first_token_s": 0.3, "between_tokens_s": 60, "total_s": 240}
    with engine_at(silent, timeouts=slow) as (engine, board):
        with pytest.raises(EngineUnreachable, match=r"no first token within 0\.3 s"):
            engine.chat(request())
        assert board.hung_up.wait(PATIENCE_S), "the stream must be closed"
    assert len(board.bodies) == 1


def test_silence_in_the_middle_of_an_answer_is_an_error_not_a_short_answer() -> None:
    slow = {"connect_s": 60, "first_token_s": 60, "between_tokens_s": 0.3, "total_s": 240}
    # Comments keep the socket busy, so only the lab's own deadline can notice.
    silence = pytest.raises(EngineUnreachable, match=r"fell silent for 0\.3 s")
    with engine_at(silent_after("Half"), timeouts=slow) as (engine, board), silence:
        engine.chat(request())
    assert len(board.bodies) == 1


def silent_after(text: str) -> Behaviour:
    def behave(handler: Handler) -> None:
        handler.start_stream()
        handler.delta(text)
        while not handler.board.release.wait(0.05):
            handler.wfile.write(b": ping\n\n")
            handler.wfile.flush()

    return behave


def test_the_total_deadline_covers_retries() -> None:
    brief = {"connect_s": 1, "first_token_s": 5, "between_tokens_s": 5, "total_s": 0.4}
    late = pytest.raises(EngineUnreachable, match=r"did not finish within 0\.4 s")
    with engine_at(status(503, **{"Retry-After": "0.3"}), timeouts=brief) as (engine, _), late:
        engine.chat(request())


def test_a_broken_stream_is_never_asked_again() -> None:
    with engine_at(half, answer("whole")) as (engine, board):
        heard: list[str] = []
        with pytest.raises(EngineUnreachable, match="without saying how the answer finished"):
            engine.chat(request(), on_delta=heard.append)
    assert heard == ["Half an ans"]
    assert len(board.bodies) == 1


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        (lambda h: h.raw(200, b"<html>Hi</html>", **{"Content-Type": "text/html"}), "without a single"),
        (lambda h: (h.start_stream(), h.event("{not json")), "not JSON"),
        (lambda h: (h.start_stream(), h.event("[1, 2]")), "without|unknown|finish"),
        (lambda h: (h.start_stream(), h.event({"choices": "many"})), "how the answer finished"),
        (lambda h: (h.start_stream(), h.delta("x", "exploded")), "unknown finish reason 'exploded'"),
        (lambda h: (h.start_stream(), h.delta("x" * 10_000_000, "stop")), "characters for at most 64"),
        (lambda h: h.connection.sendall(b"NOT HTTP AT ALL\r\n\r\n"), "does not speak HTTP"),
        (lambda h: h.raw(302, b"", Location="https://other.example/v1"), "redirects to other.example"),
        (lambda h: h.connection.close(), "closed the connection|lost the connection"),
    ],
    ids=["html", "bad json", "list", "choices", "finish", "huge token", "not http", "redirect", "closed"],
)
def test_garbage_is_an_engine_error_with_a_sentence(behaviour: Behaviour, expected: str) -> None:
    with engine_at(behaviour, tries=1) as (engine, _), pytest.raises(EngineError, match=expected) as caught:
        engine.chat(request())
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("usage", [None, ("seven", 3), (-1, 3), (None, 3), (2**40, 1)])
def test_missing_or_absurd_usage_is_replaced_by_a_marked_estimate(usage: tuple[Any, Any] | None) -> None:
    with engine_at(answer("x" * 36, usage=usage)) as (engine, _):
        reply = engine.chat(request())
    assert reply.usage.estimated
    assert reply.usage.completion_tokens == 10


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("length", FinishReason.LENGTH),
        ("content_filter", FinishReason.CONTENT_FILTER),
        ("stop", FinishReason.STOP),
    ],
)
def test_finish_reasons_are_mapped(said: str, expected: FinishReason) -> None:
    with engine_at(answer("x", finish=said)) as (engine, _):
        assert engine.chat(request()).finish_reason is expected


@pytest.mark.parametrize(
    "refusal",
    [
        status(400, "This model's maximum context length is 4096 tokens. However, you requested 9000 tokens"),
        status(400, "too long", "context_length_exceeded"),
        status(400, "the request exceeds the available context size"),
    ],
)
def test_a_context_overflow_is_told_apart_from_other_refusals(refusal: Behaviour) -> None:
    with engine_at(refusal) as (engine, board), pytest.raises(ContextOverflow, match="lower max_tokens"):
        engine.chat(request())
    assert len(board.bodies) == 1


def test_an_error_object_inside_the_stream_is_an_error() -> None:
    def behave(handler: Handler) -> None:
        handler.start_stream()
        handler.event({"error": {"message": "worker died", "code": 500}})

    with engine_at(behave, tries=1) as (engine, _), pytest.raises(EngineUnreachable, match="worker died"):
        engine.chat(request())


def test_the_key_is_sent_but_never_shown_even_when_the_server_echoes_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TEACHER_API_KEY", KEY)
    echo = status(400, f"cannot use {KEY} here")
    with engine_at(echo, status(401, f"Incorrect API key provided: {KEY}"), key_env="TEACHER_API_KEY") as (
        engine,
        board,
    ):
        with pytest.raises(EngineRefused) as first:
            engine.chat(request())
        with pytest.raises(EngineRefused, match="did not accept the key in TEACHER_API_KEY") as second:
            engine.chat(request())
    assert board.headers[0]["authorization"] == f"Bearer {KEY}"
    for caught in (first, second):
        chain: BaseException | None = caught.value
        while chain is not None:
            assert KEY not in str(chain)
            chain = chain.__cause__ or (None if chain.__suppress_context__ else chain.__context__)
    assert KEY not in str(engine.spec.public()) + repr(engine.info())


def test_a_missing_key_is_said_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEACHER_API_KEY", raising=False)
    with (
        engine_at(answer("x"), key_env="TEACHER_API_KEY") as (engine, board),
        pytest.raises(
            EngineRefused, match="TEACHER_API_KEY, which holds the key of the engine 'local', is not set"
        ),
    ):
        engine.chat(request())
    assert not board.bodies


def test_cancelling_closes_the_stream_at_once() -> None:
    with engine_at(hang) as (engine, board):
        stop = threading.Event()
        with pytest.raises(Cancelled):
            engine.chat(request(), on_delta=lambda _text: stop.set(), cancelled=stop.is_set)
        assert board.hung_up.wait(PATIENCE_S)


def test_an_error_in_the_caller_closes_the_stream_too() -> None:
    def fail(text: str) -> None:
        raise LookupError("the page is gone")

    with engine_at(hang) as (engine, board):
        with pytest.raises(LookupError):
            engine.chat(request(), on_delta=fail)
        assert board.hung_up.wait(PATIENCE_S)


def test_closing_the_engine_ends_calls_in_flight() -> None:
    with engine_at(hang) as (engine, _), ThreadPoolExecutor(1) as pool:
        streaming = threading.Event()
        call = pool.submit(engine.chat, request(), on_delta=lambda _text: streaming.set())
        assert streaming.wait(PATIENCE_S)
        engine.close()
        with pytest.raises(EngineUnreachable, match="was closed"):
            call.result(timeout=PATIENCE_S)
        with pytest.raises(EngineUnreachable, match="is closed"):
            engine.chat(request())


def test_no_more_calls_are_in_flight_than_allowed() -> None:
    answering = threading.Event()

    def behave(handler: Handler) -> None:
        assert answering.wait(2 * PATIENCE_S)
        answer("ok")(handler)

    with engine_at(behave, max_concurrency=2) as (engine, board), ThreadPoolExecutor(6) as pool:
        calls = [pool.submit(engine.chat, request()) for _ in range(6)]
        end = time.monotonic() + PATIENCE_S
        while board.open_now < 2 or len(engine._slots._waiters or ()) < 4:
            assert time.monotonic() < end, "two are asked and four wait"
            time.sleep(0.01)
        assert board.open_most == 2
        answering.set()
        replies = [call.result() for call in calls]
    assert [reply.text for reply in replies] == ["ok"] * 6
    assert max(reply.detail["queued_s"] for reply in replies) > 0


def test_after_five_failures_in_a_row_the_endpoint_is_left_alone() -> None:
    with engine_at(status(500), tries=1) as (engine, board):
        for _ in range(5):
            with pytest.raises(EngineUnreachable, match="HTTP 500"):
                engine.chat(request())
        with pytest.raises(
            EngineUnreachable, match=r"failed 5 times in a row and is left alone for another \d+ s"
        ):
            engine.chat(request())
    assert len(board.bodies) == 5


def test_an_address_that_was_not_allowed_is_refused_at_connecting_not_only_by_its_spelling() -> None:
    with serving(answer("x")) as board:
        by_name = board.url.replace("127.0.0.1", "localhost")
        spec = board.spec(base_url=by_name, allow_loopback=False)
        engine = OpenAIEngine(spec)
        with pytest.raises(EngineRefused, match=r"localhost .* is this machine; set allow_loopback"):
            engine.chat(request())
        engine.close()
        allowed = OpenAIEngine(board.spec(base_url=by_name))
        assert allowed.chat(request()).text == "x"
        allowed.close()
    assert board.headers[0]["host"].startswith("localhost:")


def test_a_process_that_is_started_again_on_its_socket_is_asked_as_soon_as_it_listens() -> None:
    async def waited(path: Path) -> tuple[bool, float]:
        dead = socket.socket(socket.AF_UNIX)
        dead.bind(str(path))  # what a killed server leaves: a file that nobody listens at
        dead.close()
        before = await is_listening(path)

        async def listen() -> asyncio.Server:
            await asyncio.sleep(0.2)
            return await asyncio.start_unix_server(lambda _reader, writer: writer.close(), str(path))

        began = time.monotonic()
        starting = asyncio.create_task(listen())
        await until_listening(path, 30)
        taken = time.monotonic() - began
        (await starting).close()
        return before, taken

    with tempfile.TemporaryDirectory(prefix="mcl-s-") as folder:  # short: a socket's path has 108 bytes
        before, taken = asyncio.run(waited(Path(folder) / "engine.sock"))
    assert not before
    assert taken < 30, "it did not wait out the pause"
