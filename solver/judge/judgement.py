"""One program judged on one task in one slot: chooses how the tests are run, and runs them in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

from .batch import Template
from .checkers import AssertChecker, InteractiveChecker, ProgramChecker
from .jail.pyrun import pack_source
from .jail.spec import Role
from .outcome import Bounds, Outcome
from .profiles import Profile
from .report import TestResult, clip
from .ruling import Answer, result_of
from .single import Single, bounds_of
from .slot import Slot
from .stdio import Runner, judge_tests
from .task import Program, StdioTest, Task
from .verdict import Verdict


class Judgement:
    def __init__(
        self,
        slot: Slot,
        program: Program,
        task: Task,
        profile: Profile,
        stop: bool,
        tell: Callable[[TestResult], None],
    ) -> None:
        self._slot = slot
        self._program = program
        self._task = task
        self._profile = profile
        self._stop = stop
        self._tell = tell
        self._limits = task.limits if profile.cpu_s is None else replace(task.limits, cpu_s=profile.cpu_s)
        self.compiler_output = ""
        self.flags: list[str] = []

    def run(self) -> Iterator[TestResult]:
        with ExitStack() as stack:
            for result in self._results(stack):
                self._tell(result)
                yield result
                if result.verdict is Verdict.CE or (self._stop and result.verdict is not Verdict.AC):
                    return

    def _results(self, stack: ExitStack) -> Iterator[TestResult]:
        tests = tuple(test for test in self._task.tests if isinstance(test, StdioTest))
        checker = self._profile.choose(self._task.checker)
        if isinstance(checker, ProgramChecker | InteractiveChecker | AssertChecker):
            raise NotImplementedError
        runner = self._python_runner(stack, len(tests))
        if isinstance(runner, Outcome):
            yield self._failed(runner)
            return
        yield from judge_tests(runner, tests, checker, self._profile, self._bounds)

    @property
    def _bounds(self) -> Bounds:
        return bounds_of(self._limits)

    @property
    def _source(self) -> bytes:
        encode = ("utf-8", "surrogateescape")
        return pack_source(self._task.preamble.encode(*encode), self._program.source.encode(*encode))

    def _python_runner(self, stack: ExitStack, tests: int, role: Role = Role.PYTHON) -> Runner | Outcome:
        """An Outcome when the program did not compile."""
        how, entry = self._profile.python, self._task.entry_point or ""
        if tests < 2 or self._limits.scratch_mb:
            return Single(self._slot, self._source, self._limits, how, role, entry)
        template = stack.enter_context(Template(self._slot, self._source, self._limits, how, role, entry))
        return template if template.failure is None else template.failure

    def _failed(self, outcome: Outcome) -> TestResult:
        result = result_of(0, outcome, self._bounds, self._profile, lambda _: Answer(Verdict.IE, "it did not run"))
        if outcome.compile_error:
            self.compiler_output = clip(outcome.compile_error)
        return result


