"""The lab's own engine in a process of its own, over its socket: hot loading, many streams, a flood, cancels, a restart.

    python -m benchmarks.engine_server [--loads 20] [--streams 50] [--json FILE]

A tiny model with random weights (three layers, fp32, one thread), so that what is measured is the serving and not the
computing. Wall-clock figures: the load of the machine is part of the report. The limit beside the streams' longest
silence is what a fair turn would take: the time of the whole run divided by the tokens of one stream.
"""

from __future__ import annotations

import argparse
import queue
import statistics
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.figures import Bar, percentile, report
from solver.engines.protocol import ChatRequest, Message, Role, Sampling
from solver.engines.served import ServedEngine
from solver.engines.spec import EngineSpec
from tests.engines.served_engine import Server, serving_engine
from tests.engines.tiny_model import save_adapter, save_base
from trajectories.agents import AGENTS

TOKENS = 64
LONG = 1200  # tokens of answers that are cancelled, or outlast those that are
KV_MEGABYTES = 4  # of the flood: some 5,000 tokens of the tiny model, a quarter of what is asked for at once


def asked(model: str, seed: int, tokens: int = TOKENS) -> ChatRequest:
    """An answer of exactly so many tokens, whatever the weights say: one letter is one token of this vocabulary."""
    sampling = Sampling(temperature=1.0, seed=seed, max_tokens=tokens + 8)
    message = Message("user", f"print the sum of {seed} numbers")
    return ChatRequest(Role.CODING, model, (message,), sampling, f"start: /[A-Z]{{{tokens}}}/\n")


@dataclass
class Stream:
    """What one caller saw, in seconds."""

    first: float
    longest_silence: float
    seconds: float
    whole: bool


def stream(engine: ServedEngine, request: ChatRequest, tokens: int = TOKENS) -> Stream:
    began = last = time.monotonic()
    first: float | None = None
    longest = 0.0

    def hear(_piece: str) -> None:
        nonlocal first, last, longest
        now = time.monotonic()
        if first is None:
            first = now - began
        else:
            longest = max(longest, now - last)
        last = now

    reply = engine.chat(request, on_delta=hear)
    return Stream(first or 0.0, longest, time.monotonic() - began, len(reply.text) == tokens)


def hot_loads(server: Server, folder: Path, count: int) -> list[float]:
    """From the request to load an adapter nobody knows to the first token it gives."""
    adapters = [save_adapter(folder / "base", folder / f"hot{n}", seed=50 + n) for n in range(count)]
    engine = server.client()
    taken = []
    for number, adapter in enumerate(adapters):
        name = f"hot{number}"
        began = time.monotonic()
        server.http().post("/v1/load_lora_adapter", json={"lora_name": name, "lora_path": str(adapter)})
        taken.append(time.monotonic() - began + stream(engine, asked(name, number, 8), 8).first)
        server.http().post("/v1/unload_lora_adapter", json={"lora_name": name})
    engine.close()
    return taken


def together(server: Server, count: int) -> tuple[list[Stream], float]:
    """So many streams at once, over base and four adapters; and the seconds they took together."""
    engine = server.client()
    models = ("base", *server.spec.adapters)
    began = time.monotonic()
    with ThreadPoolExecutor(count) as pool:
        seen = list(pool.map(lambda n: stream(engine, asked(models[n % 5], n)), range(count)))
    engine.close()
    return seen, time.monotonic() - began


def flood(server: Server, count: int) -> tuple[int, float]:
    """Requests for several times the memory there is: how many were answered whole, and the most memory seen as a
    part of what is allowed."""
    engine, done, most = server.client(), threading.Event(), 0.0

    def look() -> None:
        nonlocal most
        while not done.is_set():
            stats = server.stats()
            most = max(most, stats["kv_bytes"] / stats["kv_most_bytes"])

    with ThreadPoolExecutor(count + 1) as pool:
        watching = pool.submit(look)
        seen = list(pool.map(lambda n: stream(engine, asked("base", n, 300), 300).whole, range(count)))
        done.set()
        watching.result()
    engine.close()
    return sum(seen), most


