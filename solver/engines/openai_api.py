"""Any OpenAI-compatible server as an engine: vLLM, SGLang, Ollama, llama.cpp, hosted APIs.

One event loop in a thread of its own carries all calls of the engine; callers are plain threads that wait,
forward the deltas and ask whether to cancel. So a deadline or a cancel takes effect at once, whatever the
socket is doing.

A call is tried again on 429, 5xx and connection errors, but never after its first streamed text: the page has
shown it.
"""

from __future__ import annotations

import asyncio
import os
import queue
import random
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import openai

from solver.engines.event_loop import EventLoop
from solver.engines.flow import LONGEST_RETRY_AFTER_S, CircuitBreaker, RateLimit, backoff_s
from solver.engines.openai_adapters import load_adapter
from solver.engines.openai_errors import RAISED, ErrorSentences, Setback
from solver.engines.openai_stream import Assembly
from solver.engines.openai_transport import GuardedTransport, SocketTransport, is_listening, until_listening
from solver.engines.protocol import (
    Cancelled,
    ChatReply,
    ChatRequest,
    EngineInfo,
    EngineRefused,
    EngineUnreachable,
)
from solver.engines.spec import EngineSpec

T = TypeVar("T")
_POLL_S = 0.05  # how often a waiting caller is asked whether to cancel


