"""`manage.py up`: the whole lab on this machine, one address, Ctrl-C stops all of it."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from argparse import ArgumentParser
from pathlib import Path
from types import FrameType
from typing import IO, Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from django.db import connections

from mcl_web import broker, lab_engines
from mcl_web.process_tree import ChildDied, ProcessTree, until
from micro.engine_spec import TEACHER, TEACHER_MISTAKES
from solver import engine_book
from solver.engines.sockets import SOCKETS
from solver.engines.spec import EngineKind, EngineSpec

# For a machine that is busy with other things: a child that cannot start dies, and that is told at once.
READY_WITHIN_S = 180.0
TRAINERS = 8  # threads that each watch one trainer; the devices decide how many train at once
# Name, queue, threads. The reaper's has a worker of its own: a job of the judge's queue takes hours.
WORKERS = (
    ("infer", "infer", settings.RUNS_PER_WORKER),
    ("default", "default", 2),
    ("judge", "judge", 2),
    ("train", "train", TRAINERS),
)


class Stop(BaseException):
    """Ctrl-C, SIGTERM or SIGHUP; no Exception, for it comes in the middle of anything and nothing may keep it."""


class Command(BaseCommand):
    help = "Start the whole lab: broker, workers and web server, on one address. Ctrl-C stops all of it."
    requires_system_checks = []
    stopping = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="port on 127.0.0.1 (default 8000)")

    def handle(self, *args: Any, port: int, **options: Any) -> None:
        _require_free_port(port)
        lock = _only_one(settings.VAR_DIR)
        tree = ProcessTree(settings.VAR_DIR / "log")
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self.ask_to_stop)
        try:
            self._start(tree, port)
            while True:
                if self.stopping:
                    raise Stop  # the first was lost where Python passes nothing on, in a destructor
                for sentence in tree.tend():
                    self.stderr.write(sentence)
                time.sleep(0.2)
        except Stop:
            self.stdout.write("stopping ...")
        except ChildDied as death:
            raise CommandError(
                f"{death}; everything else was stopped. The last lines of {settings.VAR_DIR / 'log'}/{death.name}.log:\n"
                f"{death.tail}"
            ) from None
        finally:
            self.stopping = True
            tree.stop()
            lock.close()

    def ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        """A signal handler. Who presses Ctrl-C again does not break off the stopping."""
        if not self.stopping:
            self.stopping = True
            raise Stop

    def _start(self, tree: ProcessTree, port: int) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        call_command("prepare", verbosity=0)
        connections.close_all()
        env = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE", "PYTHONUNBUFFERED": "1"}
        if settings.EMBEDDED_BROKER:
            self._start_broker(tree, env)
        address = f"http://127.0.0.1:{port}/"
        self._start_engines(tree, env)
        tree.start("web", [sys.executable, "-m", *_web(port)], env)
        for name, queue, threads in WORKERS:
            tree.start(name, [sys.executable, "-m", *_worker(name, queue, threads)], env)
        tree.start(
            "engines",
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "serve_engines"],
            env,
            essential=False,
            leaned_on=True,
        )
        tree.start("beat", [sys.executable, "-m", *_beat()], env)
        if not until(lambda: _answers(address), tree, READY_WITHIN_S):
            raise CommandError(
                f"The web server did not answer within {READY_WITHIN_S:.0f} s; see {tree.log_dir}/web.log."
            )
        self.stdout.write(f"MapCoder-Lite Lab is ready: {address}  (Ctrl-C stops it)")
        self.stdout.flush()

    def _start_engines(self, tree: ProcessTree, env: dict[str, str]) -> None:
        """The engines that ship, each in a process of its own; `env` tells the others where they listen.

        Nobody waits for them: a call that comes before the weights are loaded is tried again.
        """
        sockets: dict[str, str] = {}
        for spec in engine_book.shipped().values():
            if spec.kind is EngineKind.RECORDED:
                continue
            settings.SOCKET_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
            socket_file = settings.SOCKET_DIR / f"engine-{spec.name}.sock"
            socket_file.unlink(missing_ok=True)
            argv = [sys.executable, "-m", *self._server_of(spec), "--socket", str(socket_file)]
            tree.start(f"engine-{spec.name}", argv, env, essential=False, leaned_on=True)
            sockets[spec.home()] = str(socket_file)
        env[SOCKETS] = json.dumps(sockets)
        lab_engines.leave(settings.VAR_DIR, sockets)

    @staticmethod
    def _server_of(spec: EngineSpec) -> list[str]:
        if spec.name == TEACHER:
            return ["micro.oracle_server", "--mistakes", str(TEACHER_MISTAKES)]
        described = settings.VAR_DIR / f"engine-{spec.name}.json"
        described.write_text(spec.model_dump_json(exclude_defaults=True), encoding="utf-8")
        return ["solver.engines.server", str(described)]

    def _start_broker(self, tree: ProcessTree, env: dict[str, str]) -> None:
        socket_file: Path = settings.BROKER_SOCKET
        socket_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        socket_file.unlink(missing_ok=True)
        try:
            tree.start("broker", broker.command(socket_file), env, leaned_on=True)
        except broker.NoBroker as error:
            raise CommandError(str(error)) from None
        if not until(lambda: broker.answers(socket_file), tree, READY_WITHIN_S):
            raise CommandError(f"The embedded broker did not answer; see {tree.log_dir}/broker.log.")


def _web(port: int) -> list[str]:
    return [
        "uvicorn",
        "mcl_web.asgi:application",
        *("--host", "127.0.0.1"),
        *("--port", str(port)),
        *("--log-level", "warning"),
        *("--timeout-graceful-shutdown", "2"),
        "--no-access-log",
    ]


def _worker(name: str, queue: str, threads: int) -> list[str]:
    """Threads, not prefork: a forked child hangs after any torch or OpenMP call, and none would die with us."""
    return [
        *("celery", "-A", "mcl_web", "worker"),
        *("-P", "threads", "-c", str(threads)),
        *("-Q", queue, "-n", f"{name}@%h"),
        *("-l", "WARNING", "--without-gossip", "--without-mingle"),
    ]


def _beat() -> list[str]:
    """A child of the supervisor, not the worker's `-B`: that one forks a process which outlives a kill -9."""
    return ["celery", "-A", "mcl_web", "beat", "-l", "WARNING", "--pidfile="]


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=30) as response:
            return bool(response.status < 500)
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False


def _require_free_port(port: int) -> None:
    if not 1 <= port <= 65535:
        raise CommandError(f"--port {port} is no port; choose one from 1024 to 65535.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            raise CommandError(
                f"Port {port} needs more rights than you have; choose one above 1023."
            ) from None
        except OSError:
            raise CommandError(
                f"Port {port} is in use; choose another: make demo PORT={port + 1}, or manage.py up --port {port + 1}"
            ) from None


def _only_one(var: Path) -> IO[str]:
    """One lab a state folder: two brokers on one socket would lose each other's messages."""
    file = var / "up.lock"
    try:
        lock = file.open("a+")
    except OSError as error:
        raise CommandError(
            f"Cannot write {file} ({error.strerror}); set MCL_VAR to a folder you may write to."
        ) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise CommandError(
            f"A lab already runs on {var}; stop it, or set MCL_VAR to another folder for a second one."
        ) from None
    return lock
