"""A loopback server that speaks the chat protocol and answers with real programs that a published model wrote.

Which problem is meant is told from the statement in the prompt, which agent asks from the model's name, and MapCoder's
coder from the direct prompt by the plan that this server gave out before.
"""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.engines.loopback import Handler

PLAN = "1. Read the input.\n2. Do what the statement asks.\n3. Print the result. (plan of the replay)"
RECALLED = """<root><problem><description>A similar problem.</description><code>print(1)</code>
<planning>Read, compute, print.</planning></problem><algorithm>Implementation: follow the statement.</algorithm></root>"""
CONFIDENT = "<root><explanation>It follows the statement.</explanation><confidence>80</confidence></root>"
ROLES = ("retrieval", "planning", "confidence", "coding", "debugging")


class Published:
    """The first Python program that each strategy of a published model wrote for each problem.

    `verdicts` are those of the data set's own second judging, a fresh process a program: the published ones of function
    problems were made in shared globals, where one program could spoil the next.
    """

    def __init__(self, data: Path, source: str, model: str, strategies: dict[str, str]) -> None:
        problems = _rows(data / "problems" / f"{source}.jsonl.gz")
        self.statements: dict[str, str] = {row["id"]: " ".join(row["statement"].split()) for row in problems}
        self.programs: dict[tuple[str, str], str] = {}
        self.verdicts: dict[str, dict[str, bool]] = {ours: {} for ours in strategies.values()}
        for row in _rows(data / "programs" / f"{source}.jsonl.gz"):
            ours = strategies.get(row["strategy"])
            wanted = ours and row["model"] == model and row["language"] == "Python3"
            if ours and wanted and row["problem_id"] in self.statements:
                self.programs.setdefault((ours, row["problem_id"]), row["source"])
                self.verdicts[ours].setdefault(row["problem_id"], row["rejudge"]["passed"])

    def problem_of(self, prompt: str) -> str:
        squeezed = " ".join(prompt.split())
        for name, statement in self.statements.items():
            if statement in squeezed:
                return name
        raise AssertionError(f"no known problem in this prompt: {prompt[:300]}")


def _rows(file: Path) -> list[dict[str, Any]]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


class Replay(Handler):
    published: Published
    seconds = 0.05
    asked: Counter[str]
    lock = threading.Lock()

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        prompt = "\n".join(message["content"] for message in body["messages"])
        text = self.answer(body["model"].removeprefix("replay-"), prompt)
        with self.lock:
            self.asked[body["model"]] += 1
        time.sleep(self.seconds)
        try:
            self.start_stream()
            self.delta(text)
            self.delta(None, "stop")
            self.usage(len(prompt) // 4, len(text) // 4)
            self.event("[DONE]")
        except (BrokenPipeError, ConnectionResetError):
            pass  # the lab was killed while it was being answered
        self.close_connection = True

    def answer(self, role: str, prompt: str) -> str:
        if role in {"retrieval", "planning", "confidence"}:
            return {"retrieval": RECALLED, "planning": PLAN, "confidence": CONFIDENT}[role]
        strategy = "mapcoder" if role == "debugging" or "plan of the replay" in prompt else "direct"
        program = self.published.programs[strategy, self.published.problem_of(prompt)]
        return f"```python\n{program}\n```"


@contextmanager
def serving(published: Published) -> Iterator[tuple[str, Counter[str]]]:
    """The base URL and how often each model was asked."""
    asked: Counter[str] = Counter()
    handler = type("BoundReplay", (Replay,), {"published": published, "asked": asked})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def engine(url: str) -> dict[str, Any]:
    return {
        "name": "replay",
        "kind": "openai",
        "label": "Published programs over a loopback server",
        "base_url": url,
        "allow_loopback": True,
        "simulated": True,
        "models": {role: f"replay-{role}" for role in ROLES},
    }
