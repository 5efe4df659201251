"""The HTTP side: an ASGI application of seven paths."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

from solver.engines.protocol import EngineError, EngineUnreachable
from solver.engines.server.call import Call, Gone
from solver.engines.server.tally import Tally, prometheus
from solver.engines.server.wire import (
    Busy,
    ChatBody,
    LoadBody,
    NotFound,
    TooLarge,
    UnloadBody,
    failure,
    parse,
)
from solver.engines.spec import BASE
from solver.engines.transformers_engine import TransformersEngine, UnknownAdapter

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Handler = Callable[[Receive, "Answering"], Awaitable[None]]
log = logging.getLogger(__name__)
MOST_BODY_BYTES = 8 * 1024 * 1024
BUSY_RETRY_S = 3


class Answering:
    """Sends one HTTP response, at once or in parts."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False

    async def start(self, status: int, kind: str, **headers: str) -> None:
        self.started = True
        pairs = {"content-type": kind, "cache-control": "no-store", **headers}
        raw = [(key.replace("_", "-").encode(), value.encode()) for key, value in pairs.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": raw})

    async def part(self, data: bytes, *, last: bool = False) -> None:
        await self._send({"type": "http.response.body", "body": data, "more_body": not last})

    async def json(self, status: int, body: object, **headers: str) -> None:
        await self.text(status, json.dumps(body, ensure_ascii=False), "application/json", **headers)

    async def text(
        self, status: int, body: str, kind: str = "text/plain; charset=utf-8", **headers: str
    ) -> None:
        data = body.encode()
        await self.start(status, kind, content_length=str(len(data)), **headers)
        await self.part(data, last=True)

    async def error(self, error: EngineError) -> None:
        status, body = failure(error)
        headers = {"retry_after": str(BUSY_RETRY_S)} if isinstance(error, Busy) else {}
        await self.json(status, body, **headers)


class EngineApp:
    """Serves one opened engine. `max_queue` requests may wait beyond those in the batch; more get 429."""

    def __init__(self, engine: TransformersEngine, *, max_queue: int) -> None:
        self.engine = engine
        self.tally = Tally(engine, max_queue)
        self._paths: dict[tuple[str, str], Handler] = {
            ("GET", "/health"): self._health,
            ("GET", "/stats"): self._stats,
            ("GET", "/metrics"): self._metrics,
            ("GET", "/v1/models"): self._models,
            ("POST", "/v1/chat/completions"): self._chat,
            ("POST", "/v1/load_lora_adapter"): self._load,
            ("POST", "/v1/unload_lora_adapter"): self._unload,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        out = Answering(send)
        handler = self._paths.get((scope["method"], scope["path"]))
        try:
            if handler is None:
                raise NotFound(f"There is nothing at {scope['method']} {str(scope['path'])[:100]}.")
            await handler(receive, out)
        except Gone:
            return
        except EngineError as error:
            if not out.started:
                await out.error(error)
        except Exception:  # the edge of the server: one request must not end it
            log.exception("a request failed by a defect of the engine")
            if not out.started:
                await out.error(EngineUnreachable("The engine failed by a defect of its own; see its log."))

    async def _health(self, receive: Receive, out: Answering) -> None:
        if self.engine.alive:
            await out.json(200, {"status": "ok"})
        else:
            await out.json(503, {"status": "the model thread has ended"})

    async def _stats(self, receive: Receive, out: Answering) -> None:
        await out.json(200, self.tally.report())

    async def _metrics(self, receive: Receive, out: Answering) -> None:
        await out.text(200, prometheus(self.tally.report()), "text/plain; version=0.0.4")

    async def _models(self, receive: Receive, out: Answering) -> None:
        created = int(time.time() - (time.monotonic() - self.tally.began))
        common = {"object": "model", "created": created, "owned_by": "lab"}
        base = {"id": BASE, "root": self.engine.base.folder.name, "max_model_len": self.engine.context}
        adapters = [
            {"id": name, "parent": BASE, "root": digest, **common}
            for name, digest in self.engine.adapters().items()
        ]
        await out.json(200, {"object": "list", "data": [{**base, **common}, *adapters]})

    async def _load(self, receive: Receive, out: Answering) -> None:
        asked = parse(LoadBody, await _body(receive))
        await asyncio.to_thread(self.engine.load_adapter, asked.lora_name, Path(asked.lora_path))
        await out.text(200, f"Success: LoRA adapter '{asked.lora_name}' added successfully.")

    async def _unload(self, receive: Receive, out: Answering) -> None:
        asked = parse(UnloadBody, await _body(receive))
        if not await asyncio.to_thread(self.engine.unload_adapter, asked.lora_name):
            raise NotFound(f"The adapter {asked.lora_name!r} is not loaded.")
        await out.text(200, f"Success: LoRA adapter '{asked.lora_name}' removed successfully.")

    async def _chat(self, receive: Receive, out: Answering) -> None:
        body = parse(ChatBody, await _body(receive))
        if self.tally.full:
            self.tally.ended[Busy.code] += 1
            waiting = self.tally.active - self.engine.spec.local.max_batch
            raise Busy(f"{waiting} requests are waiting already; try again in a moment.")
        self.tally.active += 1
        try:
            call = await self._begin(body)
            with call.watching(receive):
                await (call.stream(out) if body.stream else call.whole(out))
        except EngineError as error:
            self.tally.ended[error.code] += 1
            raise
        finally:
            self.tally.active -= 1

    async def _begin(self, body: ChatBody) -> Call:
        try:
            return await Call.begin(self.engine, body, self.tally)
        except UnknownAdapter as error:
            raise NotFound(str(error)) from None


async def _body(receive: Receive) -> bytes:
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        part = message.get("body", b"")
        size += len(part)
        if size > MOST_BODY_BYTES:
            raise TooLarge(
                f"The request has more than {MOST_BODY_BYTES // 1024 // 1024} MB; shorten the messages."
            )
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)
