"""Ending a tree of processes: together, those that others lean on last, and whoever asks twice is asked for once."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings

from mcl_web import process_tree
from mcl_web.management.commands import up
from mcl_web.process_tree import ProcessTree
from tests.conftest import PATIENCE_S

# Waits, once it is asked to end, until both workers have been asked; then leaves word of its end.
WORKER = """
import pathlib, signal, sys, time
folder, me = pathlib.Path(sys.argv[1]), sys.argv[2]
def asked(*_):
    (folder / (me + ".asked")).touch()
    while len(list(folder.glob("*.asked"))) < 2:
        time.sleep(0.01)
    (folder / (me + ".gone")).touch()
    sys.exit(0)
signal.signal(signal.SIGTERM, asked)
(folder / (me + ".ready")).touch()
while True:
    time.sleep(600)
"""
# Tells by its exit status how many workers had gone when it was asked.
BROKER = """
import pathlib, signal, sys, time
folder = pathlib.Path(sys.argv[1])
signal.signal(signal.SIGTERM, lambda *_: sys.exit(40 + len(list(folder.glob("*.gone")))))
(folder / "broker.ready").touch()
while True:
    time.sleep(600)
"""


def until_ready(folder: Path, count: int) -> None:
    end = time.monotonic() + PATIENCE_S
    while len(list(folder.glob("*.ready"))) < count:
        assert time.monotonic() < end, "the children did not start"
        time.sleep(0.02)


def test_all_workers_are_ended_at_once_and_what_they_lean_on_after_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_tree, "GRACE_S", PATIENCE_S)
    tree = ProcessTree(tmp_path / "log")
    tree.start("broker", [sys.executable, "-S", "-c", BROKER, str(tmp_path)], {}, leaned_on=True)
    for name in ("infer", "train"):
        tree.start(name, [sys.executable, "-S", "-c", WORKER, str(tmp_path), name], {})
    until_ready(tmp_path, 3)
    ended = {child.name: child.process for child in tree.children}
    tree.stop()
    assert {name: process.returncode for name, process in ended.items()} == {
        "broker": 42,
        "infer": 0,
        "train": 0,
    }
    tree.stop()


def test_a_child_that_does_not_go_is_killed_and_one_that_has_gone_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_tree, "GRACE_S", 0.0)
    deaf = "import pathlib, signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    deaf += "pathlib.Path(sys.argv[1], 'deaf.ready').touch(); time.sleep(600)"
    tree = ProcessTree(tmp_path / "log")
    tree.start("gone", [sys.executable, "-S", "-c", ""], {})
    tree.start("deaf", [sys.executable, "-S", "-c", deaf, str(tmp_path)], {})
    until_ready(tmp_path, 1)
    gone, stuck = (child.process for child in tree.children)
    gone.wait(PATIENCE_S)
    tree.stop()
    assert (gone.returncode, stuck.returncode) == (0, -signal.SIGKILL)


def test_a_second_ctrl_c_does_not_break_off_the_stopping() -> None:
    command = up.Command()
    with pytest.raises(up.Stop):
        command.ask_to_stop(signal.SIGINT, None)
    command.ask_to_stop(signal.SIGINT, None)
    assert not issubclass(up.Stop, Exception), "what catches every error would keep it"


def test_the_reaper_has_a_worker_of_its_own_that_no_long_job_can_fill() -> None:
    clock = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    routes = settings.CELERY_TASK_ROUTES
    default = settings.CELERY_TASK_DEFAULT_QUEUE
    queues = [queue for _, queue, _ in up.WORKERS]
    assert sorted(queues) == sorted({default, *(route["queue"] for route in routes.values())})
    assert not clock & set(routes) and default in queues
    assert default not in {route["queue"] for route in routes.values()}
