"""Why a recorded verdict and ours differ. Each cause is looked for, by running the program again where that shows it."""

from __future__ import annotations

import ast
import builtins
from collections import defaultdict
from dataclasses import replace
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

from .checkers import ExactChecker
from .judge import Judge
from .recorded import Harness, Recorded, eval_sets, read_programs
from .report import Report
from .task import StdioTest
from .verdict import Verdict


class Cause(StrEnum):
    """The first group are faults of the recorded harness; UNEXPLAINED is what nobody could account for."""

    NOT_A_STRING = "harness: the expected value was no string, so nothing could pass"
    CRLF_DOUBLED = "harness: CRLF inputs were doubled by a text-mode file"
    FIRST_ONLY = "harness: compared as text with the first expected output only"
    NO_DEVICE = "harness: /dev/stdin could not be opened"
    EXIT_IGNORED = "harness: the exit code was ignored"
    BUILTIN_SHADOWED = "harness: a built-in was shadowed by an earlier program in shared globals"
    NAME_LEAKED = "harness: a name leaked from an earlier program in shared globals"
    SECOND_JUDGING = "harness: the corpus's own second judging, a fresh process a program, says what we say"
    TIME_LIMIT = "time limit"
    MEMORY_LIMIT = "memory limit"
    MODULE_MISSING = "a third-party module is missing here"
    NONDETERMINISTIC = "the program is not deterministic"
    UNEXPLAINED = "unexplained"

    @property
    def is_harness_fault(self) -> bool:
        return self.value.startswith("harness:")


_SLOW_S = 1.0
_REPEATS = 3
# Programs outside the folder are part of the recorded runs too; these two names were traced to such ones.
_KNOWN_SHADOWS = {"str", "sum"}


class Neighbours:
    """Names that the recorded programs of a harness define at their top level, where globals were shared."""

    def __init__(self, folder: Path, problems: dict[str, dict[str, Any]]) -> None:
        self._folder = folder
        self._problems = problems

    @cached_property
    def _defined(self) -> dict[str, set[str]]:
        """By repository, over all its sets: one harness judged them in one process after another."""
        defined: dict[str, set[str]] = defaultdict(set)
        for eval_set in eval_sets(self._folder):
            for record in read_programs(self._folder, eval_set, self._problems):
                if isinstance(record, Recorded) and record.task.kind == "assert":
                    defined[record.repository] |= _top_level_names(record.program.source)
        return defined

    def shadows(self, record: Recorded) -> set[str]:
        """Built-ins the program uses that another program of the same repository defines, or is known to have."""
        defined = self._defined[record.repository] | _KNOWN_SHADOWS
        source = record.program.source
        if not _parses(source):  # it goes on where its preamble ends
            source = f"{record.task.preamble}\n{source}"
        used = _used_names(source) - _top_level_names(source)
        return {name for name in used if hasattr(builtins, name)} & defined


def cause_of(record: Recorded, report: Report, judge: Judge, neighbours: Neighbours) -> Cause:
    if record.passed:
        return _why_it_passed_there(record, report, judge)
    return _why_it_failed_there(record, report, judge, neighbours)


def _why_it_passed_there(record: Recorded, report: Report, judge: Judge) -> Cause:
    match report.verdict:
        case Verdict.TLE:
            return Cause.TIME_LIMIT
        case Verdict.MLE:
            return Cause.MEMORY_LIMIT
        case Verdict.RE if "ModuleNotFoundError" in report.reason:
            return Cause.MODULE_MISSING
        case Verdict.RE if record.harness is Harness.LOCAL and _text_matches(record, report):
            return Cause.EXIT_IGNORED
        case Verdict.RE if "NameError" in report.reason and record.task.kind == "assert":
            return Cause.NAME_LEAKED
    return _or_chance(record, judge)


def _why_it_failed_there(record: Recorded, report: Report, judge: Judge, neighbours: Neighbours) -> Cause:
    if record.harness is Harness.EXECEVAL and "nonstring_expected" in record.quirks:
        return Cause.NOT_A_STRING
    if record.harness is Harness.LOCAL:
        if "crlf_inputs" in record.quirks and not _passes(judge, _with_doubled_line_ends(record)):
            return Cause.CRLF_DOUBLED
        if not _passes(judge, _against_first_output(record)):
            return Cause.FIRST_ONLY
    if record.harness is Harness.EXECEVAL and "/dev/stdin" in record.program.source:
        return Cause.NO_DEVICE
    if record.task.kind == "assert":
        shadowed = neighbours.shadows(record)
        if shadowed and not _passes(judge, _with_shadows(record, shadowed)):
            return Cause.BUILTIN_SHADOWED
    if _seconds(record, report) >= _SLOW_S:
        return Cause.TIME_LIMIT
    return _or_chance(record, judge)


def _seconds(record: Recorded, report: Report) -> float:
    """CPU against the recorded limit, which was a test's for stdin programs and all asserts' together."""
    spent = [result.cpu_s for result in report.results] or [0.0]
    return sum(spent) if record.task.kind == "assert" else max(spent)


def _with_shadows(record: Recorded, names: set[str]) -> Recorded:
    """As in the harness's shared globals: the names are bound to something else before the program starts."""
    # A pair is no callable, and `List[...]` refuses it on every version of Python, as older ones do any such value.
    bound = "".join(f"{name} = (7, 8)\n" for name in sorted(names))
    task = replace(record.task, preamble=f"{bound}{record.task.preamble}")
    return replace(record, task=task, profile="humaneval")


def _or_chance(record: Recorded, judge: Judge) -> Cause:
    seen = {_passes(judge, record) for _ in range(_REPEATS)}
    if record.passed in seen:
        return Cause.NONDETERMINISTIC
    if record.second is not None and record.second != record.passed:
        return Cause.SECOND_JUDGING
    return Cause.UNEXPLAINED


def _passes(judge: Judge, record: Recorded) -> bool:
    report = judge.judge(record.program, record.task, profile=record.profile, stop_on_first_failure=True)
    return report.verdict is Verdict.AC


def _with_doubled_line_ends(record: Recorded) -> Recorded:
    tests = tuple(
        StdioTest(test.input.replace("\r\n", "\n\n"), test.outputs)
        for test in record.task.tests
        if isinstance(test, StdioTest)
    )
    return replace(record, task=replace(record.task, tests=tests))


def _against_first_output(record: Recorded) -> Recorded:
    """What the harness did: `stdout.strip() == expected[0].strip()`."""
    tests = tuple(
        StdioTest(test.input, (test.outputs[0].strip(),))
        for test in record.task.tests
        if isinstance(test, StdioTest)
    )
    program = replace(record.program, source=record.program.source)
    return replace(record, program=program, task=replace(record.task, tests=tests, checker=ExactChecker()))


def _text_matches(record: Recorded, report: Report) -> bool:
    """Whether the output of the test that failed was right all the same."""
    failed = next((result for result in report.results if result.verdict is not Verdict.AC), None)
    test = record.task.tests[failed.index] if failed is not None else None
    return (
        isinstance(test, StdioTest)
        and failed is not None
        and failed.stdout.split() == test.outputs[0].split()
    )


def _parses(source: str) -> bool:
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _top_level_names(source: str) -> set[str]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    names: set[str] = set()
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Assign(targets=targets):
                names |= {target.id for target in targets if isinstance(target, ast.Name)}
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                names |= {(alias.asname or alias.name).split(".")[0] for alias in aliases}
    return names


def _used_names(source: str) -> set[str]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    return {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
