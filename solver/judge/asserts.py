"""Function tests by asserts: the program in one sandbox, the hidden tests in another, two pipes between them.

The tests' process runs them one after another against one process of the program, as the harnesses of these
data sets do, but only arguments and results cross. Limits are a test's, not the sum's. When the program's
process ends during a test, that test gets what ended it and the rest meet a fresh process.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from . import memfiles
from .errors import SlotLost
from .jail.client import TestEnd
from .jail.spec import Role
from .listener import Calls
from .outcome import Bounds, Kill, Outcome, rule
from .profiles import Profile
from .report import TestResult, clip
from .ruling import Answer, result_of
from .single import Python, bounds_of, collect, python_order, was_compiled
from .slot import Slot
from .task import AssertTest, Limits, Task
from .verdict import Verdict
from .watch import Run, step

_EVENT_MAX = 1 << 20
# Where program and tests share a process, the program can write here too: whatever it writes is no error of ours.
_NO_EVENT = (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError)
_TESTS_SLOWER = 4.0  # the tests' own work per test, against the program's limit
_END_GRACE = 1.0


@dataclass(slots=True)
class Ended:
    """One test as the tests' process reported it, with the program's CPU seconds during it."""

    index: int
    how: TestEnd
    detail: str
    cpu_s: float
    wall_s: float


@dataclass(slots=True)
class Session:
    """What one pair of processes got through. `loaded` False: the program ended before any test began."""

    loaded: bool = False
    ended: list[Ended] = field(default_factory=list)
    current: int | None = None
    program: Outcome = field(default_factory=Outcome)
    tests: Outcome = field(default_factory=Outcome)


def judge_asserts(
    slot: Slot, source: bytes, task: Task, limits: Limits, profile: Profile
) -> Iterator[tuple[TestResult, Outcome]]:
    """Results in order, each with the outcome of the program's process."""
    todo = [(index, test.code) for index, test in enumerate(task.tests) if isinstance(test, AssertTest)]
    bounds = bounds_of(limits)
    while todo:
        session = _Oracle(slot, source, task, limits, profile).run(todo)
        results = list(_results(session, todo, bounds, profile))
        yield from ((result, session.program) for result in results)
        if results and results[-1].verdict is Verdict.CE:
            return
        todo = todo[len(results) :]


def _results(
    session: Session, todo: list[tuple[int, str]], bounds: Bounds, profile: Profile
) -> Iterator[TestResult]:
    """At least one for every session, so that a program that dies each time still comes to an end."""
    ruling = rule(session.program, bounds)
    for ended in session.ended:
        if ended.how in (TestEnd.GONE, TestEnd.FOREIGN) and ended.index == session.current:
            break
        yield _result(ended.index, session, bounds, profile, ended)
    done = {ended.index for ended in session.ended if ended.index != session.current}
    left = [index for index, _ in todo if index not in done]
    if not left:
        return
    if not session.loaded and ruling.verdict is not Verdict.CE:
        for index in left:  # it would end the same way before every test
            yield _broken_off(index, session, bounds, profile)
    else:
        yield _broken_off(left[0], session, bounds, profile)


def _result(index: int, session: Session, bounds: Bounds, profile: Profile, ended: Ended) -> TestResult:
    outcome = replace(
        session.program, cpu_s=ended.cpu_s, wall_s=ended.wall_s, exit_code=0, killed=None, own_signal=0
    )
    answer = _ANSWERS[ended.how](ended.detail)
    if not profile.split_oracle:
        answer = replace(answer, flags=(*answer.flags, "oracle=in_process"))
    return result_of(index, outcome, bounds, profile, lambda _: answer)


