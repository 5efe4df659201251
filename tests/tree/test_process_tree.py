"""The real process tree: one command, one port, real workers; it survives the death of a worker's run and leaves nothing."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

pytestmark = [pytest.mark.tree, pytest.mark.slow]


class Lab:
    """A lab started by `manage.py up` on a folder of its own."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.folder = folder
        self.env = {**os.environ, "MCL_VAR": str(folder), "MCL_LEASE_SECONDS": "3", "MCL_REAP_EVERY": "1"}
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--port", str(self.port)],
            cwd=settings.BASE_DIR,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def ready_line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=20) as response:
            return json.load(response)

    def post(self, path: str, data: dict[str, Any]) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            data=json.dumps(data).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=20) as response:
            return json.load(response)

    def processes(self) -> dict[int, str]:
        """Every process of this lab, found by its state folder in the environment."""
        found = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) in {os.getpid(), self.process.pid}:
                continue
            try:
                if f"MCL_VAR={self.folder}\0".encode() in (entry / "environ").read_bytes():
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
        return found

    def pid_of(self, words: str) -> int:
        return next(pid for pid, command in self.processes().items() if words in command)

    def listening_ports(self) -> set[int]:
        inodes = set()
        for pid in self.processes():
            for link in Path(f"/proc/{pid}/fd").iterdir():
                try:
                    target = str(link.readlink())
                except OSError:
                    continue
                if target.startswith("socket:["):
                    inodes.add(target[8:-1])
        ports = set()
        for table in ("tcp", "tcp6"):
            for line in Path(f"/proc/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
                words = line.split()
                if words[3] == "0A" and words[9] in inodes:
                    ports.add(int(words[1].rpartition(":")[2], 16))
        return ports

    def gone(self, within: float) -> bool:
        end = time.monotonic() + within
        while time.monotonic() < end:
            if not self.processes():
                return True
            time.sleep(0.1)
        return False


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    started = Lab(tmp_path)
    yield started
    if started.process.poll() is None:
        started.process.send_signal(signal.SIGINT)
        started.process.wait(30)
    for pid in started.processes():
        os.kill(pid, signal.SIGKILL)


def wait_for(lab: Lab, run_id: int, ready: Any, within: float) -> dict[str, Any]:
    end = time.monotonic() + within
    while True:
        run: dict[str, Any] = lab.get(f"/api/runs/{run_id}/")
        if ready(run):
            return run
        assert time.monotonic() < end, run
        time.sleep(0.1)


def test_a_run_goes_through_the_whole_tree_and_survives_kill_9_of_its_worker(lab: Lab) -> None:
    assert lab.ready_line().startswith("MapCoder-Lite Lab is ready: http://127.0.0.1:")
    problems = lab.get("/api/problems/?source=starter")["problems"]
    assert len(problems) >= 30
    started = lab.post(
        "/api/runs/", {"problem": problems[0]["id"], "engine": "recorded", "request_id": "tree"}
    )
    run_id = started["id"]
    wait_for(lab, run_id, lambda run: run["step_count"] >= 2, 30)
    os.kill(lab.pid_of("-Q infer"), signal.SIGKILL)
    run = wait_for(lab, run_id, lambda run: run["status"] not in {"queued", "running"}, 120)
    assert (run["status"], bool(run["verdict"])) == ("finished", True)
    assert run["fence"] >= 2
    events = lab.get(f"/api/runs/{run_id}/events/")["events"]
    assert [event["seq"] for event in events] == list(range(1, run["last_seq"] + 1))
    assert lab.listening_ports() == {lab.port}
    lab.process.send_signal(signal.SIGINT)
    assert lab.process.wait(30) == 0
    assert lab.gone(5), lab.processes()


def test_ctrl_c_in_the_middle_of_a_run_leaves_it_to_the_next_start(lab: Lab) -> None:
    lab.ready_line()
    problem = lab.get("/api/problems/?source=starter")["problems"][0]["id"]
    run_id = lab.post("/api/runs/", {"problem": problem, "engine": "recorded", "request_id": "ctrl-c"})["id"]
    wait_for(lab, run_id, lambda run: run["step_count"] >= 2, 30)
    lab.process.send_signal(signal.SIGINT)
    assert lab.process.wait(30) == 0
    assert lab.gone(5), lab.processes()
    again = Lab(lab.folder)
    try:
        assert "ready" in again.ready_line()
        run = wait_for(again, run_id, lambda run: run["status"] not in {"queued", "running"}, 120)
        assert run["status"] == "finished"
    finally:
        again.process.send_signal(signal.SIGINT)
        again.process.wait(30)


def test_kill_9_of_the_supervisor_leaves_no_process_behind(lab: Lab) -> None:
    lab.ready_line()
    assert lab.processes()
    lab.process.kill()
    lab.process.wait(5)
    assert lab.gone(5), lab.processes()


def test_a_second_lab_on_the_same_folder_says_so_in_one_sentence(lab: Lab) -> None:
    lab.ready_line()
    second = subprocess.run(
        [sys.executable, "manage.py", "up", "--port", "0"],
        cwd=settings.BASE_DIR,
        env=lab.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode != 0 and "is no port" in second.stderr
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        blocked = subprocess.run(
            [sys.executable, "manage.py", "up", "--port", port],
            cwd=settings.BASE_DIR,
            env=lab.env,
            capture_output=True,
            text=True,
            check=False,
        )
    assert f"Port {port} is in use" in blocked.stderr and blocked.stderr.count("\n") == 1
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    other = subprocess.run(
        [sys.executable, "manage.py", "up", "--port", port],
        cwd=settings.BASE_DIR,
        env=lab.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "A lab already runs on" in other.stderr and other.stderr.count("\n") == 1


def test_a_folder_that_cannot_be_written_stops_the_start_with_one_sentence(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="ascii")
    env = {**os.environ, "MCL_VAR": str(blocked / "state")}
    done = subprocess.run(
        [sys.executable, "manage.py", "up"],
        cwd=settings.BASE_DIR,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "set MCL_VAR to a folder you may write to" in done.stderr
    assert "Traceback" not in done.stderr