class OpenAIEngine:
    """One endpoint. Safe to call from many threads at once."""

    def __init__(
        self,
        spec: EngineSpec,
        *,
        clock: Callable[[], float] = time.monotonic,
        socket_file: Path | None = None,
        breaker: CircuitBreaker | None = None,
    ) -> None:
        """`socket_file`: talk over this unix socket instead of to base_url (see `served`)."""
        if spec.base_url is None:
            raise ValueError("OpenAIEngine needs a spec of kind openai")
        self.spec = spec
        self._clock = clock
        self._rng = random.Random()
        self._breaker = breaker or CircuitBreaker(clock)
        self._rate = RateLimit(spec.rpm, clock)
        self._key = os.environ.get(spec.key_env) if spec.key_env and not spec.key_objection else None
        self._sentences = ErrorSentences(spec, self._key, None if socket_file is None else "its socket")
        self._client = _client(spec, self._key, socket_file)
        self._headers = _withheld(self._key)
        self._socket = socket_file
        self._slots = asyncio.Semaphore(spec.max_concurrency)
        self._closed = False
        self._loop = EventLoop(spec.name)

    def chat(
        self,
        request: ChatRequest,
        *,
        on_delta: Callable[[str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> ChatReply:
        self._check_usable()
        relay: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        future = self._loop.submit(self._answer(request, relay.put))
        future.add_done_callback(lambda _: relay.put(None))
        try:
            return self._wait(future, relay, on_delta, cancelled)
        except CancelledError:
            raise EngineUnreachable(
                f"The engine {self.spec.name!r} was closed during the call; retry the run."
            ) from None
        finally:
            future.cancel()

    def _wait(
        self,
        future: Future[ChatReply],
        relay: queue.SimpleQueue[str | None],
        on_delta: Callable[[str], None] | None,
        cancelled: Callable[[], bool] | None,
    ) -> ChatReply:
        ask_at = self._clock()
        while True:
            if cancelled is not None and self._clock() >= ask_at:
                ask_at = self._clock() + _POLL_S
                if cancelled():
                    raise Cancelled(f"The call to {self.spec.name!r} was cancelled.")
            try:
                text = relay.get(timeout=_POLL_S)
            except queue.Empty:
                continue
            if text is None:
                return future.result()
            if on_delta is not None:
                on_delta(text)

    async def _answer(self, request: ChatRequest, emit: Callable[[str], None]) -> ChatReply:
        started = self._clock()
        async with self._slots:
            await asyncio.sleep(self._rate.reserve())
            queued = self._clock() - started
            total = self.spec.timeouts.total_s
            try:
                async with asyncio.timeout(total):
                    return await self._tries(request, emit, started, queued)
            except TimeoutError:
                raise EngineUnreachable(
                    f"{self._sentences.who} did not finish within {total:g} s; "
                    "raise timeouts.total_s or lower max_tokens."
                ) from None

    async def _tries(
        self, request: ChatRequest, emit: Callable[[str], None], started: float, queued: float
    ) -> ChatReply:
        for attempt in range(self.spec.tries):
            if attempt:
                await asyncio.sleep(self._rate.reserve())
            self._check_breaker()
            try:
                assembly, first_token = await self._known(request, emit)
            except Setback as setback:
                await self._recover(setback, attempt)
                continue
            return self._reply(request, assembly, started, queued, first_token, attempt + 1)
        raise AssertionError("the last try either returns or raises")

    async def _recover(self, setback: Setback, attempt: int) -> None:
        """Wait before the next try, or raise when there is none."""
        wait = setback.wait_s if setback.wait_s is not None else backoff_s(attempt, self._rng)
        if not setback.retry:
            raise setback.error from None
        if wait > LONGEST_RETRY_AFTER_S:
            raise EngineUnreachable(
                f"{self._sentences.who} asks to wait {wait:.0f} s before the next request; try again later."
            ) from None
        if attempt + 1 >= self.spec.tries:
            told = str(setback.error)
            if self.spec.tries > 1:
                told = f"{told[:-1]} (tried {self.spec.tries} times)."
            raise type(setback.error)(told) from None
        if setback.down and self._socket is not None and not await is_listening(self._socket):
            await until_listening(self._socket, wait)
        else:
            await asyncio.sleep(wait)

    async def _known(
        self, request: ChatRequest, emit: Callable[[str], None]
    ) -> tuple[Assembly, float | None]:
        """One try; an adapter the server has forgotten is loaded and asked for once more. Raises Setback."""
        payload = self.payload(request)
        try:
            return await self._once(payload, emit)
        except Setback as setback:
            folder = self.spec.adapters.get(request.model)
            if not setback.unknown_model or folder is None:
                raise
        await load_adapter(self._client, self._sentences, request.model, folder, self._headers)
        return await self._once(payload, emit)

    async def _once(
        self, payload: dict[str, Any], emit: Callable[[str], None]
    ) -> tuple[Assembly, float | None]:
        """One request, its stream read to the end. Returns the moment of the first text. Raises Setback."""
        assembly = Assembly(payload[self.spec.capabilities.max_tokens_field])
        try:
            first_token = await self._read(payload, assembly, emit)
            assembly.finished()
        except asyncio.CancelledError:
            self._breaker.gave_up()
            raise
        except TimeoutError:
            setback = Setback(EngineUnreachable(self._late(assembly)), down=True)
        except RAISED as error:
            setback = self._sentences.setback(error, model=payload["model"], started=assembly.started)
        else:
            self._breaker.succeeded()
            return assembly, first_token
        self._tell_breaker(setback)
        raise setback

    async def _read(
        self, payload: dict[str, Any], assembly: Assembly, emit: Callable[[str], None]
    ) -> float | None:
        first_token: float | None = None
        times = self.spec.timeouts
        now = asyncio.get_running_loop().time
        async with asyncio.timeout(times.first_token_s) as limit:
            stream = await self._client.chat.completions.create(**payload, extra_headers=self._headers)
            try:
                async for chunk in stream:
                    text = assembly.take(chunk)
                    if assembly.started:
                        limit.reschedule(now() + times.between_tokens_s)
                    if text:
                        first_token = self._clock() if first_token is None else first_token
                        emit(text)
            finally:
                await stream.response.aclose()
        return first_token

    def payload(self, request: ChatRequest, *, constrain: bool | None = None) -> dict[str, Any]:
        """The request's body. `constrain` overrides whether its grammar is sent (the probe does)."""
        can = self.spec.capabilities
        extra: dict[str, Any] = dict(self.spec.extra_body)
        if request.sampling.seed is not None and can.seed:
            extra["seed"] = request.sampling.seed
        if request.grammar is not None and (can.structured_output if constrain is None else constrain):
            extra["structured_outputs"] = {"grammar": request.grammar}
        body: dict[str, Any] = {
            "model": request.model,
            "messages": [{"role": m.role, "content": m.content} for m in request.messages],
            "temperature": request.sampling.temperature,
            "top_p": request.sampling.top_p,
            can.max_tokens_field: request.sampling.max_tokens,
            "stream": True,
        }
        if can.stream_usage:
            body["stream_options"] = {"include_usage": True}
        if request.sampling.stop:
            body["stop"] = list(request.sampling.stop)
        if extra:
            body["extra_body"] = extra
        return body

    async def list_models(self) -> list[str]:
        """Names the server lists; raises Setback. For the probe."""
        self._check_askable()
        try:
            async with asyncio.timeout(self.spec.timeouts.first_token_s):
                page = await self._client.models.list(extra_headers=self._headers)
        except RAISED as error:
            raise self._sentences.setback(error, model="", started=False) from None
        except TimeoutError:
            raise Setback(EngineUnreachable(self._late(Assembly(1)))) from None
        data = getattr(page, "data", None)
        return [str(item.id) for item in data if hasattr(item, "id")] if isinstance(data, list) else []

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the engine's loop and wait for it. For the probe."""
        return self._loop.submit(work).result()

    async def ask_once(self, payload: dict[str, Any]) -> Assembly:
        """One try without retry, limits or breaker's veto. Raises Setback. For the probe."""
        self._check_askable()
        assembly, _ = await self._once(payload, lambda _text: None)
        return assembly

    def info(self) -> EngineInfo:
        return EngineInfo(
            name=self.spec.name,
            kind=self.spec.kind.value,
            label=self.spec.title,
            simulated=self.spec.simulated,
            models=tuple(dict.fromkeys(self.spec.models.values())),
            streams=True,
            seeds=self.spec.capabilities.seed,
            grammars=self.spec.capabilities.structured_output,
        )

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._loop.close(self._client.close())

    def _check_usable(self) -> None:
        if self._closed:
            raise EngineUnreachable(f"The engine {self.spec.name!r} is closed; open it again.")
        if self.spec.key_objection:
            raise EngineRefused(self.spec.key_objection)
        if self.spec.key_env and not self._key:
            raise EngineRefused(
                f"The environment variable {self.spec.key_env}, which holds the key of the engine "
                f"{self.spec.name!r}, is not set; set it and restart."
            )

    def _check_askable(self) -> None:
        try:
            self._check_usable()
        except (EngineUnreachable, EngineRefused) as error:
            raise Setback(error) from None

    def _check_breaker(self) -> None:
        wait = self._breaker.wait_s()
        if wait > 0:
            raise EngineUnreachable(
                f"{self._sentences.who} failed {self._breaker.failures} times in a row "
                f"and is left alone for another {wait:.0f} s; check that the server runs."
            )

    def _tell_breaker(self, setback: Setback) -> None:
        if setback.down:
            self._breaker.failed()
        else:
            self._breaker.succeeded()

    def _late(self, assembly: Assembly) -> str:
        times = self.spec.timeouts
        if assembly.started:
            pause = times.between_tokens_s
            return f"{self._sentences.who} fell silent for {pause:g} s in the middle of an answer; retry."
        return (
            f"{self._sentences.who} sent no first token within {times.first_token_s:g} s; "
            "raise timeouts.first_token_s or check its load."
        )

    def _reply(
        self,
        request: ChatRequest,
        assembly: Assembly,
        started: float,
        queued: float,
        first_token: float | None,
        tries: int,
    ) -> ChatReply:
        detail: dict[str, Any] = {"tries": tries, "queued_s": round(queued, 3)}
        if request.sampling.seed is not None and self.spec.capabilities.seed:
            detail["seed"] = request.sampling.seed
        if assembly.model and assembly.model != request.model:
            detail["served_by"] = self._sentences.clean(assembly.model)
        if assembly.reasoning_chars:
            detail["reasoning_chars"] = assembly.reasoning_chars
        if request.grammar is not None:
            detail["grammar_enforced"] = self.spec.capabilities.structured_output
        detail.update(assembly.origin.detail)
        return ChatReply(
            text=assembly.text,
            finish_reason=assembly.finished(),
            usage=assembly.usage(request.messages),
            model=request.model,
            seconds=self._clock() - started,
            first_token_s=None if first_token is None else first_token - started,
            adapter_digest=assembly.origin.adapter_digest,
            detail=detail,
        )


def _client(spec: EngineSpec, key: str | None, socket_file: Path | None) -> openai.AsyncOpenAI:
    limits = httpx2.Limits(
        max_connections=spec.max_concurrency + 2, max_keepalive_connections=spec.max_concurrency
    )
    guarded = GuardedTransport(spec.address_rule, limits)
    return openai.AsyncOpenAI(
        api_key=key or "none",
        base_url=spec.base_url,
        max_retries=0,
        http_client=httpx2.AsyncClient(
            transport=guarded if socket_file is None else SocketTransport(socket_file, limits),
            timeout=httpx2.Timeout(None, connect=spec.timeouts.connect_s),
            follow_redirects=False,
            trust_env=False,
        ),
    )


def _withheld(key: str | None) -> Any:
    """Headers the SDK must leave out: what it takes from the environment belongs to another account."""
    names = ["OpenAI-Organization", "OpenAI-Project"] + ([] if key else ["Authorization"])
    return {name: openai.Omit() for name in names}