_ANSWERS: dict[TestEnd, Any] = {
    TestEnd.PASSED: lambda _: Answer(Verdict.AC),
    TestEnd.FAILED: lambda detail: Answer(Verdict.WA, "assertion", expected=clip(detail)),
    TestEnd.REMOTE: lambda detail: Answer(
        Verdict.MLE if detail.startswith("MemoryError") else Verdict.RE, clip(detail, 200)
    ),
    TestEnd.UNDEFINED: lambda detail: Answer(Verdict.RE, f"NameError: {clip(detail, 200)}"),
    TestEnd.FOREIGN: lambda detail: Answer(
        Verdict.WA, f"not a value: {clip(detail, 200)}", flags=("foreign_value",)
    ),
    TestEnd.ODD: lambda detail: Answer(Verdict.WA, clip(detail, 200)),
    TestEnd.BROKEN: lambda detail: Answer(Verdict.IE, f"the test is not valid: {clip(detail, 200)}"),
    TestEnd.GONE: lambda _: Answer(Verdict.RE, "ended before it answered"),
}


def _broken_off(index: int, session: Session, bounds: Bounds, profile: Profile) -> TestResult:
    """A test that no end was reported for: what ended the program's process decides, else what ended the
    tests'."""
    reported = next((ended for ended in session.ended if ended.index == index), None)
    outcome = session.program
    if reported is not None and reported.how is TestEnd.FOREIGN and outcome.exit_code in (0, -9):
        return _result(index, session, bounds, profile, reported)

    def decide(_: Outcome) -> Answer:
        if session.tests.killed in (Kill.CPU, Kill.IDLE):
            return Answer(Verdict.TLE, session.tests.killed.value, flags=("in_tests",))
        if session.tests.failed is not None or (profile.split_oracle and session.loaded and reported is None):
            return Answer(Verdict.IE, session.tests.failed or _last_error(session.tests))
        return Answer(Verdict.RE, "ended before it answered")

    if outcome.killed is Kill.CANCELLED:  # one that had ended by itself before keeps its own end
        ours = outcome.exit_code == -signal.SIGKILL
        outcome = replace(outcome, killed=None, exit_code=0 if ours else outcome.exit_code)
    return result_of(index, outcome, bounds, profile, decide)


def _last_error(tests: Outcome) -> str:
    lines = tests.stderr.decode("utf-8", "replace").strip().splitlines()
    return f"the tests' process ended: {lines[-1][:200] if lines else tests.exit_code}"


