"""Many tests of one program: a sandbox per program, a fork per test inside it (see `jail.template`)."""

from __future__ import annotations

import os
import socket
from types import TracebackType
from typing import Self

from . import memfiles
from .errors import SlotLost
from .jail import template
from .jail.spec import Role, send
from .listener import Calls
from .outcome import Outcome
from .single import Python, bounds_of, collect, python_order, was_compiled
from .slot import Slot, receive_record
from .task import Limits
from .watch import Run, dispatch, step


class Template:
    """Compiles at once. `failure` holds the outcome when that ended badly; otherwise `run` may be called."""

    def __init__(
        self, slot: Slot, source: bytes, limits: Limits, how: Python, role: Role, entry: str = ""
    ) -> None:
        self._slot = slot
        self._limits = limits
        order = python_order(slot, role=Role.TEMPLATE, limits=limits, how=how, entry=entry, cpu=0, drive=role)
        self._run = Run(order.number, bounds_of(limits, limits.compile_s), Calls())
        self._private, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._private.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._open = True
        self._tests = 0
        code, null, err = (
            memfiles.sealed(source),
            os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC),
            memfiles.empty(),
        )
        with memfiles.closing(code, null, err):
            try:
                slot.send(order, [null, null, err, code, theirs.fileno()])
            finally:
                theirs.close()
            while not (self._run.ready or self._run.finished):
                self._step([self._run])
            self._run.outcome.compiled = was_compiled(code)
        self.failure: Outcome | None = self._run.outcome if self._run.finished else None
        self._run.unlimited = True

    def _step(self, runs: list[Run]) -> None:
        """The template's own end is told on the slot's channel; that its socket closed first says nothing
        new."""
        private = (self._private.fileno(),) if self._open else ()
        if step([self._slot.channel], runs, private):
            try:
                record = receive_record(self._private)
            except SlotLost:
                self._open = False
            else:
                dispatch(record, runs)

    def run(self, stdin: int, extra: tuple[int, ...] = ()) -> Outcome:
        """One test in a fork; `stdin` is a descriptor at its start."""
        self._tests += 1
        number = self._tests << 20 | self._run.number & 0xFFFFF
        run = Run(number, bounds_of(self._limits), Calls(template=self._run.pid))
        self._run.blame = run
        if self._run.listener is not None:
            run.asks.append(self._run.listener.fd)
        out, err = memfiles.empty(), memfiles.empty()
        with memfiles.closing(out, err):
            try:
                order = template.TEST.pack(number, int(self._limits.cpu_s) + 2)
                send(self._private, order, [stdin, out, err, *extra])
            except OSError as error:
                raise SlotLost(f"the template is gone: {error.strerror}") from None
            while not run.finished:
                self._step([self._run, run])
                if self._run.finished and not run.finished:
                    run.close()
                    raise SlotLost("the template ended during a test")
            collect(run.outcome, out, err, run.bounds.output)
        return run.outcome

    def close(self) -> None:
        """The template ends when its socket does; its last record must not meet the next order."""
        self._private.close()
        while not self._run.finished:
            step([self._slot.channel], [self._run])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, SlotLost):
            self._private.close()
            self._run.close()
        else:
            self.close()
