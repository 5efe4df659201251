"""A small real HTTP server that speaks, and on request misspeaks, the streaming chat protocol."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from solver.engines.spec import EngineSpec

Behaviour = Callable[["Handler"], None]


@dataclass
class Loopback:
    """The server's script and what it saw. Each request takes the next behaviour; the last one stays."""

    url: str
    script: deque[Behaviour]
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    open_now: int = 0
    open_most: int = 0
    hung_up: threading.Event = field(default_factory=threading.Event)
    release: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def spec(self, **fields: Any) -> EngineSpec:
        patient = {"connect_s": 60, "first_token_s": 120, "between_tokens_s": 120, "total_s": 240}
        given = {"timeouts": patient, "models": {"default": "small"}, "allow_loopback": True, **fields}
        return EngineSpec.parse({"name": "local", "kind": "openai", "base_url": self.url, **given})


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    board: Loopback

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.board.lock:
            self.board.bodies.append(body)
            self.board.headers.append({key.lower(): value for key, value in self.headers.items()})
            script = self.board.script
            behave = script.popleft() if len(script) > 1 else script[0]
            self.board.open_now += 1
            self.board.open_most = max(self.board.open_most, self.board.open_now)
        try:
            behave(self)
        except (BrokenPipeError, ConnectionResetError):
            self.board.hung_up.set()
        finally:
            with self.board.lock:
                self.board.open_now -= 1
        self.close_connection = True

    def do_GET(self) -> None:
        self.json(200, {"object": "list", "data": [{"id": "small", "object": "model"}]})

    def json(self, status: int, body: object, **headers: str) -> None:
        self.raw(status, json.dumps(body).encode(), **{"Content-Type": "application/json", **headers})

    def raw(self, status: int, data: bytes, **headers: str) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.send_header(
            "Connection", "close"
        )  # said, so that the client does not reuse what is being closed
        self.end_headers()
        self.wfile.write(data)

    def start_stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()

    def event(self, data: object) -> None:
        text = data if isinstance(data, str) else json.dumps(data)
        self.wfile.write(f"data: {text}\n\n".encode())
        self.wfile.flush()

    def delta(self, text: str | None, finish: str | None = None, **more: Any) -> None:
        delta = {} if text is None else {"content": text}
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        self.event(
            {"id": "c", "object": "chat.completion.chunk", "model": "small", "choices": [choice], **more}
        )

    def usage(self, prompt: Any, completion: Any) -> None:
        count = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": 0}
        self.event({"id": "c", "object": "chat.completion.chunk", "choices": [], "usage": count})

    def log_message(self, format: str, *args: Any) -> None:
        pass


def answer(*parts: str, finish: str = "stop", usage: tuple[Any, Any] | None = (7, 3)) -> Behaviour:
    def behave(handler: Handler) -> None:
        handler.start_stream()
        handler.wfile.write(b": a comment that keeps the connection alive\n\n")
        for part in parts:
            handler.delta(part)
        handler.delta(None, finish)
        if usage is not None:
            handler.usage(*usage)
        handler.event("[DONE]")

    return behave


def status(code: int, message: str = "no", error_code: str | None = None, **headers: str) -> Behaviour:
    body = {"error": {"message": message, "type": "t", "code": error_code}}
    return lambda handler: handler.json(code, body, **headers)


@contextmanager
def serving(*script: Behaviour) -> Iterator[Loopback]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    board = Loopback(f"http://127.0.0.1:{server.server_address[1]}/v1", deque(script))
    server.RequestHandlerClass = type("BoundHandler", (Handler,), {"board": board})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield board
    finally:
        board.release.set()
        server.shutdown()
        server.server_close()
        thread.join()
