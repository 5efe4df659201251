from __future__ import annotations

from typing import Any

import pytest

from solver.judge import (
    Judge,
    Limits,
    Program,
    StdioTest,
    Task,
    Verdict,
    checker_from_spec,
    language_from_name,
)
from solver.judge.checkers import DefaultChecker, FloatChecker, KattisChecker


def test_the_default_is_tokens() -> None:
    assert checker_from_spec({}) == checker_from_spec({"type": "default"}) == DefaultChecker()


def test_a_tolerance_on_tokens_is_a_float_checker() -> None:
    assert checker_from_spec({"type": "tokens", "float_tol": 1e-6}) == FloatChecker(1e-6, 1e-6)


def test_kattis_flags_come_as_text_or_as_words() -> None:
    words = checker_from_spec({"type": "kattis", "flags": ["case_sensitive", "float_tolerance", "1e-4"]})
    assert words == checker_from_spec({"type": "kattis", "flags": "case_sensitive float_tolerance 1e-4"})
    assert isinstance(words, KattisChecker)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"type": "magic"}, "unknown checker type 'magic'"),
        ({"type": 3}, "unknown checker type 3"),
        ({"type": "float", "abs": -1}, "'abs' must be a finite number >= 0"),
        ({"type": "float", "rel": "x"}, "'rel' must be a finite number"),
        ({"type": "float", "abs": float("nan")}, "'abs' must be a finite number"),
        ({"type": "program"}, "'source' must hold the program's text"),
        ({"type": "program", "source": "x", "language": "cobol"}, "unknown language 'cobol'"),
        ({"type": "kattis", "flags": ["float_tolerance"]}, "needs a number >= 0 after it"),
        ({"type": "kattis", "flags": ["colour"]}, "unknown validator flag 'colour'"),
        ([], "a checker is a JSON object"),
    ],
)
def test_a_bad_spec_says_what_is_wrong(spec: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("(", r"\(")):
        checker_from_spec(spec)


@pytest.mark.parametrize(
    ("name", "key"),
    [("Python3", "python"), ("GNU C++17", "cpp"), ("PyPy 3-64", "python"), ("Node.js 12", "javascript"), ("C#", "csharp"),
     ("C", "c"), ("GNU C11", "c"), ("Java 17", "java"), ("Rust", "rust"), ("Kotlin 1.7", "kotlin"), ("Go", "go")],
)  # fmt: skip
def test_a_language_is_known_by_the_names_people_give_it(name: str, key: str) -> None:
    assert language_from_name(name) == key


@pytest.mark.parametrize("name", ["Python2", "Python 2.7", "PyPy2", "Brainfuck", ""])
def test_an_unknown_language_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="unknown language"):
        language_from_name(name)


_MULTIPLE = """
import sys
step = int(open(sys.argv[1]).read())
said = open(sys.argv[2]).read().split()
if len(said) == 1 and said[0].isdigit() and int(said[0]) % step == 0:
    sys.exit(42)
print("not a multiple", file=sys.stderr)
sys.exit(43)
"""


def _judged(judge: Judge, source: str, spec: dict[str, Any]) -> tuple[Verdict, str]:
    task = Task(
        (StdioTest("7\n", ("7\n",)),), checker=checker_from_spec(spec), limits=Limits(cpu_s=1, idle_s=1)
    )
    report = judge.judge(Program(source), task)
    return report.verdict, report.reason


def test_a_checker_program_accepts_any_right_answer(judge: Judge) -> None:
    spec = {"type": "program", "source": _MULTIPLE, "language": "python"}
    assert _judged(judge, "print(int(input()) * 6)", spec) == (Verdict.AC, "")
    assert _judged(judge, "print(8)", spec) == (Verdict.WA, "not a multiple")
    assert _judged(judge, "1 / 0", spec) == (Verdict.RE, "ZeroDivisionError")


def test_a_checker_that_fails_is_no_fault_of_the_program(judge: Judge) -> None:
    spec = {"type": "program", "source": "import sys\nsys.exit(9)", "language": "python"}
    verdict, reason = _judged(judge, "print(7)", spec)
    assert verdict is Verdict.IE
    assert "exit code 9" in reason


_GUESSING = """
import sys
secret = int(open(sys.argv[1]).read())
for _ in range(12):
    words = sys.stdin.readline().split()
    if not words:
        sys.exit(43)
    if words[0] == "!":
        sys.exit(42 if int(words[1]) == secret else 43)
    print("low" if int(words[1]) <= secret else "high", flush=True)
sys.exit(43)
"""
_BISECT = """
low, high = 0, 100
while high - low > 1:
    middle = (low + high) // 2
    print("?", middle, flush=True)
    if input() == "low":
        low = middle
    else:
        high = middle
print("!", low, flush=True)
"""


@pytest.mark.parametrize(
    ("source", "verdict"),
    [
        (_BISECT, Verdict.AC),
        ("print('! 3', flush=True)", Verdict.WA),
        ("while True:\n    print('? 1', flush=True)\n    input()", Verdict.WA),
        ("1 / 0", Verdict.RE),
        ("input()", Verdict.TLE),
        ("while True:\n    pass", Verdict.TLE),
    ],
)
def test_an_interactor_talks_to_the_program(judge: Judge, source: str, verdict: Verdict) -> None:
    assert _judged(judge, source, {"type": "interactive", "source": _GUESSING})[0] is verdict


@pytest.mark.parametrize("flush", [False, True])
@pytest.mark.parametrize(("code", "verdict"), [(42, Verdict.AC), (43, Verdict.WA)])
def test_what_a_program_says_to_an_interactor_that_has_ended_changes_nothing(
    judge: Judge, code: int, verdict: Verdict, flush: bool
) -> None:
    """A moment sooner it would have gone through, and which comes first is the scheduler's choice."""
    source = f"import sys\nsys.stdin.read()\nprint('one more thing', flush={flush})"
    interactor = f"raise SystemExit({code})"
    assert _judged(judge, source, {"type": "interactive", "source": interactor})[0] is verdict
    crash = f"{source}\n1 / 0"
    if not flush:
        assert _judged(judge, crash, {"type": "interactive", "source": interactor})[0] is Verdict.RE
