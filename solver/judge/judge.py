"""The judge: takes a program and a task, gives a report.

Thread-safe: each judgement holds one slot while it lasts. A sandbox that fails is replaced and the judgement
made once more; a second failure is reported as IE, which says nothing about the program.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from . import machine
from .compiled import BuildCache
from .errors import SandboxUnavailable, SlotLost
from .judgement import Judgement
from .languages import LANGUAGES
from .machine import Isolation
from .pool import Pool, SlotKind
from .profiles import Profile, profile_named
from .programs import needs_native
from .report import Environment, Report, TestResult
from .slot import base_python
from .task import Program, Task
from .verdict import Level, Verdict

Job = tuple[Program, Task]


class Judge:
    """`slots`: sandboxes at once, one per processor by default. `level` asks for a lower level than the
    machine offers, for tests. `packages`: directories of further Python packages that programs may import."""

    def __init__(
        self,
        *,
        slots: int | None = None,
        min_level: Level = Level.L1,
        level: Level | None = None,
        python: str | None = None,
        packages: tuple[str, ...] = (),
    ) -> None:
        if slots is not None and slots < 1:
            raise ValueError(f"slots is {slots}: give 1 or more")
        self.slots = slots or len(os.sched_getaffinity(0))
        self._min_level = min_level
        self._level = level
        self._python = os.path.realpath(python) if python else base_python()
        self._packages = packages
        self._lock = threading.Lock()
        self._pool: Pool | None = None
        self._isolation: Isolation | None = None
        self._threads: ThreadPoolExecutor | None = None
        self._builds = BuildCache()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def isolation(self) -> Isolation:
        self._ready()
        assert self._isolation is not None
        return self._isolation

    def _ready(self) -> Pool:
        with self._lock:
            if self._pool is None:
                isolation, slot = machine.settle(self._python, self._level, self._packages)
                if isolation.level < self._min_level:
                    slot.close()
                    raise SandboxUnavailable(
                        f"this machine offers {isolation.level.value}, {self._min_level.value} is the floor: "
                        + "; ".join(isolation.reasons)
                    )
                self._isolation = isolation
                self._pool = Pool(self._python, isolation, self.slots, self._packages, slot)
            return self._pool

    def judge(
        self,
        program: Program,
        task: Task,
        *,
        profile: str = "strict",
        stop_on_first_failure: bool = False,
        most_time_outs: int | None = None,
        on_result: Callable[[TestResult], None] | None = None,
    ) -> Report:
        """After `most_time_outs` the remaining tests are not run, which a flag says; the verdict is the same, `passed` the
        least it can be.

        `on_result` hears each test as it is decided, in order; a test judged again after a lost sandbox
        once only."""
        rules = profile_named(profile)
        if program.language not in LANGUAGES:
            raise ValueError(f"unknown language {program.language!r}: give one of {', '.join(LANGUAGES)}")
        pool = self._ready()
        machine.require_language(program.language, self.isolation)
        if task.limits.scratch_mb and "namespaces" not in self.isolation.layers:
            raise SandboxUnavailable(
                f"a scratch directory takes a mount namespace, and this machine offers {self.isolation.level.value}: "
                + "; ".join(self.isolation.reasons)
            )
        told: list[TestResult] = []
        held: list[TestResult] = []

        def tell(result: TestResult) -> None:
            if len(told) <= result.index:
                told.append(result)
                if on_result is not None:
                    on_result(result)

        def tell_or_hold(result: TestResult) -> None:
            if held or result.verdict is Verdict.IE:  # a second attempt may decide it
                held.append(result)
            else:
                tell(result)

        ends = (stop_on_first_failure, most_time_outs)
        report = self._attempt(pool, program, task, rules, ends, tell_or_hold)
        if report.verdict is Verdict.IE:
            return self._attempt(pool, program, task, rules, ends, tell)
        for result in held:
            tell(result)
        return report

    def _attempt(
        self,
        pool: Pool,
        program: Program,
        task: Task,
        profile: Profile,
        ends: tuple[bool, int | None],
        tell: Callable[[TestResult], None],
    ) -> Report:
        kind = SlotKind.NATIVE if needs_native(program, task.checker) else SlotKind.PYTHON
        try:
            with pool.slot(kind) as slot:
                judgement = Judgement(slot, program, task, profile, *ends, tell, self._builds)
                return self._report(judgement, program, task, profile)
        except SlotLost as error:
            lost = TestResult(0, Verdict.IE, str(error))
            return Report(
                Verdict.IE,
                (lost,),
                0,
                len(task.tests),
                program.language,
                self._environment(profile),
                reason=str(error),
            )

    def _report(self, judgement: Judgement, program: Program, task: Task, profile: Profile) -> Report:
        results = tuple(judgement.run())
        passed = sum(result.verdict is Verdict.AC for result in results)
        failed = next((result for result in results if result.verdict is not Verdict.AC), None)
        return Report(
            verdict=failed.verdict if failed else Verdict.AC,
            results=results,
            passed=passed,
            total=len(task.tests),
            language=program.language,
            environment=self._environment(profile),
            compiler_output=judgement.compiler_output,
            reason=failed.reason if failed else "",
            flags=tuple(judgement.flags),
        )

    def _environment(self, profile: Profile) -> Environment:
        isolation = self.isolation
        return Environment(
            level=isolation.level,
            reasons=isolation.reasons,
            kernel=machine.kernel_name(),
            interpreter=self._python,
            interpreter_hash=machine.digest_of(self._python),
            policy=machine.policy_digest(),
            profile=profile.name,
            judge_version=machine.VERSION,
            load=round(os.getloadavg()[0], 2),
        )

    def _executor(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._threads is None:
                self._threads = ThreadPoolExecutor(self.slots, thread_name_prefix="judge")
            return self._threads

    def judge_many(
        self, jobs: Iterable[Job], *, profile: str = "strict", stop_on_first_failure: bool = False
    ) -> Iterator[Report]:
        """Reports in the order of the jobs, with every slot busy; jobs are drawn a few ahead of what is
        reported."""
        self._ready()
        executor = self._executor()
        waiting: list[Future[Report]] = []
        for program, task in jobs:
            waiting.append(
                executor.submit(
                    self.judge, program, task, profile=profile, stop_on_first_failure=stop_on_first_failure
                )
            )
            while len(waiting) >= 4 * self.slots:
                yield waiting.pop(0).result()
        for future in waiting:
            yield future.result()

    async def ajudge(
        self,
        program: Program,
        task: Task,
        *,
        profile: str = "strict",
        stop_on_first_failure: bool = False,
        on_result: Callable[[TestResult], None] | None = None,
    ) -> Report:
        """As `judge`; `on_result` is called in another thread."""

        def work() -> Report:
            return self.judge(
                program,
                task,
                profile=profile,
                stop_on_first_failure=stop_on_first_failure,
                on_result=on_result,
            )

        return await asyncio.get_running_loop().run_in_executor(self._executor(), work)

    def close(self) -> None:
        """Ends every sandbox; judgements under way end as IE. The judge cannot be used again."""
        with self._lock:
            pool, threads = self._pool, self._threads
            self._threads = None
        if pool is not None:
            pool.close()
        if threads is not None:
            threads.shutdown(wait=True, cancel_futures=True)
