"""The real process tree: one command, one port, real workers; it survives the death of a worker's run and leaves nothing."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests.lab import PATIENCE_S, Lab, wait_for

pytestmark = [pytest.mark.tree, pytest.mark.slow]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    started = Lab(tmp_path)
    yield started
    started.stop()
    for pid in started.processes():
        os.kill(pid, signal.SIGKILL)


def test_a_run_goes_through_the_whole_tree_and_survives_kill_9_of_its_worker(lab: Lab) -> None:
    assert lab.ready_line().startswith("MapCoder-Lite Lab is ready: http://127.0.0.1:")
    problems = lab.get("/api/problems/?source=starter")["problems"]
    assert len(problems) >= 30
    # More than the worker has threads: however late the kill comes, it meets runs under way.
    ids = [
        lab.post(
            "/api/runs/", {"problem": one["id"], "engine": "recorded", "request_id": f"tree-{one['id']}"}
        )["id"]
        for one in problems[:20]
    ]
    wait_for(lab, ids[0], lambda run: run["step_count"] >= 2)
    os.kill(lab.pid_of("-Q infer"), signal.SIGKILL)
    fences = []
    for run_id in ids:
        run = wait_for(lab, run_id, lambda run: run["status"] not in {"queued", "running"})
        assert (run["status"], bool(run["verdict"])) == ("finished", True)
        events = lab.get(f"/api/runs/{run_id}/events/")["events"]
        assert [event["seq"] for event in events] == list(range(1, run["last_seq"] + 1))
        fences.append(run["fence"])
    assert max(fences) >= 2
    assert lab.listening_ports() == {lab.port}
    assert lab.stop() == 0
    assert lab.gone(), lab.processes()


def test_a_run_of_the_micro_model_survives_kill_9_of_its_engine(lab: Lab) -> None:
    lab.ready_line()
    problems = lab.get("/api/problems/?source=micro")["problems"]
    runs = [
        lab.post("/api/runs/", {"problem": problem["id"], "engine": "micro", "request_id": f"m{index}"})["id"]
        for index, problem in enumerate(problems[:4])
    ]
    wait_for(lab, runs[0], lambda run: run["step_count"] >= 2)
    engine = lab.pid_of("solver.engines.server")
    os.kill(engine, signal.SIGKILL)
    for run_id in runs:
        run = wait_for(lab, run_id, lambda run: run["status"] not in {"queued", "running"})
        assert (run["status"], bool(run["verdict"])) == ("finished", True), run
        events = lab.get(f"/api/runs/{run_id}/events/")["events"]
        steps = [event["payload"] for event in events if event["kind"] == "step.finished"]
        assert steps
        for step in steps:
            assert len(step["adapter_digest"]) == 64
            assert len(step["detail"]["template_digest"]) == 64
            assert isinstance(step["detail"]["seed"], int)
    assert lab.comes_to(lambda: any("solver.engines.server" in line for line in lab.processes().values()))
    assert lab.pid_of("solver.engines.server") != engine
    assert lab.listening_ports() == {lab.port}


def test_ctrl_c_in_the_middle_of_a_run_leaves_it_to_the_next_start(lab: Lab) -> None:
    lab.ready_line()
    problem = lab.get("/api/problems/?source=starter")["problems"][0]["id"]
    run_id = lab.post("/api/runs/", {"problem": problem, "engine": "recorded", "request_id": "ctrl-c"})["id"]
    wait_for(lab, run_id, lambda run: run["step_count"] >= 2)
    assert lab.stop() == 0
    assert lab.gone(), lab.processes()
    again = Lab(lab.folder)
    try:
        assert "ready" in again.ready_line()
        run = wait_for(again, run_id, lambda run: run["status"] not in {"queued", "running"})
        assert run["status"] == "finished"
    finally:
        again.stop()


def test_kill_9_of_the_supervisor_leaves_no_process_behind(lab: Lab) -> None:
    lab.ready_line()
    assert lab.processes()
    lab.process.kill()
    lab.process.wait(PATIENCE_S)
    assert lab.gone(), lab.processes()


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
