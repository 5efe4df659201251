"""A sample run as the debugging agent reads it. Only samples have cases: no hidden test can appear here."""

from __future__ import annotations

from solver.agents.problem_text import clip
from solver.strategies.protocol import CaseResult, TestRun

SHOWN_CHARS = 500  # of each input, expectation and output, as published
SHOWN_CASES = 10  # of the failed ones, and of the passed ones
COMPILER_CHARS = 2000

_ACCEPTED = "AC"
_WORDS = {
    "WA": "wrong answer",
    "PE": "wrong output format",
    "TLE": "time limit exceeded",
    "MLE": "memory limit exceeded",
    "OLE": "too much output",
    "RE": "run-time error",
    "RTE": "run-time error",
    "CE": "compile error",
}


def sample_report(run: TestRun) -> str:
    """First the count, then failed cases, then passed ones; or the compiler's words when nothing ran."""
    if run.compiler_output.strip() and run.passed == 0:
        return f"The program does not compile:\n{clip(run.compiler_output.strip(), COMPILER_CHARS)}"
    failed = [case for case in run.cases if case.verdict != _ACCEPTED]
    passed = [case for case in run.cases if case.verdict == _ACCEPTED]
    parts = [f"{run.passed} of {run.total} sample tests passed."]
    parts += [_failed_case(case) for case in failed[:SHOWN_CASES]]
    parts += [_passed_case(case) for case in passed[:SHOWN_CASES]]
    return "\n\n".join(parts)


def _failed_case(case: CaseResult) -> str:
    what = _WORDS.get(case.verdict, case.verdict)
    lines = [f"Failed: {what}", f"Input:\n{_shown(case.input)}", f"Expected output:\n{_shown(case.expected)}"]
    lines.append(f"Your output:\n{_shown(case.got)}")
    if case.reason.strip():
        lines.append(f"Reason: {_shown(case.reason)}")
    return "\n".join(lines)


def _passed_case(case: CaseResult) -> str:
    return f"Passed:\nInput:\n{_shown(case.input)}\nOutput:\n{_shown(case.got or case.expected)}"


def _shown(text: str) -> str:
    return clip(text.rstrip("\n"), SHOWN_CHARS)
