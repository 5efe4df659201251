"""The teacher of the micro world: a program that answers the agents' prompts, behind an OpenAI-compatible API.

    python -m micro.oracle_server --port 8090
    python -m micro.oracle_server --socket FILE     # as the lab starts it

It reads the role and the problem out of the prompt (each template is inverted into a pattern), parses the statement
and answers from the oracle. A prompt that no template makes, or a statement outside the family, gets a 400. A reviewer's
feedback after a prompt changes nothing: the oracle was right without it. As a supervisor it compares every answer with
the oracle's; see `micro.supervisor` for its errors.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import socket
import socketserver
import time
from collections.abc import Iterator
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from string import Template
from typing import Any

from micro import oracle, supervisor
from micro.chain import Chain
from micro.corpus import wrong_chain
from micro.engine_spec import TEACHER_MODEL
from micro.prompting import TEMPLATES
from micro.statement import parse
from solver.agents import prompts
from solver.agents.prompts import Prompt

ROLES = ("retrieval", "planning", "confidence", "coding", "debugging")
MODEL = TEACHER_MODEL
LONGEST_BODY = 1_000_000
_WORDS_A_CHUNK = 8


class NotUnderstood(ValueError):
    """The prompt is none that the `micro` templates make, or its statement is outside the family."""


def reply_to(prompt: str, mistakes: float = 0.0, blame_errors: float = 0.0, draw: int = 0) -> str:
    """The oracle's answer. With `mistakes` that share of prompts, always the same ones, is answered for a near miss
    of the problem, so that a filter on passed programs has something to filter. With `blame_errors` that share of a
    supervisor's calls names a wrong agent; another `draw` (the request's seed) is another call."""
    if (about := supervisor.read(prompt)) is not None:
        return supervisor.reply(about, blame_errors, random.Random(f"{draw} {prompt}"))
    role, fields = read_prompt(_without_feedback(prompt))
    chain = parse(fields["problem"])
    if chain is None:
        raise NotUnderstood("the problem's statement is outside the micro family")
    rng = random.Random(prompt)
    return _answer(role, wrong_chain(rng, chain) if rng.random() < mistakes else chain, fields)


def read_prompt(prompt: str) -> tuple[str, dict[str, str]]:
    """The role that asks and the fields its template was filled with."""
    for role in ROLES:
        # Rendering drops line breaks at the end, which an empty last field leaves behind.
        match = _pattern(role).fullmatch(prompt) or _pattern(role).fullmatch(prompt + "\n")
        if match:
            return role, match.groupdict()
    raise NotUnderstood("the prompt is none that the micro templates make")


_FEEDBACK = (
    prompts.with_feedback(Prompt("\x00", "", ""), "\x01").text.partition("\x01")[0].removeprefix("\x00")
)


def _without_feedback(prompt: str) -> str:
    return prompt.partition(_FEEDBACK)[0]


@lru_cache(maxsize=len(ROLES))
def _pattern(role: str) -> re.Pattern[str]:
    """The newest template with a group for each placeholder. Problems hold no blank line, so they stay short."""
    marks = {name: f"\x00{name}\x00" for name in _placeholders(role)}
    filled = prompts.render(TEMPLATES, role, **marks).text
    parts = re.split("\x00([a-z_]+)\x00", filled)
    pattern = ""
    for index, part in enumerate(parts):
        inside = r"[^\n]*" if part == "problem" else ".*?"
        pattern += f"(?P<{part}>{inside})" if index % 2 else re.escape(part)
    return re.compile(pattern, re.DOTALL)


def _placeholders(role: str) -> list[str]:
    newest = max(prompts.TEMPLATES.glob(f"{TEMPLATES}/{role}.v*.txt"), key=lambda p: (len(p.name), p.name))
    return Template(newest.read_text(encoding="utf-8")).get_identifiers()


def _answer(role: str, chain: Chain, fields: dict[str, str]) -> str:
    if role == "retrieval":
        return oracle.retrieval(chain)
    if role == "planning":
        return oracle.planning(chain)
    if role == "confidence":
        return oracle.confidence(chain, fields["plan"])
    return oracle.coding(chain) if role == "coding" else oracle.debugging(chain)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    mistakes = 0.0
    blame_errors = 0.0

    def do_GET(self) -> None:
        if self.path.rstrip("/") == "/v1/models":
            self._send(
                200, {"object": "list", "data": [{"id": MODEL, "object": "model", "owned_by": "micro"}]}
            )
        else:
            self._refuse(404, f"there is no {self.path}; there are /v1/models and /v1/chat/completions")

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if self.path.rstrip("/") != "/v1/chat/completions" or length > LONGEST_BODY:
            self.close_connection = True
            self._refuse(404, "post chat completions of at most 1 MB to /v1/chat/completions")
            return
        try:
            body = json.loads(self.rfile.read(length))
            prompt = body["messages"][-1]["content"]
            draw = int(body.get("seed") or 0)
            text = reply_to(prompt, self.mistakes, self.blame_errors, draw)
        except (NotUnderstood, KeyError, IndexError, TypeError, ValueError) as error:
            self._refuse(400, str(error) or type(error).__name__)
            return
        usage = {"prompt_tokens": len(prompt.split()), "completion_tokens": len(text.split())}
        usage["total_tokens"] = sum(usage.values())
        if body.get("stream"):
            self._stream(text, usage)
        else:
            choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
            self._send(200, {**_envelope("chat.completion"), "choices": [choice], "usage": usage})

    def _stream(self, text: str, usage: dict[str, int]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        envelope = _envelope("chat.completion.chunk")
        for piece in _pieces(text):
            self._event(
                {**envelope, "choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]}
            )
        self._event({**envelope, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        self._event({**envelope, "choices": [], "usage": usage})
        self.wfile.write(b"data: [DONE]\n\n")

    def _event(self, data: dict[str, Any]) -> None:
        self.wfile.write(f"data: {json.dumps(data)}\n\n".encode())

    def _send(self, status: int, data: dict[str, Any]) -> None:
        payload = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def _refuse(self, status: int, message: str) -> None:
        self._send(status, {"error": {"message": message, "type": "invalid_request_error", "code": status}})

    def log_message(self, format: str, *args: Any) -> None:
        """Thousands of lines that nobody reads; errors reach the caller."""


def _envelope(kind: str) -> dict[str, Any]:
    return {"id": f"micro-{time.monotonic_ns()}", "object": kind, "created": int(time.time()), "model": MODEL}


def _pieces(text: str) -> Iterator[str]:
    words = re.findall(r"\s*\S+|\s+$", text)
    for at in range(0, len(words), _WORDS_A_CHUNK):
        yield "".join(words[at : at + _WORDS_A_CHUNK])


class _SocketServer(ThreadingHTTPServer):
    """The same on a unix socket, which only its owner may open."""

    address_family = socket.AF_UNIX
    daemon_threads = True

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)
        Path(str(self.server_address)).chmod(0o600)
        self.server_name, self.server_port = "localhost", 0


def serve(
    host: str = "127.0.0.1",
    port: int = 0,
    mistakes: float = 0.0,
    blame_errors: float = 0.0,
    socket_file: Path | None = None,
) -> ThreadingHTTPServer:
    """A bound server; the caller runs `serve_forever`. Port 0 takes a free one; a `socket_file` stands for both."""
    handler = type("Handler", (_Handler,), {"mistakes": mistakes, "blame_errors": blame_errors})
    if socket_file is not None:
        socket_file.unlink(missing_ok=True)
        return _SocketServer(str(socket_file), handler)  # type: ignore[arg-type]
    server = ThreadingHTTPServer((host, port), handler)
    server.daemon_threads = True
    return server


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Serve the micro family's oracle as an OpenAI-compatible model."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--socket", type=Path, default=None, help="a unix socket instead of host and port")
    parser.add_argument(
        "--mistakes", type=float, default=0.0, help="share of prompts answered wrongly, 0 to 1"
    )
    parser.add_argument(
        "--blame-errors",
        type=float,
        default=0.35,
        help="share of a supervisor's calls that name a wrong agent, 0 to 1: simulated, no model judges (0.35)",
    )
    arguments = parser.parse_args()
    server = serve(
        arguments.host, arguments.port, arguments.mistakes, arguments.blame_errors, arguments.socket
    )
    where = arguments.socket or f"http://{arguments.host}:{server.server_address[1]}/v1"
    print(f"{MODEL} answers at {where}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()
