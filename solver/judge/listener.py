"""Answers the calls a program may not make, and notes them."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import signal
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .jail.kernel import NR
from .jail.policy import HOSTILE, names_of
from .outcome import Kill

if TYPE_CHECKING:
    from .watch import Run

_RECEIVE, _SEND = 0xC0502100, 0xC0182101
_CONTINUE = 1
_NOTICE = struct.Struct("=QIIiIQ6Q")
_ANSWER = struct.Struct("=QqiI")
_NAMES = {number: name for name, number in NR.items()}
_HOSTILE = names_of(HOSTILE)
_EXECS = names_of("execve execveat")
_FORKS = names_of("clone fork vfork")
_SIGNALS = names_of("kill tgkill")
_TGKILL = NR["tgkill"]
_DENIED_MAX = 1000
_IGNORED_BY_DEFAULT = (signal.SIGCHLD, signal.SIGURG, signal.SIGWINCH, signal.SIGCONT)
_STOPS = (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)


@dataclass(slots=True)
class Calls:
    """What a run may do beyond its filter: `execs` left to make; `template` is the process that may fork."""

    execs: int = 0
    template: int = 0


class Listener:
    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.alive = True

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
            self.alive = False

    def answer(self, run: Run, event: int) -> None:
        if not event & select.POLLIN:
            self.alive = False
            return
        notice = bytearray(_NOTICE.size)
        try:
            fcntl.ioctl(self.fd, _RECEIVE, notice, True)
        except OSError:  # the caller was killed meanwhile
            return
        call, pid, _, number, _, _, *arguments = _NOTICE.unpack(notice)
        go_on = _decide(run, number, pid, arguments)
        answer = _ANSWER.pack(call, 0, 0 if go_on else -errno.EPERM, _CONTINUE if go_on else 0)
        with contextlib.suppress(OSError):
            fcntl.ioctl(self.fd, _SEND, bytearray(answer), True)


def _decide(run: Run, number: int, pid: int, arguments: list[int]) -> bool:
    """Whether the kernel should carry the call out. All that is decided on are register values, which cannot
    change."""
    if number in _EXECS and run.calls.execs > 0:
        run.calls.execs -= 1
        return True
    if number in _FORKS and pid == run.calls.template:
        return True  # the template, which runs nothing of the program
    name = _NAMES.get(number, str(number))
    if number in _HOSTILE:
        run.outcome.hostile = name
        run.kill(Kill.HOSTILE)
        return False
    if number in _SIGNALS:
        target, what = arguments[0], arguments[2 if number == _TGKILL else 1]
        decided = _signal(run, pid, target & 0xFFFFFFFF, what & 0xFFFFFFFF)
        if decided is not None:
            return decided
    run.outcome.denied[name] = run.outcome.denied.get(name, 0) + 1
    if sum(run.outcome.denied.values()) >= _DENIED_MAX:
        run.outcome.hostile = name
        run.kill(Kill.HOSTILE)
    return False


def _signal(run: Run, pid: int, target: int, number: int) -> bool | None:
    """A signal to itself does what it would do to an ordinary process. None: it is meant for someone else.

    The program may be process 1 of its namespace, for which the kernel drops signals without a handler; a
    fatal one is carried out from here instead.
    """
    try:
        with open(f"/proc/{pid}/status") as file:
            state = dict(line.split(":", 1) for line in file.read().splitlines() if ":" in line)
        if int(state["NStgid"].split()[-1]) != target:
            return None
        handled = int(state["SigCgt"], 16) | int(state["SigIgn"], 16) | int(state["SigBlk"], 16)
    except (OSError, KeyError, ValueError):
        return None
    if not 0 < number <= 64 or number in _IGNORED_BY_DEFAULT:
        return True
    unblockable = number in (signal.SIGKILL, signal.SIGSTOP)
    if handled >> (number - 1) & 1 and not unblockable:
        return True
    if number in _STOPS:
        run.send_signal(signal.SIGSTOP)
        return True
    run.outcome.own_signal = number
    run.kill(Kill.SELF)
    return False
