"""An OpenAI-compatible server on loopback whose four agents answer by script, word by word, as slowly as asked."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

EXEMPLARS = "".join(
    f"<problem><description>Exemplar {n}: add the numbers.</description><code>print(1)</code>"
    f"<planning>1. Read. 2. Add. 3. Print.</planning></problem>"
    for n in (1, 2, 3)
)
RETRIEVED = f"<root>{EXEMPLARS}<algorithm>arithmetic, then printing</algorithm></root>"
PLAN = "1. Read both integers.\n2. Add them.\n3. Print the sum."
CONFIDENT = "<root><explanation>It is a plain sum.</explanation><confidence>85</confidence></root>"
WRONG = "```python\na, b = map(int, input().split())\nprint(a - b)\n```"
RIGHT = "## Modified Planning\nAdd instead of subtracting.\n```python\na, b = map(int, input().split())\nprint(a + b)\n```"
ROLES = ("retrieval", "planning", "confidence", "coding", "debugging")
ANSWERS = dict(zip(ROLES, (RETRIEVED, PLAN, CONFIDENT, WRONG, RIGHT), strict=True))


class AgentsServer:
    """`asked` counts the requests by role; the role is the model's name, as the engine's settings map it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.pause_s = 0.02
        self.answers = dict(ANSWERS)
        self.url = ""

    def spec(self, name: str = "agents") -> dict[str, Any]:
        """An engine description for `manage.py engine add --file` or the database."""
        return {
            "name": name,
            "kind": "openai",
            "label": "Scripted agents of a test",
            "base_url": self.url,
            "allow_loopback": True,
            "models": {role: role for role in ROLES},
            "stored_answers": "never",  # every run of a test is to ask
        }


@contextmanager
def agents_server() -> Iterator[AgentsServer]:
    board = AgentsServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._json({"object": "list", "data": [{"id": role, "object": "model"} for role in ROLES]})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            role = body["model"]
            board.asked.append(role)
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            words = board.answers[role].split(" ")
            for number, word in enumerate(words):
                time.sleep(board.pause_s)
                self._event({"content": word if number == 0 else " " + word})
            usage = {"prompt_tokens": 100, "completion_tokens": len(words), "total_tokens": 100 + len(words)}
            self._event({}, finish="stop")
            self._chunk({"choices": [], "usage": usage, **_envelope()})
            self.wfile.write(b"data: [DONE]\n\n")

        def _event(self, delta: dict[str, str], finish: str | None = None) -> None:
            self._chunk({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **_envelope()})

        def _chunk(self, data: dict[str, Any]) -> None:
            self.wfile.write(b"data: " + json.dumps(data).encode() + b"\n\n")
            self.wfile.flush()

        def _json(self, data: dict[str, Any]) -> None:
            payload = json.dumps(data).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    board.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield board
    finally:
        server.shutdown()
        server.server_close()


def _envelope() -> dict[str, Any]:
    return {"id": "chat", "object": "chat.completion.chunk", "created": 0, "model": "scripted"}
