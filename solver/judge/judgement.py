"""One program judged on one task in one slot: chooses how the tests are run, and runs them in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

from .asserts import judge_asserts
from .batch import Template
from .calls import expected_texts, judge_calls, reads_stdin
from .checkers import AssertChecker, InteractiveChecker, ProgramChecker
from .compiled import BuildCache, Native, build
from .errors import LanguageUnavailable
from .jail.pyrun import pack_source
from .jail.spec import Role
from .languages import find_toolchain
from .outcome import Bounds, Outcome
from .profiles import Profile
from .programs import Author, Interaction, program_decider
from .report import TestResult, clip
from .ruling import Answer, result_of
from .single import Single, bounds_of
from .slot import Slot
from .stdio import Runner, judge_test, judge_tests
from .task import CallTest, Program, StdioTest, Task
from .verdict import Verdict


class Judgement:
    def __init__(
        self,
        slot: Slot,
        program: Program,
        task: Task,
        profile: Profile,
        stop: bool,
        most_time_outs: int | None,
        tell: Callable[[TestResult], None],
        cache: BuildCache,
    ) -> None:
        self._cache = cache
        self._slot = slot
        self._program = program
        self._task = task
        self._profile = profile
        self._stop = stop
        self._time_outs_left = most_time_outs
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
                if self._out_of_patience(result):
                    return

    def _out_of_patience(self, result: TestResult) -> bool:
        """After so many time-outs the verdict stands (it is that of the first failure); the rest is not run."""
        if self._time_outs_left is None or result.verdict is not Verdict.TLE:
            return False
        self._time_outs_left -= 1
        left = len(self._task.tests) - result.index - 1
        if self._time_outs_left > 0 or not left:
            return False
        self.flags.append(f"stopped_at_time_outs={left} tests not run")
        return True

    def _results(self, stack: ExitStack) -> Iterator[TestResult]:
        match self._task.kind:
            case "assert":
                return self._assert_results()
            case "call":
                return self._call_results(stack)
            case _:
                return self._stdio_results(stack)

    def _stdio_results(self, stack: ExitStack) -> Iterator[TestResult]:
        tests = tuple(test for test in self._task.tests if isinstance(test, StdioTest))
        checker = self._profile.choose(self._task.checker)
        if isinstance(checker, AssertChecker):
            raise ValueError("a stdio task cannot use the checker 'python_assert'")
        if isinstance(checker, InteractiveChecker):
            yield from self._interactive_results(tests, checker)
            return
        runner = self._runner(stack, len(tests))
        if isinstance(runner, Outcome):
            yield self._failed(runner)
            return
        bounds = self._bounds_of(runner)
        if isinstance(checker, ProgramChecker):
            author = Author(self._slot, checker, self._cache)
            for index, test in enumerate(tests):
                yield judge_test(runner, index, test, self._profile, bounds, program_decider(author, test))
        else:
            yield from judge_tests(runner, tests, checker, self._profile, bounds)

    def _interactive_results(
        self, tests: tuple[StdioTest, ...], checker: InteractiveChecker
    ) -> Iterator[TestResult]:
        native: Native | None = None
        if self._program.language != "python":
            made = self._native()
            if isinstance(made, Outcome):
                yield self._failed(made)
                return
            native = made
        author = Author(self._slot, checker, self._cache)
        interaction = Interaction(self._slot, author, self._limits, self._profile)
        for index, test in enumerate(tests):
            yield interaction.judge(index, test, self._source, native)

    def _assert_results(self) -> Iterator[TestResult]:
        if not self._profile.split_oracle:
            self.flags.append("oracle=in_process")
        for result, outcome in judge_asserts(
            self._slot, self._source, self._task, self._limits, self._profile
        ):
            if outcome.compile_error:
                self.compiler_output = clip(outcome.compile_error)
            yield result

    def _call_results(self, stack: ExitStack) -> Iterator[TestResult]:
        tests = tuple(test for test in self._task.tests if isinstance(test, CallTest))
        checker = self._profile.choose(self._task.checker)
        if isinstance(checker, ProgramChecker | InteractiveChecker | AssertChecker):
            raise ValueError(f"a call task cannot use a {type(checker).__name__}")
        reads = reads_stdin(self._program, tests)
        self.flags.append("call_style=stdin" if reads else "call_style=function")
        runner = self._runner(stack, len(tests), Role.PYTHON if reads else Role.CALL)
        if isinstance(runner, Outcome):
            yield self._failed(runner)
        elif reads:
            plain = tuple(StdioTest(test.raw_input or "", expected_texts(test)) for test in tests)
            yield from judge_tests(runner, plain, checker, self._profile, self._bounds_of(runner))
        else:
            yield from judge_calls(runner, tests, checker, self._profile, self._bounds)

    def _bounds_of(self, runner: Runner) -> Bounds:
        return runner.bounds if isinstance(runner, Native) else self._bounds

    @property
    def _bounds(self) -> Bounds:
        return bounds_of(self._limits)

    @property
    def _source(self) -> bytes:
        encode = ("utf-8", "surrogateescape")
        return pack_source(self._task.preamble.encode(*encode), self._program.source.encode(*encode))

    def _runner(self, stack: ExitStack, tests: int, role: Role = Role.PYTHON) -> Runner | Outcome:
        """An Outcome when the program did not compile."""
        if self._program.language == "python":
            return self._python_runner(stack, tests, role)
        return self._native()

    def _native(self) -> Native | Outcome:
        toolchain = find_toolchain(self._program.language)
        if toolchain is None:
            raise LanguageUnavailable(self._program.language)
        source = join_preamble(self._task.preamble, self._program.source).encode("utf-8", "surrogateescape")
        made = build(self._slot, toolchain, source, self._limits, self._cache)
        self.compiler_output = clip(made.output)
        if made.failure is not None:
            return made.failure
        return Native(self._slot, toolchain, made.files, self._limits, main=made.main)

    def _python_runner(self, stack: ExitStack, tests: int, role: Role) -> Runner | Outcome:
        how, entry = self._profile.python, self._task.entry_point or ""
        if tests < 2 or self._limits.scratch_mb:
            return Single(self._slot, self._source, self._limits, how, role, entry)
        template = stack.enter_context(Template(self._slot, self._source, self._limits, how, role, entry))
        return template if template.failure is None else template.failure

    def _failed(self, outcome: Outcome) -> TestResult:
        result = result_of(
            0, outcome, self._bounds, self._profile, lambda _: Answer(Verdict.IE, "it did not run")
        )
        if outcome.compile_error:
            self.compiler_output = clip(outcome.compile_error)
        return result


def join_preamble(preamble: str, source: str) -> str:
    return f"{preamble}\n{source}" if preamble else source