def cancels(described: EngineSpec, count: int) -> list[int]:
    """Steps of the model between a cancel and the moment its row is free, another answer being made beside it."""
    from solver.engines.transformers_engine import TransformersEngine

    engine, taken = TransformersEngine(described), []
    try:
        beside: queue.SimpleQueue[int | Exception] = queue.SimpleQueue()
        other = engine.begin(asked("base", 0, LONG), beside.put)
        beside.get()
        for number in range(1, count + 1):
            tokens: queue.SimpleQueue[int | Exception] = queue.SimpleQueue()
            answer = engine.begin(asked("base", number, LONG), tokens.put)
            tokens.get()
            before = engine.stats()["steps"]
            answer.leave()
            while (stats := engine.stats())["running"] + stats["filling"] > 1:
                time.sleep(0.0005)
            assert stats["running"] == 1, "the answer beside must outlast the cancels"
            taken.append(stats["steps"] - before)
        other.leave()
    finally:
        engine.close()
    return taken


def restart(server: Server) -> float:
    """From kill -9 to the next answer, the process being started again at once."""
    engine = server.client()
    server.kill()
    began = time.monotonic()
    server.start()
    engine.chat(asked("base", 1, 1))
    taken = time.monotonic() - began
    engine.close()
    return taken


def spec(folder: Path, **local: Any) -> EngineSpec:
    adapters = {role: str(folder / role) for role in AGENTS}
    given = {"name": "bench", "kind": "transformers", "base": str(folder / "base"), "adapters": adapters}
    return EngineSpec.parse({**given, "local": {"threads": 1, **local}})


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--loads", type=int, default=20)
    parser.add_argument("--streams", type=int, default=50)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mcl-bench-") as name:
        folder = Path(name)
        save_base(folder / "base")
        for seed, role in enumerate(AGENTS):
            save_adapter(folder / "base", folder / role, seed=seed)
        with serving_engine(spec(folder)) as server:
            one = server.client()
            alone = statistics.median([stream(one, asked("base", n)).seconds for n in range(5)])
            one.close()
            loads = hot_loads(server, folder, options.loads)
            seen, seconds = together(server, options.streams)
            again = restart(server)
        with serving_engine(spec(folder, kv_megabytes=KV_MEGABYTES), "--max-queue", "1000") as small:
            answered, most = flood(small, options.streams)
        freed = cancels(spec(folder), options.loads)
    turn = seconds / TOKENS
    count = len(seen)
    bars = [
        Bar(
            "adapter loaded to first token, median",
            1000 * statistics.median(loads),
            "ms",
            200,
            "max",
            len(loads),
        ),
        Bar(
            f"{count} streams at once, answered whole",
            sum(each.whole for each in seen),
            "streams",
            count,
            "min",
            count,
        ),
        Bar(
            "longest silence in a stream, in fair turns",
            max(each.longest_silence for each in seen) / turn,
            "turns",
            10,
            "max",
            count,
        ),
        Bar("flood, answered whole", answered, "requests", options.streams, "min", options.streams),
        Bar("flood, most memory of what is allowed", most, "parts", 1, "max", options.streams),
        Bar("cancel to a free row, most", max(freed), "steps", 2, "max", len(freed)),
    ]
    row = {
        "one stream, s": alone,
        f"{count} streams, s": seconds,
        "tokens/s": count * TOKENS / seconds,
        "first token p50, s": percentile([each.first for each in seen], 0.5),
        "first token max, s": max(each.first for each in seen),
        "longest silence, ms": 1000 * max(each.longest_silence for each in seen),
        "hot load max, ms": 1000 * max(loads),
        "kill -9 to answer, s": again,
    }
    report("engine_server", bars, [row], options.json)


if __name__ == "__main__":
    main()
