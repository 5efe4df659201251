"""A command in another terminal finds the engines of the lab that runs, and those of no lab that has ended."""

from __future__ import annotations

import json
import os
import runpy
import socket
import sys
from pathlib import Path

import pytest
from django.conf import settings

from mcl_web import lab_engines
from micro.engine_spec import teacher_entry
from solver.engines.sockets import SOCKETS, address_of
from solver.engines.spec import EngineSpec


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """As after signing in: nobody has told this process anything. What it is told ends with the test."""
    monkeypatch.setenv(SOCKETS, "")
    del os.environ[SOCKETS]


def test_a_command_reaches_an_engine_whose_socket_the_running_lab_has_left(
    terminal: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    teacher = EngineSpec.parse(teacher_entry())
    where, gone = tmp_path / "teacher.sock", tmp_path / "gone.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(str(where))
        server.listen()
        lab_engines.leave(tmp_path, {teacher.home(): str(where), "another": str(gone)})
        monkeypatch.setattr(settings, "VAR_DIR", tmp_path)
        monkeypatch.setattr(sys, "argv", ["manage.py", "version"])
        runpy.run_path(str(settings.BASE_DIR / "manage.py"), run_name="__main__")
    assert address_of(teacher) == f"unix socket {where}"
    assert json.loads(os.environ[SOCKETS]) == {teacher.home(): str(where)}


def test_what_an_ended_lab_has_left_is_not_believed(terminal: None, tmp_path: Path) -> None:
    lab_engines.find(tmp_path)
    assert SOCKETS not in os.environ  # no lab was ever here
    lab_engines.leave(tmp_path, {"home": str(tmp_path / "gone.sock")})
    lab_engines.find(tmp_path)
    assert SOCKETS not in os.environ
    (tmp_path / lab_engines.NAME).write_text("{half", encoding="utf-8")
    lab_engines.find(tmp_path)
    assert SOCKETS not in os.environ


def test_what_the_supervisor_has_said_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SOCKETS, "{}")
    lab_engines.leave(tmp_path, {"home": str(tmp_path / "x.sock")})
    lab_engines.find(tmp_path)
    assert os.environ[SOCKETS] == "{}"
