"""Child processes that live and die with their supervisor, also when it is killed with -9."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_PDEATHSIG = 1
GRACE_S = 5.0
MAX_DEATHS, DEATHS_WITHIN_S = 3, 60.0
_libc = ctypes.CDLL(None, use_errno=True)


class ChildDied(Exception):
    """A child ended by itself and starting it again did not help. The tail of its log says what happened."""

    def __init__(self, name: str, code: int, tail: str) -> None:
        self.name, self.code, self.tail = name, code, tail
        super().__init__(f"{name} ended with code {code}")


@dataclass(slots=True)
class Child:
    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes]
    essential: bool = True
    leaned_on: bool = False
    deaths: list[float] = field(default_factory=list)


def _bind_to(parent: int) -> Callable[[], None]:
    """Runs between fork and exec: a session of its own (the terminal's Ctrl-C reaches the supervisor alone) and
    death with the supervisor. macOS has no PDEATHSIG; there a kill -9 of the supervisor leaves children behind."""

    def setup() -> None:
        os.setsid()
        if sys.platform == "linux":
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:  # it died before the line above took hold
                os._exit(1)

    return setup


class ProcessTree:
    """Starts children in order, starts dead ones again, stops first those that nobody leans on. Used from one thread,
    which must be the main one: the kernel ties the death signal to the thread that forked."""

    def __init__(self, log_dir: Path) -> None:
        self.log_dir = log_dir
        self.children: list[Child] = []

    def start(
        self,
        name: str,
        argv: Sequence[str],
        env: Mapping[str, str],
        *,
        essential: bool = True,
        leaned_on: bool = False,
    ) -> None:
        """Without an `essential` child the others go on: one that keeps dying is given up, not fatal. One that is
        `leaned_on` is there until all others have ended: a run whose engine goes first would end as failed."""
        self.log_dir.mkdir(parents=True, exist_ok=True)
        log = self.log_dir / f"{name}.log"
        self.children.append(Child(name, argv, env, log, self.spawn(argv, env, log), essential, leaned_on))

    @staticmethod
    def spawn(argv: Sequence[str], env: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
        with log.open("ab") as sink:
            return subprocess.Popen(
                argv,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                preexec_fn=_bind_to(os.getpid()),
            )

    def tend(self) -> list[str]:
        """Start again what has ended; returns a sentence for each. Raises ChildDied for one that keeps dying."""
        said = []
        for child in list(self.children):
            if (code := child.process.poll()) is None:
                continue
            moment = time.monotonic()
            child.deaths = [*(at for at in child.deaths if moment - at < DEATHS_WITHIN_S), moment]
            if len(child.deaths) > MAX_DEATHS:
                if child.essential:
                    raise ChildDied(child.name, code, tail(child.log))
                self.children.remove(child)
                said.append(f"{child.name} keeps ending with code {code} and is given up; see {child.log}")
                continue
            said.append(f"{child.name} ended with code {code}; starting it again")
            child.process = self.spawn(child.argv, child.env, child.log)
        return said

    def check(self) -> None:
        """Raises ChildDied if an essential child has ended: during the start nothing is started again."""
        for child in self.children:
            if child.essential and (code := child.process.poll()) is not None:
                raise ChildDied(child.name, code, tail(child.log))

    def stop(self) -> None:
        """End all that nobody leans on at once, then the others. Safe to call twice."""
        for leaned_on in (False, True):
            _end([child.process for child in self.children if child.leaned_on == leaned_on])
        self.children.clear()


def _end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Ask each, and kill what has not gone within the grace time, which is the same for all."""
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
    end = time.monotonic() + GRACE_S
    for process in processes:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, end - time.monotonic()))
    stuck = [process for process in processes if process.poll() is None]
    for process in stuck:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    for process in stuck:
        process.wait()


def tail(log: Path, lines: int = 12) -> str:
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    return "\n".join(text.splitlines()[-lines:])


def until(ready: Callable[[], bool], tree: ProcessTree, timeout_s: float) -> bool:
    """Poll `ready` while every child lives; False when the time is up."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        tree.check()
        if ready():
            return True
        time.sleep(0.05)
    return False
