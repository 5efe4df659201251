"""Stands for vLLM's server in tests of its supervision: the same arguments, paths and manners, without a model.

MCL_FAKE in the environment cannot reach it (the lab passes on little), so the folder of the model says how to behave:
a file `dies` makes it end at once, `slow` makes it never answer.
"""

from __future__ import annotations

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

given = dict(zip(sys.argv[1:], sys.argv[2:], strict=False))
model, served = Path(given["--model"]), [given["--served-model-name"]]
METRICS = """# HELP vllm:num_requests_running Number of requests
vllm:num_requests_running{engine="0",model_name="base"} 2.0
vllm:num_requests_waiting{engine="0",model_name="base"} 1.0
vllm:kv_cache_usage_perc{engine="0",model_name="base"} 0.25
vllm:prompt_tokens_total{engine="0",model_name="base"} 300.0
vllm:generation_tokens_total{engine="0",model_name="base"} 120.0
vllm:prefix_cache_queries_total{engine="0",model_name="base"} 300.0
vllm:prefix_cache_hits_total{engine="0",model_name="base"} 75.0
"""


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        bodies = {
            "/health": "",
            "/metrics": METRICS,
            "/v1/models": json.dumps({"data": [{"id": name} for name in served]}),
            "/environment": json.dumps(sorted(os.environ)),
        }
        self.say(200 if self.path in bodies else 404, bodies.get(self.path, ""))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = body["lora_name"]
        if self.path.endswith("/unload_lora_adapter"):
            served.remove(name)
        elif "refused" in name:
            self.say(400, json.dumps({"error": {"message": "rank is not what I like"}}))
            return
        elif name not in served:
            served.append(name)
        self.say(200, "Success")

    def say(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None: ...


if (model / "dies").exists():
    print("RuntimeError: no GPU was found", flush=True)
    raise SystemExit(3)
if (model / "slow").exists():
    sys.stdin.read()
    import time

    time.sleep(600)
ThreadingHTTPServer((given["--host"], int(given["--port"])), Handler).serve_forever()
