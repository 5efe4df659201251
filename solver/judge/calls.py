"""Function tests by arguments and an expected value: one call a process, the result judged here.

Published sets of this kind accept two kinds of answer: a function, or a program that reads the flattened
arguments from stdin and prints. Which one a program is can be seen in its text.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator

from . import memfiles
from .checkers import FloatChecker, TextChecker
from .compare import equal_value
from .outcome import Bounds, Outcome
from .profiles import Profile
from .report import TestResult, clip
from .ruling import Answer, Decide, result_of
from .stdio import Runner, input_bytes, text_decider
from .task import CallTest, Program
from .verdict import Verdict

_RESULT_MAX = 64 << 20


def reads_stdin(program: Program, tests: tuple[CallTest, ...]) -> bool:
    """Whether the program asks for input itself, so that its output is the answer."""
    if program.language != "python":
        return True
    if any(test.raw_input is None for test in tests):
        return False
    try:
        tree = ast.parse(program.source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            first = node.args[0] if node.args else None
            if node.func.id == "input":
                return True
            if (
                node.func.id == "open"
                and isinstance(first, ast.Constant)
                and first.value in (0, "/dev/stdin")
            ):
                return True
        if isinstance(node, ast.Attribute) and node.attr == "stdin":
            return True
        if (
            isinstance(node, ast.ImportFrom)
            and node.module == "sys"
            and any(n.name == "stdin" for n in node.names)
        ):
            return True
    return False


def expected_texts(test: CallTest) -> tuple[str, ...]:
    return test.outputs or (test.expected if isinstance(test.expected, str) else str(test.expected),)


def judge_calls(
    runner: Runner, tests: tuple[CallTest, ...], checker: TextChecker, profile: Profile, bounds: Bounds
) -> Iterator[TestResult]:
    for index, test in enumerate(tests):
        lines = test.raw_input.split("\n") if test.raw_input is not None and test.args is None else []
        document = json.dumps({"args": test.args, "lines": lines}).encode()
        stdin, question = memfiles.sealed(input_bytes(test.raw_input or "")), memfiles.sealed(document)
        answer = memfiles.empty()
        with memfiles.closing(stdin, question, answer):
            outcome = runner.run(stdin, (question, answer))
            yield result_of(index, outcome, bounds, profile, _decider(test, answer, checker, profile))


def _decider(test: CallTest, answer: int, checker: TextChecker, profile: Profile) -> Decide:
    def decide(outcome: Outcome) -> Answer:
        data, size = memfiles.contents(answer, _RESULT_MAX)
        wanted = clip(test.outputs[0] if test.outputs else json.dumps(test.expected))
        try:
            document = json.loads(data)
            text = document["text"]
        except (ValueError, KeyError, TypeError, RecursionError):
            reason = "no result" if not size else "the result is not a value"
            return Answer(Verdict.WA, reason, expected=wanted)
        slack = checker if isinstance(checker, FloatChecker) else FloatChecker(0.0, 0.0)
        if "value" in document and not (test.outputs and test.expected is None):
            same = equal_value(
                document["value"], test.expected, absolute=slack.absolute, relative=slack.relative
            )
            if same:
                return Answer(Verdict.AC, expected=wanted)
        if test.outputs:
            outcome.stdout = str(text).encode("utf-8", "surrogateescape")
            return text_decider(test.outputs, checker, profile)(outcome)
        outcome.stdout = str(text).encode("utf-8", "surrogateescape")
        return Answer(Verdict.WA, "value differs", expected=wanted)

    return decide
