"""Tests over stdin and stdout, in any language."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from . import memfiles
from .checkers import TextChecker
from .compare import normalise
from .outcome import Bounds, Outcome
from .profiles import Profile
from .report import TestResult, clip
from .ruling import Answer, Decide, result_of
from .task import StdioTest
from .verdict import Verdict


class Runner(Protocol):
    """Runs the program on the input behind a descriptor."""

    def run(self, stdin: int, extra: tuple[int, ...] = ()) -> Outcome: ...


def judge_tests(
    runner: Runner, tests: tuple[StdioTest, ...], checker: TextChecker, profile: Profile, bounds: Bounds
) -> Iterator[TestResult]:
    for index, test in enumerate(tests):
        yield judge_test(runner, index, test, profile, bounds, text_decider(test.outputs, checker, profile))


def judge_test(
    runner: Runner, index: int, test: StdioTest, profile: Profile, bounds: Bounds, decide: Decide
) -> TestResult:
    if profile.ascii_input and not test.input.isascii():
        outcome = Outcome(failed="this profile feeds ASCII only and the input is not")
        return result_of(index, outcome, bounds, profile, decide)
    stdin = memfiles.sealed(input_bytes(test.input))
    with memfiles.closing(stdin):
        outcome = runner.run(stdin)
    return result_of(index, outcome, bounds, profile, decide)


def input_bytes(text: str) -> bytes:
    """As a program on this system expects it: LF line ends, whatever system the test was written on."""
    return normalise(text.encode("utf-8", "surrogateescape"))


def text_decider(outputs: tuple[str, ...], checker: TextChecker, profile: Profile) -> Decide:
    wanted = outputs[:1] if profile.first_output else outputs

    def decide(outcome: Outcome) -> Answer:
        first = None
        for text in wanted:
            comparison = checker.compare(outcome.stdout, text.encode("utf-8", "surrogateescape"))
            if comparison:
                return Answer(Verdict.AC, expected=clip(text))
            first = first or comparison
        if first is None:
            return Answer(Verdict.IE, "the test has no expected output")
        return Answer(Verdict.WA, first.note, first.first_diff, clip(wanted[0]))

    return decide
