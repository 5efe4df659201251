"""Watches runs while they last: CPU, idleness and memory against their limits, and the calls they may not
make.

Time limits are on CPU. Idleness is wall time in which the program neither ran nor waited for a processor (the
scheduler's own account, and what the hypervisor took), so neither limit is used up by a busy machine. A late
look only ends a run later: the verdict comes from what the kernel counted, not from when the judge looked, and
a process that has ended is past every limit, however long its parent takes to say so. Nor is a program idle while it
waits for an answer of the judge's own or for a partner that has yet to start.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import time

from . import steal
from .errors import SlotLost
from .jail.spec import Tag, Usage
from .listener import Calls, Listener
from .outcome import Bounds, Kill, Outcome
from .slot import Record, Slot, receive_record

_CPUS = len(os.sched_getaffinity(0))
_PAGE = os.sysconf("SC_PAGESIZE")
_MEMORY_PERIOD = 0.015
_FIRST_LOOK = 0.015
_LOOK_PERIOD = 0.016  # no look at a live run is due later than that
_STARVED_FACTOR = 60.0
_KILL_GRACE = 30.0
_DELAY_PERIOD = 0.25
_LAST_LOOKS = 10  # records wait one behind the other, and each look takes one


class Run:
    """One process under watch.

    `shim`: its program runs below an init, whose record ENDED counts. `tree`: it forks (a compiler), so its
    whole tree is counted. `unlimited`: it runs nothing of the program. `blame`: the run whose calls its
    listener hears. `asks`: descriptors beside its listener over which it asks the judge for something and waits.
    """

    def __init__(
        self, number: int, bounds: Bounds, calls: Calls, *, shim: bool = False, tree: bool = False
    ) -> None:
        self.number = number
        self.bounds = bounds
        self.calls = calls
        self.shim = shim
        self.tree = tree
        self.outcome = Outcome()
        self.pid = 0
        self.pidfd = -1
        self.listener: Listener | None = None
        self.finished = False
        self.program_ended = False
        self.ready = False
        self.unlimited = False
        self.blame: Run | None = None
        self.partners: list[Run] = []
        self.asks: list[int] = []
        self.cpu_base = 0.0
        self._started = time.monotonic()
        self._next_memory = 0.0
        self._kill_time = 0.0
        self._delays: dict[str, float] = {}
        self._delay_base = 0.0
        self._delays_read = self._started
        self._cpu_seen = 0.0
        self._ended_at = 0.0
        self._overdue = 0
        self._idle_from = self._started
        self._answers = 0.0
        self._unasked_at = self._started
        self._steal = steal.now()

    def __repr__(self) -> str:
        return f"Run({self.number}, pid={self.pid}, finished={self.finished})"

    # --- records

    def take(self, record: Record) -> None:
        match record.tag:
            case Tag.HELLO:
                self._hello(record)
            case Tag.CODE:
                self.outcome.compile_error = record.body.decode("utf-8", "replace")
            case Tag.FAILED:
                self.outcome.failed = record.body.decode("utf-8", "replace")
                if self.pid == 0:
                    self._expect_exit_or_nothing(record)
            case Tag.ENDED:
                self._usage(Usage.unpack(record.body))
                self.program_ended = True
            case Tag.EXIT:
                self._exit(Usage.unpack(record.body))
            case Tag.READY:
                self.ready = True

    def _expect_exit_or_nothing(self, record: Record) -> None:
        if record.body.startswith((b"unshare", b"setns", b"fork")):
            self.finished = True  # no process was made, so none will report

    def _hello(self, record: Record) -> None:
        self.pid = record.pid
        self.pidfd = record.descriptors[0]
        self._started = self._idle_from = self._unasked_at = time.monotonic()
        self._answers = 0.0
        if len(record.descriptors) > 1:
            self.listener = Listener(record.descriptors[1])
        for partner in self.partners:  # until now it had nobody to talk to
            partner._idle_from = self._started

    def _exit(self, usage: Usage) -> None:
        if not self.shim:
            self._usage(usage)
        elif not self.program_ended and self.outcome.failed is None:
            self.outcome.failed = f"the init ended with status {usage.status}"
        if self.pid == 0 and self.outcome.failed is None and self.outcome.compile_error is None:
            self.outcome.failed = f"the sandbox ended while it was set up, status {usage.status}"
        self.finished = True
        self.close()

    def _usage(self, usage: Usage) -> None:
        self.outcome.exit_code = os.waitstatus_to_exitcode(usage.status)
        self.outcome.cpu_s = max(usage.cpu_s - self.cpu_base, 0.0)
        self.outcome.peak = usage.peak_kb << 10
        self.outcome.wall_s = time.monotonic() - self._started

    def close(self) -> None:
        if self.pidfd >= 0:
            os.close(self.pidfd)
            self.pidfd = -1
        if self.listener is not None:
            self.listener.close()
            self.listener = None

    # --- limits

    def check(self, now: float) -> float:
        """Enforce the limits; returns seconds until the next look is due."""
        if self.pid == 0 or self.finished or self.program_ended or self.unlimited:
            return _KILL_GRACE
        if self.outcome.killed is not None:
            return self._await_end(now - self._kill_time, "a killed run did not end")
        if self.has_ended():
            self._ended_at = self._ended_at or now
            return self._await_end(now - self._ended_at, "nothing said how a run ended")
        cpu = self._cpu()
        if cpu > self.bounds.cpu_s:
            self.kill(Kill.CPU)
            return _KILL_GRACE
        if self.tree and cpu > self._cpu_seen:
            # What its many short processes waited for is lost with them: idle is what does nothing at a stretch.
            self._cpu_seen, self._idle_from = cpu, now
        wall = now - self._started
        delay = min((self.bounds.cpu_s - cpu) / _CPUS + 0.001, 1.0)
        if wall >= _FIRST_LOOK:
            if now >= self._next_memory:
                self._next_memory = now + _MEMORY_PERIOD
                if self._resident() > self.bounds.memory:
                    self.kill(Kill.MEMORY)
                    return _KILL_GRACE
            delay = min(delay, _MEMORY_PERIOD)
        else:
            delay = min(delay, _FIRST_LOOK - wall + 0.001)
        if wall - cpu > self.bounds.idle_s:
            self._check_idle(now, wall, cpu)
        return delay

    def _await_end(self, late: float, what: str) -> float:
        """Its last record may have come while the judge itself had no processor, and is read after this look."""
        if late <= _KILL_GRACE:
            return _KILL_GRACE
        self._overdue += 1
        if self._overdue > _LAST_LOOKS:
            raise SlotLost(what)
        return 0.1

    def _check_idle(self, now: float, wall: float, cpu: float) -> None:
        # The scheduler counts a wait when it is over. So first who waits or runs now, then the waits that are over.
        if not self._idle(now, cpu) or any(run.is_held_up() for run in (self, *self.partners)):
            if wall > _STARVED_FACTOR * (self.bounds.cpu_s + self.bounds.idle_s):
                self.kill(Kill.STARVED)
        elif self._idle(now, cpu) and not self.has_ended():
            self.kill(Kill.IDLE)

    def _idle(self, now: float, cpu: float) -> bool:
        busy = cpu + self.waited() + self._answers + sum(partner.busy() for partner in self.partners)
        return now - self._idle_from - busy - steal.since(self._steal) > self.bounds.idle_s

    def is_held_up(self) -> bool:
        """Whether it is being started, or a thread of it runs now, is ready to, or waits for an answer of the judge."""
        if self.finished:
            return False
        if self.pid == 0:
            return True
        return any(_is_runnable(path) for path in self._threads()) or self._asks_now()

    def _asks_now(self) -> bool:
        asked = select.poll()
        for fd in (*self.asks, self.listener.fd if self.listener is not None else -1):
            if fd >= 0:
                asked.register(fd, select.POLLIN)
        return any(event & select.POLLIN for _, event in asked.poll(0))

    def asked_nothing(self, moment: float) -> None:
        """At that moment it did not wait for an answer of the judge."""
        self._unasked_at = moment

    def was_answered(self) -> None:
        """The wait for the judge ends now. When it began nobody knows: at the earliest when it had asked nothing yet.
        A judge that looks in time is not waited for, or who asks often could sleep in between."""
        now = time.monotonic()
        self._answers += max(now - max(self._unasked_at, self._idle_from) - _LOOK_PERIOD, 0.0)
        self._unasked_at = now

    def has_ended(self) -> bool:
        """Whether it is dead, perhaps reaped as well, though nothing has been heard of its end."""
        if self.pidfd < 0:
            return False
        ended = select.poll()
        ended.register(self.pidfd, select.POLLIN)
        return bool(ended.poll(0))

    def busy(self) -> float:
        """Seconds since its limits started in which it ran, was ready to or waited for the judge."""
        if self.finished:
            return self.outcome.cpu_s + self._answers + sum(self._delays.values()) - self._delay_base
        return self._cpu() + self._answers + self.waited() if self.pid else 0.0

    def kill(self, why: Kill) -> None:
        if self.outcome.killed is None:
            self.outcome.killed = why
            self._kill_time = time.monotonic()
        self.send_signal(signal.SIGKILL)

    def send_signal(self, number: int) -> None:
        if self.pidfd >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.pidfd, number)

    def rebase(self) -> None:
        """A new test begins in the same process: its limits start afresh."""
        if self.finished or self.pid == 0:
            return
        self.cpu_base = self._cpu_total()
        now = self._started = self._idle_from = self._unasked_at = time.monotonic()
        self._answers = 0.0
        # Reading the scheduler's account costs more than a short test. Between readings the waits of earlier tests
        # count for this one too: that errs towards patience, by less than the period.
        if now - self._delays_read >= _DELAY_PERIOD:
            self._delays_read = now
            self._delays.clear()
            self._delay_base = 0.0
            self._delay_base = self.waited()
        self._steal = steal.now()

    def cpu_used(self) -> float:
        """CPU seconds of the process so far, whatever test they were used for."""
        if self.finished:
            return self.outcome.cpu_s + self.cpu_base
        return self._cpu_total()

    def _cpu(self) -> float:
        return self._cpu_total() - self.cpu_base

    def _cpu_total(self) -> float:
        if self.pid == 0:  # to the kernel that would mean our own clock
            return 0.0
        if self.tree:
            return _tree_cpu(self.pid)
        with contextlib.suppress(OSError):  # reaped: what it had used stays used
            self._cpu_seen = time.clock_gettime((~self.pid << 3) | 2)
        return self._cpu_seen

    def _resident(self) -> int:
        pids = _tree(self.pid) if self.tree else [self.pid]
        return sum(_resident(pid) for pid in pids)

    def waited(self) -> float:
        """Seconds its threads were ready to run and had no processor; threads that ended keep their share."""
        for path in self._threads():
            with contextlib.suppress(OSError, IndexError, ValueError), open(f"{path}/schedstat") as file:
                self._delays[path] = int(file.read().split()[1]) / 1e9
        return sum(self._delays.values()) - self._delay_base

    def _threads(self) -> list[str]:
        found = []
        for pid in _tree(self.pid) if self.tree else [self.pid]:
            folder = f"/proc/{pid}/task"
            with contextlib.suppress(OSError):
                found += [f"{folder}/{thread}" for thread in os.listdir(folder)]
        return found


def watch(slot: Slot, runs: list[Run]) -> None:
    """Until every run has finished."""
    while not all(run.finished for run in runs):
        step([slot.channel], runs)


def step(channels: list[socket.socket], runs: list[Run], others: tuple[int, ...] = ()) -> list[int]:
    """Wait once for records, refused calls or the next limit; returns those of `others` that are ready."""
    poll = select.poll()
    sources = {channel.fileno(): channel for channel in channels}
    listeners: dict[int, Run] = {}
    now = time.monotonic()
    timeout = 5.0
    for run in runs:
        if run.finished:
            continue
        timeout = min(timeout, run.check(now))
        if run.listener is not None and run.listener.alive:
            listeners[run.listener.fd] = run
    for fd in (*sources, *listeners, *others):
        poll.register(fd, select.POLLIN)
    ready: list[int] = []
    events = poll.poll(max(timeout, 0.0) * 1000)
    heard = {fd for fd, _ in events}
    for fd, run in listeners.items():
        if fd not in heard:
            (run.blame or run).asked_nothing(now)
    for fd, event in events:
        if fd in sources:
            dispatch(receive_record(sources[fd]), runs)
        elif fd in listeners:
            run = listeners[fd]
            if run.listener is not None:
                run.listener.answer(run.blame or run, event)
                (run.blame or run).was_answered()
        else:
            ready.append(fd)
    return ready


def dispatch(record: Record, runs: list[Run]) -> None:
    for run in runs:
        if run.number == record.number:
            run.take(record)
            return
    for fd in record.descriptors:
        os.close(fd)


def _resident(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm") as file:
            return int(file.read().split()[1]) * _PAGE
    except (OSError, IndexError, ValueError):
        return 0


def _is_runnable(thread: str) -> bool:
    try:
        with open(f"{thread}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] == b"R"
    except (OSError, IndexError):
        return False


def _tree(pid: int) -> list[int]:
    found: list[int] = []
    todo = [pid]
    while todo and len(found) < 1000:
        current = todo.pop()
        found.append(current)
        try:
            for thread in os.listdir(f"/proc/{current}/task"):
                with open(f"/proc/{current}/task/{thread}/children") as file:
                    todo += [int(word) for word in file.read().split()]
        except (OSError, ValueError):
            continue
    return found


_TICK = os.sysconf("SC_CLK_TCK")


def _tree_cpu(pid: int) -> float:
    """Of the live processes and of the children they have waited for."""
    total = 0
    for member in _tree(pid):
        try:
            with open(f"/proc/{member}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
            total += sum(int(value) for value in fields[11:15])
        except (OSError, ValueError):
            continue
    return total / _TICK
