"""The problem author's own programs: checkers and interactors, built once and run in the same sandbox as
solutions."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from dataclasses import replace

from . import memfiles
from .checkers import InteractiveChecker, ProgramChecker
from .compare import normalise
from .compiled import BuildCache, Files, Native, build
from .errors import LanguageUnavailable
from .jail.spec import Role
from .languages import Language, Toolchain, find_toolchain
from .listener import Calls
from .outcome import Outcome, rule
from .profiles import Profile
from .report import TestResult, clip
from .ruling import Answer, Decide, result_of
from .single import bounds_of, collect, python_order, was_compiled
from .slot import Slot
from .task import Limits, Program, StdioTest
from .verdict import Verdict
from .watch import Run, watch

_AUTHOR_LIMITS = Limits(cpu_s=10.0, memory_mb=1024, idle_s=20.0, scratch_mb=16)
_ACCEPT, _REJECT = (0, 42), (1, 2, 43)
_PYTHON = Language(
    key="python",
    title="Python 3",
    tools=("python3",),
    version=(),
    source="author.py",
    run=("{tool}", "-I", "-S", "author.py"),
)


class Author:
    """A checker or an interactor, ready to run. `failure` says why it is not."""

    def __init__(self, slot: Slot, checker: ProgramChecker | InteractiveChecker, cache: BuildCache) -> None:
        source = checker.source.encode("utf-8", "surrogateescape")
        self._slot = slot
        self.failure = ""
        self._files: Files = ()
        self._main = ""
        if checker.language == "python":
            self._toolchain = Toolchain(_PYTHON, (slot.python,), "", ())
            self._files = ((_PYTHON.source, source),)
            return
        toolchain = find_toolchain(checker.language)
        if toolchain is None:
            raise LanguageUnavailable(
                f"the checker is written in {checker.language}, which this machine lacks"
            )
        self._toolchain = toolchain
        made = build(slot, toolchain, source, _AUTHOR_LIMITS, cache)
        self._files, self._main = made.files, made.main
        if made.failure is not None:
            self.failure = f"the checker does not compile: {clip(made.output, 300)}"

    def runner(self, files: Files) -> tuple[Native, Files]:
        arguments = tuple(name for name, _ in files)
        native = Native(
            self._slot, self._toolchain, self._files, _AUTHOR_LIMITS, main=self._main, argv=arguments
        )
        return native, files

    def answer_of(self, outcome: Outcome, wanted: str, said: bytes) -> Answer:
        """What its exit code says; anything but a known code is its own failure, not the program's."""
        code = outcome.exit_code
        reason = clip(said.decode("utf-8", "replace").strip(), 300)
        ruling = rule(outcome, bounds_of(_AUTHOR_LIMITS))
        if code in _ACCEPT and ruling.verdict in (None, Verdict.RE):
            return Answer(Verdict.AC, reason, expected=wanted)
        if code in _REJECT and ruling.verdict is Verdict.RE:
            return Answer(Verdict.WA, reason or "the checker refused it", expected=wanted)
        return Answer(
            Verdict.IE, f"the checker failed: {ruling.reason or code} {reason}".strip(), expected=wanted
        )


def program_decider(author: Author, test: StdioTest) -> Decide:
    def decide(outcome: Outcome) -> Answer:
        wanted = clip(test.outputs[0]) if test.outputs else ""
        if author.failure:
            return Answer(Verdict.IE, author.failure)
        runner, files = author.runner(
            (*_test_files(test), ("output", outcome.stdout), ("answer", _answer(test)))
        )
        stdin = memfiles.sealed(outcome.stdout)
        with memfiles.closing(stdin):
            checked = runner.run(stdin, more=files)
        return author.answer_of(checked, wanted, checked.stdout + checked.stderr)

    return decide


def _test_files(test: StdioTest) -> Files:
    return (("input", normalise(test.input.encode("utf-8", "surrogateescape"))),)


def _answer(test: StdioTest) -> bytes:
    return normalise(test.outputs[0].encode("utf-8", "surrogateescape")) if test.outputs else b""


class Interaction:
    """A program and an interactor, each the other's stdin and stdout."""

    def __init__(self, slot: Slot, author: Author, limits: Limits, profile: Profile) -> None:
        self._slot = slot
        self._author = author
        self._limits = limits
        self._profile = profile

    def judge(self, index: int, test: StdioTest, source: bytes, native: Native | None) -> TestResult:
        """`source` for a Python program, `native` for any other."""
        bounds = native.bounds if native is not None else bounds_of(self._limits)
        if self._author.failure:
            return result_of(index, Outcome(failed=self._author.failure), bounds, self._profile, _never)
        with ExitStack() as stack:
            said, err, notes = memfiles.empty(), memfiles.empty(), memfiles.empty()
            stack.enter_context(memfiles.closing(said, err, notes))
            to_program, from_author = os.pipe2(os.O_CLOEXEC)
            to_author, from_program = os.pipe2(os.O_CLOEXEC)
            code = memfiles.sealed(source)
            stack.enter_context(memfiles.closing(code))
            with memfiles.closing(to_program, from_author, to_author, from_program):
                if native is not None:
                    program, work = native.start(to_program, from_program, err)
                    stack.enter_context(work)
                else:
                    program = self._start_python(to_program, from_program, err, code)
                runner, files = self._author.runner((*_test_files(test), ("answer", _answer(test))))
                author, work = runner.start(to_author, from_author, notes, files)
                stack.enter_context(work)
            program.partners.append(author)
            author.partners.append(program)
            watch(self._slot, [program, author])
            collect(program.outcome, said, err, bounds.output)
            collect(author.outcome, said, notes, bounds.output)
            if native is None:
                program.outcome.compiled = was_compiled(code)
        return self._result(index, test, program, author)

    def _start_python(self, stdin: int, stdout: int, err: int, code: int) -> Run:
        order = python_order(
            self._slot, Role.PYTHON, replace(self._limits, scratch_mb=0), self._profile.python
        )
        run = Run(order.number, bounds_of(self._limits), Calls())
        self._slot.send(order, [stdin, stdout, err, code])
        return run

    def _result(self, index: int, test: StdioTest, program: Run, author: Run) -> TestResult:
        """An interactor has the last word over a program that then met nobody: refused, whatever that did to the
        program; accepted, if it only had more to say, which would have gone through a moment sooner."""
        wanted = clip(test.outputs[0]) if test.outputs else ""
        answer = self._author.answer_of(author.outcome, wanted, author.outcome.stderr)
        outcome = program.outcome
        signs = {Verdict.WA: _NOBODY, Verdict.AC: _NOBODY_LISTENS}.get(answer.verdict)
        if signs is not None and _met_nobody(outcome, signs):
            outcome = replace(outcome, exit_code=0)
        return result_of(index, outcome, program.bounds, self._profile, lambda _: answer)


_NOBODY_LISTENS = (b"BrokenPipeError", b"EPIPE")
_NOBODY = (*_NOBODY_LISTENS, b"EOFError", b"NoSuchElementException")


def _met_nobody(outcome: Outcome, signs: tuple[bytes, ...]) -> bool:
    """It wrote to or read from an interactor that had ended."""
    return outcome.exit_code == -signal.SIGPIPE or any(sign in outcome.stderr for sign in signs)


def _never(_: Outcome) -> Answer:
    return Answer(Verdict.IE, "it did not run")


def needs_native(program: Program, checker: object) -> bool:
    """Whether the judgement needs a slot that shows the toolchains."""
    if program.language != "python":
        return True
    return isinstance(checker, ProgramChecker | InteractiveChecker) and checker.language != "python"