class _Oracle:
    def __init__(self, slot: Slot, source: bytes, task: Task, limits: Limits, profile: Profile) -> None:
        self._slot = slot
        self._source = source
        self._task = task
        self._limits = limits
        self._profile = profile
        self._session = Session()
        self._line = b""
        self._go_on = -1
        self._cpu_from = 0.0
        self._wall_from = 0.0

    def run(self, todo: list[tuple[int, str]]) -> Session:
        plan = {"preamble": self._task.preamble, "entry": self._task.entry_point or "", "tests": todo}
        document = json.dumps(plan).encode()
        with ExitStack() as stack:
            events, told = os.pipe2(os.O_CLOEXEC)
            awaited, self._go_on = os.pipe2(os.O_CLOEXEC)
            os.set_blocking(self._go_on, False)
            stack.enter_context(memfiles.closing(events, self._go_on))
            if self._profile.split_oracle:
                program, tests = self._split(document, told, awaited)
            else:
                program, tests = self._together(document, told, awaited), None
            (tests or program).asks.append(events)
            self._watch(program, tests, events)
            for run, files in ((program, self._program_files), (tests, self._tests_files)):
                if run is not None and files is not None:
                    collect(run.outcome, files[0], files[1], run.bounds.output)
                    run.outcome.compiled = files[2] < 0 or was_compiled(files[2])
        for files in (self._program_files, self._tests_files):
            for fd in files or ():
                if fd >= 0:
                    os.close(fd)
        self._session.program = program.outcome
        if tests is not None:
            self._session.tests = tests.outcome
        return self._session

    _program_files: tuple[int, int, int] | None = None
    _tests_files: tuple[int, int, int] | None = None

    def _split(self, document: bytes, told: int, awaited: int) -> tuple[Run, Run]:
        calls, calls_end = os.pipe2(os.O_CLOEXEC)
        answers, answers_end = os.pipe2(os.O_CLOEXEC)
        with memfiles.closing(calls, calls_end, answers, answers_end, told, awaited):
            program = self._start_program(Role.SOLUTION, [calls, answers_end])
            limits = replace(
                self._limits,
                cpu_s=min(self._limits.cpu_s * _TESTS_SLOWER, 3600),
                memory_mb=self._limits.memory_mb + 256,
            )
            order = python_order(self._slot, Role.TESTS, limits, Python(), cpu=0)
            tests = Run(order.number, bounds_of(limits), Calls())
            out, err = memfiles.empty(), memfiles.empty()
            self._tests_files = (out, err, -1)
            plan, null = memfiles.sealed(document), os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
            with memfiles.closing(plan, null):
                self._slot.send(order, [null, out, err, plan, answers, calls_end, told, awaited])
        program.partners.append(tests)
        tests.partners.append(program)
        return program, tests

    def _together(self, document: bytes, told: int, awaited: int) -> Run:
        plan = memfiles.sealed(document)
        with memfiles.closing(plan, told, awaited):
            return self._start_program(Role.CHECKED, [plan, told, awaited])

    def _start_program(self, role: Role, extra: list[int]) -> Run:
        order = python_order(
            self._slot, role, self._limits, self._profile.python, entry=self._task.entry_point or "", cpu=0
        )
        run = Run(order.number, bounds_of(self._limits), Calls())
        code, out, err = memfiles.sealed(self._source), memfiles.empty(), memfiles.empty()
        self._program_files = (out, err, code)
        null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        with memfiles.closing(null):
            self._slot.send(order, [null, out, err, code, *extra])
        return run

    def _watch(self, program: Run, tests: Run | None, events: int) -> None:
        runs = [program] if tests is None else [program, tests]
        listening = True
        deadline = 0.0
        while not all(run.finished for run in runs):
            ready = step([self._slot.channel], runs, (events,) if listening else ())
            if ready:
                listening = self._read(events, program, tests)
            if tests is None:
                continue
            if tests.finished and not program.finished:
                # The tests are over. The program gets a moment to end by itself, for its remarks on stderr.
                now = time.monotonic()
                deadline = deadline or now + _END_GRACE
                if (self._session.current is None or now > deadline) and not program.has_ended():
                    program.kill(Kill.CANCELLED)
            if program.finished and not tests.finished and program.outcome.failed is not None:
                tests.kill(Kill.CANCELLED)
        while listening:
            listening = self._read(events, program, tests)

    def _read(self, events: int, program: Run, tests: Run | None) -> bool:
        data = os.read(events, 1 << 16)
        if not data:
            return False
        self._line += data
        if len(self._line) > _EVENT_MAX:
            raise SlotLost("the tests' process sent an endless event")
        *lines, self._line = self._line.split(b"\n")
        for line in lines:
            with suppress(*_NO_EVENT):
                self._event(json.loads(line), program, tests)
        return True

    def _event(self, event: dict[str, Any], program: Run, tests: Run | None) -> None:
        if "load" in event:
            self._session.loaded = TestEnd(event["load"]) is TestEnd.PASSED
        elif "begin" in event:
            self._session.current = int(event["begin"])
            self._cpu_from, self._wall_from = program.cpu_used(), time.monotonic()
            for run in (program, tests):
                if run is not None:
                    run.rebase()
        elif "end" in event:
            how = TestEnd(event["how"])
            used = program.cpu_used() - self._cpu_from
            wall = time.monotonic() - self._wall_from
            self._session.ended.append(
                Ended(int(event["end"]), how, str(event["detail"]), max(used, 0.0), wall)
            )
            if how not in (TestEnd.GONE, TestEnd.FOREIGN):
                self._session.current = None
        elif "asks" in event:
            (tests or program).was_answered()
            # Nobody may read it any more, or a program that shares the process asked for too many.
            with suppress(OSError):
                os.write(self._go_on, b".")
