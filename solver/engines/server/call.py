"""One chat completion: from the request's body to the last event, or to the moment the caller hangs up."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any, Protocol

from solver.engines.openai_stream import ORIGIN
from solver.engines.protocol import EngineError, FinishReason
from solver.engines.server.tally import Tally
from solver.engines.server.wire import DONE, ChatBody, event, failure
from solver.engines.transformers_answer import Answer
from solver.engines.transformers_engine import TransformersEngine


class Gone(Exception):
    """The caller hung up; nobody is left to tell."""


class Out(Protocol):
    """Where the answer goes (see `app.Answering`)."""

    async def start(self, status: int, kind: str, **headers: str) -> None: ...
    async def part(self, data: bytes, *, last: bool = False) -> None: ...
    async def json(self, status: int, body: object, **headers: str) -> None: ...


class Call:
    """Lives on the event loop; the model thread hands tokens over."""

    def __init__(self, body: ChatBody, tally: Tally) -> None:
        self._body = body
        self._tally = tally
        self._tokens: asyncio.Queue[int | Exception] = asyncio.Queue()
        self._pieces: list[str] = []
        self._id = f"chatcmpl-{secrets.token_hex(12)}"
        self._created = int(time.time())
        self._answer: Answer

    @classmethod
    async def begin(cls, engine: TransformersEngine, body: ChatBody, tally: Tally) -> Call:
        """Queue the request. Raises EngineError."""
        call = cls(body, tally)
        loop = asyncio.get_running_loop()

        def emit(token: int | Exception) -> None:
            # RuntimeError: the loop has been closed, so nobody waits any more; the model thread goes on.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(call._tokens.put_nowait, token)

        request = body.request(engine.spec.sampling)
        # A long prompt takes a while to tokenize, a new grammar to compile.
        call._answer = await asyncio.to_thread(engine.begin, request, emit, call._pieces.append)
        return call

    @contextlib.contextmanager
    def watching(self, receive: Callable[[], Awaitable[MutableMapping[str, Any]]]) -> Iterator[None]:
        """Within it the row is freed, with the next step, when the caller hangs up or anything goes wrong."""

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            self._answer.leave()
            self._tokens.put_nowait(Gone())

        watcher = asyncio.create_task(watch())
        try:
            yield
        except Gone:
            self._tally.count(self._answer, FinishReason.CANCELLED.value)
            raise
        finally:
            watcher.cancel()
            self._answer.leave()

    async def stream(self, out: Out) -> None:
        """Server-sent events. An error before the first text is a plain HTTP error, later an event."""
        text = await self._next()
        await out.start(200, "text/event-stream; charset=utf-8")
        await out.part(event(self._chunk({"role": "assistant", "content": text})))
        try:
            while self._answer.finish is None:
                text = await self._next()
                if text:
                    await out.part(event(self._chunk({"content": text})))
        except EngineError as error:
            self._tally.ended[error.code] += 1
            await out.part(event(failure(error)[1]), last=True)
            return
        finish = self._answer.finish.value
        self._tally.count(self._answer, finish)
        end = event({**self._chunk({}, finish), ORIGIN: self._origin()})
        if self._body.wants_usage:
            end += event({**self._chunk(None), "usage": self._usage()})
        await out.part(end + DONE, last=True)

    async def whole(self, out: Out) -> None:
        """One JSON object at the end."""
        while self._answer.finish is None:
            await self._next()
        finish = self._answer.finish.value
        self._tally.count(self._answer, finish)
        message = {"role": "assistant", "content": self._answer.text}
        choice = {"index": 0, "message": message, "finish_reason": finish, "logprobs": None}
        head = {**self._head("chat.completion"), "choices": [choice]}
        await out.json(200, {**head, "usage": self._usage(), ORIGIN: self._origin()})

    async def _next(self) -> str:
        """The text of the next token and of those that wait behind it."""
        token = await self._tokens.get()
        while True:
            if isinstance(token, Exception):
                raise token
            if self._answer.take(token) is not None or self._tokens.empty():
                break
            token = self._tokens.get_nowait()
        text = "".join(self._pieces)
        self._pieces.clear()
        return text

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self._id, "object": kind, "created": self._created, "model": self._answer.origin.model}

    def _chunk(self, delta: dict[str, str] | None, finish: str | None = None) -> dict[str, Any]:
        choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
        return {**self._head("chat.completion.chunk"), "choices": choices}

    def _usage(self) -> dict[str, Any]:
        prompt, completion = self._answer.prompt_tokens, self._answer.tokens
        detail = self._answer.detail()
        return {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": detail["reused_prompt_tokens"]},
        }

    def _origin(self) -> dict[str, Any]:
        """What the answer traces back to, and that a run records."""
        return {"adapter_digest": self._answer.origin.adapter_digest, **self._answer.detail()}
