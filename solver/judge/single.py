"""One run of one program in one sandbox: orders it, watches it, gathers what it left."""

from __future__ import annotations

import os
from dataclasses import dataclass

from . import memfiles
from .jail.spec import Order, Role
from .listener import Calls
from .outcome import Bounds, Outcome
from .slot import Slot
from .task import Limits
from .watch import Run, watch

# Address space beyond the memory limit: reservations that are never touched (thread stacks, arenas) are no
# use of memory. What is touched is counted by the watch and by the kernel's peak.
SLACK = 512 << 20


def bounds_of(limits: Limits, cpu_s: float | None = None) -> Bounds:
    return Bounds(
        cpu_s=limits.cpu_s if cpu_s is None else cpu_s,
        idle_s=limits.idle_s,
        memory=limits.memory_mb << 20,
        output=limits.output_kb << 10,
    )


@dataclass(frozen=True, slots=True)
class Python:
    """How the interpreter runs a program: `optimize` 2 strips asserts; `exits` leaves `exit` and `quit` in
    place."""

    optimize: int = 0
    exits: bool = True


def python_order(
    slot: Slot,
    role: Role,
    limits: Limits,
    how: Python,
    *,
    entry: str = "",
    cpu: int | None = None,
    drive: Role | None = None,
) -> Order:
    """`cpu` 0 sets no bound in the kernel; `drive` is what a template's tests do."""
    return Order(
        number=slot.next_number(),
        role=role,
        cpu=int(limits.cpu_s) + 2 if cpu is None else cpu,
        memory=(limits.memory_mb << 20) + SLACK,
        output=limits.output_kb << 10,
        scratch=limits.scratch_mb << 20,
        optimize=how.optimize,
        exits=how.exits,
        entry=entry,
        drive=drive,
    )


class Single:
    """A fresh sandbox per run; `source` as `pyrun.pack_source` made it."""

    def __init__(
        self,
        slot: Slot,
        source: bytes,
        limits: Limits,
        how: Python,
        role: Role = Role.PYTHON,
        entry: str = "",
    ) -> None:
        self._slot = slot
        self._source = source
        self._limits = limits
        self._how = how
        self._role = role
        self._entry = entry

    def run(self, stdin: int, extra: tuple[int, ...] = ()) -> Outcome:
        order = python_order(self._slot, self._role, self._limits, self._how, entry=self._entry)
        run = Run(order.number, bounds_of(self._limits), Calls())
        code, out, err = memfiles.sealed(self._source), memfiles.empty(), memfiles.empty()
        with memfiles.closing(code, out, err):
            self._slot.send(order, [stdin, out, err, code, *extra])
            watch(self._slot, [run])
            collect(run.outcome, out, err, order.output)
            run.outcome.compiled = was_compiled(code)
        return run.outcome


def run_python(slot: Slot, source: bytes, stdin: bytes, limits: Limits, how: Python) -> Outcome:
    given = memfiles.sealed(stdin)
    with memfiles.closing(given):
        return Single(slot, source, limits, how).run(given)


def collect(outcome: Outcome, out: int, err: int, limit: int) -> None:
    outcome.stdout, outcome.stdout_size = memfiles.contents(out, limit)
    outcome.stderr, outcome.stderr_size = memfiles.contents(err, limit)


def was_compiled(code: int) -> bool:
    """The child shares our descriptor's offset: it stands at the end after reading and goes back to 0 once
    compiled."""
    return os.lseek(code, 0, os.SEEK_CUR) == 0
