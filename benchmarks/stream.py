"""Event to browser: latency at many viewers, and no event lost or doubled through random disconnects.

    python -m benchmarks.stream [--viewers 300] [--seconds 20] [--json FILE]

A real uvicorn, a real broker, SQLite; one process appends events to one run, this process holds the viewers. The peer
measured in the same run pushes the same rendered text through the channel layer, one layer channel a viewer, which is
how chat examples do it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets import Origin

from benchmarks.figures import Bar, percentile, report
from benchmarks.stream_emitter import WARM_UP

ORIGIN = Origin("http://127.0.0.1")
ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def lab(app: str) -> Iterator[tuple[str, dict[str, str]]]:
    """A fresh state folder with a broker, a database with one claimed run, and a web server for `app`."""
    from mcl_web import broker

    with tempfile.TemporaryDirectory(prefix="mcl-bench-") as folder:
        env = {**os.environ, "MCL_VAR": folder, "MCL_LOG_LEVEL": "ERROR"}
        env.pop("REDIS_URL", None)
        env.pop("DATABASE_URL", None)
        socket_file = Path(folder) / "broker.sock"
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        children = [subprocess.Popen(broker.command(socket_file), stdout=subprocess.DEVNULL)]
        try:
            while not broker.answers(socket_file):
                time.sleep(0.02)
            subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], cwd=ROOT, env=env, check=True)
            web = ["-m", "uvicorn", app, "--port", str(port), "--log-level", "error", "--lifespan", "off"]
            children.append(subprocess.Popen([sys.executable, *web], cwd=ROOT, env=env))
            _wait_for(port)
            yield f"ws://127.0.0.1:{port}", env
        finally:
            for child in reversed(children):
                child.terminate()
                child.wait(10)


def _wait_for(port: int) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError("the web server did not start")


class Emitter:
    """A process that appends events at a steady rate and prints when each was written."""

    def __init__(self, env: dict[str, str], count: int, rate: float, mode: str) -> None:
        argv = [sys.executable, "-m", "benchmarks.stream_emitter", str(count), str(rate), mode]
        self.process = subprocess.Popen(
            argv, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.run_id = int(self.process.stdout.readline())

    def start(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def written(self) -> dict[int, float]:
        """Time of writing (Unix seconds) by sequence number; waits for the end."""
        out, _ = self.process.communicate(timeout=300)
        return {int(seq): float(at) for seq, at in (line.split() for line in out.splitlines())}


async def _view(
    url: str, run_id: int, last: int, arrived: list[tuple[int, float]], up: asyncio.Semaphore
) -> None:
    import websockets

    async with up:
        connection = await websockets.connect(
            f"{url}/ws/runs/{run_id}/?after=0", origin=ORIGIN, open_timeout=60, max_size=None
        )
    async with connection:
        while not arrived or arrived[-1][0] < last:
            frame = json.loads(await asyncio.wait_for(connection.recv(), 60))
            if frame["t"] == "event":
                arrived.append((frame["seq"], time.time()))


async def _crowd(url: str, emitter: Emitter, viewers: int, last: int) -> list[list[tuple[int, float]]]:
    seen: list[list[tuple[int, float]]] = [[] for _ in range(viewers)]
    up = asyncio.Semaphore(20)
    tasks = [asyncio.create_task(_view(url, emitter.run_id, last, seen[i], up)) for i in range(viewers)]
    await asyncio.sleep(2 + viewers / 50)
    emitter.start()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    failures = [error for error in done if isinstance(error, BaseException)]
    if failures:
        print(f"{len(failures)} viewers did not get everything; the first: {failures[0]!r}", file=sys.stderr)
    return seen


def latency(app: str, mode: str, viewers: int, count: int, rate: float) -> dict[str, Any]:
    """One row: latency of every (event, viewer) pair in ms, deliveries missing, CPU of the server's tree per delivery."""
    with lab(app) as (url, env):
        emitter = Emitter(env, count, rate, mode)
        seen = asyncio.run(_crowd(url, emitter, viewers, WARM_UP + count))
        written = emitter.written()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    delays = [(at - written[seq]) * 1000 for viewer in seen for seq, at in viewer if seq in written]
    return {
        "design": mode,
        "viewers": viewers,
        "events": count,
        "delivered": len(delays),
        "missing": viewers * count - len(delays),
        "p50 ms": percentile(delays, 0.5),
        "p99 ms": percentile(delays, 0.99),
        "max ms": max(delays),
        "cpu s so far": used.ru_utime + used.ru_stime,
    }


async def _restless(url: str, run_id: int, last: int, drops: list[int], rng: random.Random) -> list[int]:
    """A viewer whose connection breaks again and again, half the time without a goodbye; what it saw, in order."""
    import websockets

    seen: list[int] = []
    while not seen or seen[-1] < last:
        after = seen[-1] if seen else 0
        connection = await websockets.connect(
            f"{url}/ws/runs/{run_id}/?after={after}", origin=ORIGIN, open_timeout=60
        )
        patience = rng.uniform(0.05, 0.8)
        try:
            async with asyncio.timeout(patience if drops[0] > 0 else 60):
                while not seen or seen[-1] < last:
                    frame = json.loads(await connection.recv())
                    if frame["t"] == "event":
                        seen.append(frame["seq"])
        except TimeoutError:
            drops[0] -= 1
        if rng.random() < 0.5:
            connection.transport.abort()
        else:
            await connection.close()
    return seen


async def _storm(url: str, emitter: Emitter, last: int, drops: int) -> tuple[list[list[int]], int]:
    left, rng = [drops], random.Random(7)
    tasks = [asyncio.create_task(_restless(url, emitter.run_id, last, left, rng)) for _ in range(20)]
    emitter.start()
    return list(await asyncio.gather(*tasks)), drops - left[0]


def disconnects(drops: int) -> dict[str, Any]:
    count = 600
    with lab("mcl_web.asgi:application") as (url, env):
        emitter = Emitter(env, count, 40, "hub")
        seen, dropped = asyncio.run(_storm(url, emitter, WARM_UP + count, drops))
        emitter.written()
    missing = sum(len(set(range(1, WARM_UP + count + 1)) - set(viewer)) for viewer in seen)
    doubled = sum(len(viewer) - len(set(viewer)) for viewer in seen)
    return {
        "viewers": len(seen),
        "events": count,
        "disconnects": dropped,
        "missing": missing,
        "doubled": doubled,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--viewers", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rate", type=float, default=10)
    parser.add_argument("--disconnects", type=int, default=400)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    count = int(args.seconds * args.rate)
    hub = latency("mcl_web.asgi:application", "hub", args.viewers, count, args.rate)
    push = latency("benchmarks.push_peer:application", "push", args.viewers, count, args.rate)
    storm = disconnects(args.disconnects)
    bars = [
        Bar("event to viewer p99", hub["p99 ms"], "ms", 100, "max", hub["delivered"]),
        Bar("push p99 over hub p99", push["p99 ms"] / hub["p99 ms"], "ratio", 1, "min", push["delivered"]),
        Bar("events missing after disconnects", storm["missing"], "events", 0, "max", storm["disconnects"]),
        Bar("events doubled after disconnects", storm["doubled"], "events", 0, "max", storm["disconnects"]),
    ]
    report("stream", bars, [hub, push], args.json)


if __name__ == "__main__":
    main()
