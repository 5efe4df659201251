"""A whole lab that can be killed with -9 and started again, and the check of a report's totals against its events."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.lab import PATIENCE_S, free_port


class Lab:
    """`manage.py up` in a state folder of its own, which can be killed and started again."""

    def __init__(self, var: Path) -> None:
        self.var = var
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        lease = {
            "MCL_VAR": str(var),
            "MCL_LEASE_SECONDS": "6",
            "MCL_REAP_EVERY": "1",
            "MCL_LOG_LEVEL": "WARNING",
        }
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("MCL_", "DATABASE_", "REDIS_"))
        }
        self.env = {**inherited, **lease}
        self.process: subprocess.Popen[bytes] | None = None

    def manage(self, *arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=settings.BASE_DIR, env=self.env, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self) -> None:
        command = [sys.executable, "manage.py", "up", "--port", str(self.port)]
        with (self.var / "up.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=settings.BASE_DIR, env=self.env, stdout=log, stderr=log
            )
        self.until(lambda: self.get("/campaigns/") is not None, PATIENCE_S)

    def kill(self) -> None:
        """SIGKILL to the supervisor; the kernel takes its children with it."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.until(lambda: self.get("/campaigns/") is None, PATIENCE_S)

    def kill_worker(self) -> None:
        """SIGKILL to the worker that solves; the supervisor starts another one."""
        (worker,) = self.workers()
        os.kill(worker, signal.SIGKILL)
        self.until(lambda: (now := self.workers()) != [] and worker not in now, PATIENCE_S)

    def workers(self) -> list[int]:
        """Processes of this lab that take runs from the queue, by the state folder in their environment."""
        found = []
        for entry in Path("/proc").iterdir():
            try:
                command = (entry / "cmdline").read_bytes().split(b"\0")
                mine = f"MCL_VAR={self.var}\0".encode() in (entry / "environ").read_bytes()
            except OSError:
                continue
            if mine and b"infer" in command and b"celery" in command:
                found.append(int(entry.name))
        return found

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:  # a busy machine; the children go with it
                self.process.kill()
                self.process.wait()

    def get(self, path: str) -> str | None:
        try:
            with urllib.request.urlopen(self.url + path, timeout=PATIENCE_S) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            pytest.fail(f"{path}: {error.code}")
        except OSError:
            return None

    def until(self, ready: Callable[[], bool], seconds: float) -> None:
        end = time.monotonic() + seconds
        while not ready():
            assert time.monotonic() < end, (self.var / "up.log").read_text()[-3000:]
            time.sleep(0.2)

    def settled(self, path: str) -> tuple[str, int]:
        html = self.get(f"{path}progress/") or ""
        found = re.search(r'data-status="(\w+)" data-settled="(\d+)"', html)
        return (found[1], int(found[2])) if found else ("", 0)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        database = sqlite3.connect(f"file:{self.var / 'lab.sqlite3'}?mode=ro", uri=True)
        try:
            return database.execute(query).fetchall()
        finally:
            database.close()


def check_totals(data: dict[str, Any], lab: Lab, asked: int | None = None) -> None:
    """Against the event log, read with nothing of the lab's code. `asked`: how many calls the engine counted itself."""
    finished = [
        json.loads(payload)
        for (payload,) in lab.rows("SELECT payload FROM trajectories_stepevent WHERE kind = 'step.finished'")
    ]
    tokens = sum(event["prompt_tokens"] + event["completion_tokens"] for event in finished)
    assert data["spent"]["calls"] == len(finished) == sum(cell["total"]["calls"] for cell in data["cells"])
    assert data["spent"]["tokens"] == tokens
    assert data["spent"]["model_seconds"] == pytest.approx(
        sum(event["seconds"] for event in finished), abs=0.01
    )
    hidden = [
        json.loads(payload)
        for (payload,) in lab.rows("SELECT payload FROM trajectories_stepevent WHERE kind = 'tests.finished'")
    ]
    accepted = sum(event["suite"] == "hidden" and event["verdict"] == "AC" for event in hidden)
    assert accepted == sum(cell["solved_runs"] for cell in data["cells"])
    steps = lab.rows("SELECT run_id, step FROM trajectories_stepevent WHERE kind = 'step.finished'")
    assert len(steps) == len(set(steps)), "no step was recorded twice"
    resumed = lab.rows("SELECT max(fence) FROM trajectories_run")[0][0]
    assert resumed >= 2, "the kills hit nothing"
    if asked is None:
        return
    cut_off = lab.rows("SELECT count(*) FROM trajectories_stepevent WHERE kind = 'step.started'")[0][0] - len(
        finished
    )
    assert len(finished) <= asked <= len(finished) + cut_off, (
        "only steps that a kill cut off were asked again"
    )
