"""A real `kill -9` of the process that distils or supervises, again and again: no example lost, none doubled, and of
the teacher's calls, which a server counts as a bill would, none paid twice but the one that was under way."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from micro import oracle_server
from micro.chain import Split
from micro.problem import problem_spec

pytestmark = pytest.mark.slow
PROBLEMS = (0, 5, 7)


class Bill:
    """Every call that was answered. `kills`: the number of the call -> seconds after its answer (0: before it).

    Between that answer and the kill nothing more is answered, so that one process never meets two of its kills."""

    def __init__(self, kills: dict[int, float]) -> None:
        self.paid: list[tuple[str, int, bool]] = []  # prompt, draw, whether the student was asked
        self.kills = kills
        self.turn = threading.Lock()
        self.doomed: subprocess.Popen[str] | None = None
        self.killed = threading.Event()
        self.under_way: set[tuple[str, int, bool]] = set()
        self.process: subprocess.Popen[str] | None = None

    def answer(self, prompt: str, mistakes: float = 0.0, blame_errors: float = 0.0, draw: int = 0) -> str:
        with self.turn:
            if self.process is not None and self.process is self.doomed:
                self.killed.wait(120)
                raise ConnectionAbortedError("asked by a process that was killed meanwhile")
            self.paid.append((prompt, draw, mistakes > 0))
            wait = self.kills.pop(len(self.paid), None)
            if wait is not None:
                self.doomed = self.process
                self.killed.clear()
                self.under_way.add(self.paid[-1])
                threading.Timer(wait, self.kill).start() if wait else self.kill()
        return ANSWER(prompt, mistakes, blame_errors, draw)

    def kill(self) -> None:
        assert self.doomed is not None
        self.doomed.send_signal(signal.SIGKILL)
        self.killed.set()

    def paid_twice(self) -> set[tuple[str, int, bool]]:
        return {call for call, times in Counter(self.paid).items() if times > 1}


ANSWER = oracle_server.reply_to


class Shell:
    """`manage.py` on a state folder of its own."""

    def __init__(self, var: Path) -> None:
        self.var = var
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("MCL_", "DATABASE_"))
        }
        self.env = {**kept, "MCL_VAR": str(var), "MCL_LEASE_SECONDS": "2", "MCL_LOG_LEVEL": "ERROR"}

    def run(self, *words: str) -> None:
        done = subprocess.run(self.command(*words), **self.options(), timeout=300, check=False)
        assert done.returncode in (0, 1), done.stdout

    def until_done(self, bill: Bill, *words: str) -> int:
        """The same command until it ends by itself; how often it was killed."""
        for killed in range(10):
            bill.process = subprocess.Popen(self.command(*words), **self.options())
            told, _ = bill.process.communicate(timeout=300)
            if bill.process.returncode != -signal.SIGKILL:
                assert bill.process.returncode == 0, told
                return killed
        raise AssertionError("it never ended by itself")

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "manage.py", *words]

    def options(self) -> dict[str, Any]:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        return {"cwd": settings.BASE_DIR, "env": self.env, **pipes}

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with sqlite3.connect(next(self.var.glob("*.sqlite3"))) as database:
            return database.execute(query).fetchall()


@pytest.fixture
def bill(monkeypatch: pytest.MonkeyPatch) -> Bill:
    made = Bill({})
    monkeypatch.setattr(oracle_server, "reply_to", made.answer)
    return made


@pytest.fixture
def shell(tmp_path: Path, bill: Bill) -> Iterator[Shell]:
    """A lab with three micro problems, a teacher that is right and a student that is wrong."""
    servers = {"teacher": oracle_server.serve(), "student": oracle_server.serve(mistakes=1.0)}
    engines = []
    for name, server in servers.items():
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}/v1"
        models = {"default": oracle_server.MODEL}
        own = {"name": name, "kind": "openai", "base_url": address, "models": models, "label": name}
        engines.append({**own, "templates": "micro", "allow_loopback": True})
    (tmp_path / "engines.yaml").write_text(json.dumps(engines), encoding="utf-8")
    problems = [json.dumps(problem_spec(5, index, Split.TRAIN)) for index in PROBLEMS]
    (tmp_path / "problems.jsonl").write_text("\n".join(problems), encoding="utf-8")
    (tmp_path / "var").mkdir()
    made = Shell(tmp_path / "var")
    made.run("migrate", "-v0")
    made.run("import_problems", str(tmp_path / "problems.jsonl"))
    made.run("engine", "add", "--file", str(tmp_path / "engines.yaml"))
    yield made
    for server in servers.values():
        server.shutdown()
        server.server_close()


def test_a_distillation_killed_before_during_and_after_calls_pays_none_again(
    shell: Shell, bill: Bill, tmp_path: Path
) -> None:
    bill.kills = {1: 0.0, 6: 0.02, 12: 0.3}
    spec = {"name": "Killed", "teacher": "teacher", "student": "student", "k": 1, "t": 1}
    (tmp_path / "spec.yaml").write_text(json.dumps(spec), encoding="utf-8")
    killed = shell.until_done(bill, "distill", str(tmp_path / "spec.yaml"), "--here", "--threads", "1")
    assert killed == 3 and not bill.kills
    assert bill.paid_twice() <= bill.under_way
    examples = shell.rows("select id, role, run_id, step from training_example")
    assert Counter(role for _, role, *_ in examples) == {"retrieval": 3, "debugging": 3}
    assert len({(run, step) for *_, run, step in examples}) == len(examples)
    harvests = shell.rows("select run_id, kept from training_harvest")
    assert len({run for run, _ in harvests}) == len(harvests) == 2 * len(PROBLEMS)
    kept = [pk for _, found in harvests for ids in json.loads(found).values() for pk in ids]
    assert sorted(kept) == sorted(pk for pk, *_ in examples)


def test_a_supervision_killed_between_votes_and_revisions_pays_none_again(
    shell: Shell, bill: Bill, tmp_path: Path
) -> None:
    for (problem,) in shell.rows("select id from trajectories_problem"):
        shell.run("solve", str(problem), "--engine", "student", "-k", "1", "-t", "0")
    runs = [pk for (pk,) in shell.rows("select id from trajectories_run where verdict <> 'AC'")]
    assert len(runs) == len(PROBLEMS)
    bill.paid.clear()
    bill.kills = {2: 0.05, 4: 0.0}
    spec = {
        "name": "Killed",
        "runs": {"ids": runs},
        "supervisor": "teacher",
        "votes": 2,
        "reviser": "teacher",
        "teacher": "teacher",
        "rounds": 3,
    }
    (tmp_path / "spec.yaml").write_text(json.dumps(spec), encoding="utf-8")
    killed = shell.until_done(bill, "supervise", str(tmp_path / "spec.yaml"), "--here")
    assert killed == 2 and not bill.kills
    assert bill.paid_twice() <= bill.under_way
    cases = shell.rows("select state, votes, kept from training_supervisioncase")
    assert [state for state, *_ in cases] == ["corrected"] * len(PROBLEMS)
    assert all(len(json.loads(votes)) == 2 for _, votes, _ in cases)
    examples = shell.rows("select run_id, step from training_example")
    assert len(set(examples)) == len(examples) == sum(kept for *_, kept in cases) >= len(PROBLEMS)
