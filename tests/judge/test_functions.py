"""Function problems: the hidden asserts run apart from the program, and only values cross."""

from __future__ import annotations

import contextlib
import gzip
import json
import pickle
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solver.judge import AssertTest, CallTest, Judge, Limits, Program, Report, Task, Verdict
from solver.judge.asserts import Session, _broken_off
from solver.judge.attacks.functions import ATTACKS
from solver.judge.jail.codec import ForeignValue, dump, load, plain_value
from solver.judge.jail.spec import Tag
from solver.judge.outcome import Kill, Outcome
from solver.judge.profiles import profile_named
from solver.judge.single import bounds_of
from solver.judge.slot import Record
from solver.judge.watch import Run, step

_LIMITS = Limits(cpu_s=1.0, idle_s=1.0)


def _assert(
    judge: Judge, source: str, *codes: str, entry: str = "f", profile: str = "strict", preamble: str = ""
) -> Report:
    task = Task(tuple(map(AssertTest, codes)), "assert", entry_point=entry, preamble=preamble, limits=_LIMITS)
    return judge.judge(Program(source), task, profile=profile)


def test_each_assert_gets_its_own_verdict(judge: Judge) -> None:
    report = _assert(
        judge, "def f(x):\n    return 10 // x", "assert f(5) == 2", "assert f(0) == 1", "assert f(3) == 4"
    )
    assert [result.verdict for result in report.results] == [Verdict.AC, Verdict.RE, Verdict.WA]
    assert report.results[1].reason.startswith("ZeroDivisionError")
    assert "f(3) == 4" in report.results[2].expected
    assert (report.passed, report.total) == (1, 3)


def test_a_program_that_dies_in_one_test_is_started_afresh_for_the_next(judge: Judge) -> None:
    source = "import os\ndef f(x):\n    if x == 0:\n        os._exit(0)\n    return x"
    report = _assert(judge, source, "assert f(1) == 1", "assert f(0) == 0", "assert f(2) == 2")
    assert [result.verdict for result in report.results] == [Verdict.AC, Verdict.RE, Verdict.AC]


def test_limits_are_a_test_s_own(judge: Judge) -> None:
    source = "import time\ndef f(x):\n    end = time.process_time() + 0.4\n    while time.process_time() < end:\n        pass\n    return x"
    report = _assert(judge, source, *(f"assert f({i}) == {i}" for i in range(4)))
    assert report.verdict is Verdict.AC


@pytest.mark.parametrize("profile", ["strict", "humaneval"])
@pytest.mark.parametrize("clock", ["process_time", "monotonic"])
def test_a_judge_that_looks_late_takes_no_test_s_time_for_another_s(
    judge: Judge, monkeypatch: pytest.MonkeyPatch, profile: str, clock: str
) -> None:
    """It has no processor for longer than a test may take, each time before it reads how far they are."""

    def late(channels: list[socket.socket], runs: list[Run], others: tuple[int, ...] = ()) -> list[int]:
        if all(run.pid for run in runs):
            used = runs[0].cpu_used()
            still = 0
            while (
                still < 10 and runs[0].cpu_used() - used < 0.4
            ):  # for half a second; busy programs get on meanwhile
                before = runs[0].cpu_used()
                time.sleep(0.05)
                still = 0 if clock == "process_time" and runs[0].cpu_used() > before else still + 1
        return step(channels, runs, others)

    monkeypatch.setattr("solver.judge.asserts.step", late)
    act = "time.sleep(0.01)" if clock == "monotonic" else "pass"
    source = f"import time\ndef f(x):\n    end = time.{clock}() + 0.15\n    while time.{clock}() < end:\n        {act}\n    return x"
    tests = tuple(AssertTest(f"assert f({i}) == {i}") for i in range(6))
    task = Task(tests, "assert", entry_point="f", limits=Limits(cpu_s=0.3, idle_s=0.3))
    report = judge.judge(Program(source), task, profile=profile)
    assert [(result.verdict, result.reason) for result in report.results] == [(Verdict.AC, "")] * 6


def test_a_program_that_ended_by_itself_keeps_its_end_though_its_tests_were_over_first(
    judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both end together; which end is told first is the scheduler's choice."""
    take, check = Run.take, Run.check
    held: dict[Run, Record] = {}
    looks: list[Run] = []

    def take_late(run: Run, record: Record) -> None:
        if record.tag is Tag.EXIT and run.partners and not run.asks:  # the program's
            held[run] = record
        else:
            take(run, record)

    def look(run: Run, now: float) -> float:
        if run in held and run.partners[0].finished:
            looks.append(run)
            if len(looks) > 2:
                take(run, held.pop(run))
        return min(check(run, now), 0.01)

    monkeypatch.setattr(Run, "take", take_late)
    monkeypatch.setattr(Run, "check", look)
    report = _assert(judge, "raise MemoryError", "assert f(1) == 1")
    assert len(looks) > 2
    assert report.verdict is Verdict.MLE


def test_a_program_that_was_ended_with_its_tests_is_judged_by_its_own_end_if_it_had_one() -> None:
    bounds = bounds_of(Limits())
    for code, verdict in ((1, Verdict.MLE), (-9, Verdict.RE)):
        program = Outcome(exit_code=code, killed=Kill.CANCELLED, stderr=b"MemoryError\n")
        result = _broken_off(0, Session(program=program), bounds, profile_named("strict"))
        assert result.verdict is verdict


def test_check_is_called_with_the_entry_point_unless_the_test_does_so(judge: Judge) -> None:
    check = "def check(candidate):\n    assert candidate(2) == 4\n"
    assert _assert(judge, "def f(x):\n    return 2 * x", check).verdict is Verdict.AC
    assert _assert(judge, "def f(x):\n    return x", check).verdict is Verdict.WA
    assert _assert(judge, "def f(x):\n    return x", check + "check(f)").verdict is Verdict.WA


@pytest.mark.parametrize(
    ("source", "test"),
    [
        ("def f(xs):\n    xs.append(3)", "xs = [1]\nf(xs)\nassert xs == [1, 3]"),
        ("def f(g):\n    return g(2) + 1", "assert f(lambda x: x * 10) == 21"),
        ("def f():\n    yield from (1, 2)", "assert list(f()) == [1, 2]"),
        ("class f:\n    def __init__(self):\n        self.v = 1\n    def add(self, x):\n        self.v += x\n        return self",
         "thing = f()\nassert thing.add(2).v == 3\nthing.v = 9\nassert thing.v == 9"),
        ("from collections import Counter\ndef f(s):\n    return Counter(s)", "assert f('aab') == {'a': 2, 'b': 1}"),
        ("from collections import namedtuple\nP = namedtuple('P', 'x y')\ndef f():\n    return P(1, 2)",
         "p = f()\nassert p == (1, 2)\nassert p.y == 2\nassert len(p) == 2"),
        ("from fractions import Fraction\ndef f():\n    return {Fraction(1, 2): (1, {2}, b'x', 1j, range(3))}",
         "from fractions import Fraction\nassert f() == {Fraction(1, 2): (1, {2}, b'x', 1j, range(3))}"),
        ("def f(x):\n    raise ValueError('no')", "try:\n    f(1)\nexcept ValueError:\n    pass\nelse:\n    raise AssertionError"),
        ("import math\ndef f(x):\n    return math.sqrt(x)", "assert math.isclose(f(2.0), math.sqrt(2))"),
        ("def sum(a):\n    return 7", "assert sum([1]) == 7"),
    ],
)  # fmt: skip
def test_values_of_every_usual_kind_cross(judge: Judge, source: str, test: str) -> None:
    entry = "sum" if "def sum" in source else "f"
    report = _assert(judge, source, test, entry=entry)
    assert (report.verdict, report.reason) == (Verdict.AC, "")


def test_what_the_trusted_preamble_defines_cannot_be_redefined_by_the_solution(judge: Judge) -> None:
    preamble = "def twice(x):\n    return 2 * x\ndef f(x):\n    pass\n"
    cheat = "def twice(x):\n    return 0\ndef f(x):\n    return 0"
    assert _assert(judge, cheat, "assert twice(f(3)) == 6", preamble=preamble).verdict is Verdict.WA
    assert _assert(judge, "g = 1", "assert f(3) is None", preamble="").verdict is Verdict.RE


def test_a_preamble_may_end_where_the_program_goes_on(judge: Judge) -> None:
    assert (
        _assert(
            judge, "    return x + 1", "assert f(1) == 2", preamble="def f(x):\n    '''One more.'''"
        ).verdict
        is Verdict.AC
    )


def test_a_future_import_may_follow_a_preamble(judge: Judge) -> None:
    source = "from __future__ import annotations\ndef f(x: Any) -> Nowhere:\n    return x"
    assert _assert(judge, source, "assert f(1) == 1", preamble="from typing import *").verdict is Verdict.AC


def test_a_test_that_is_not_python_is_no_fault_of_the_program(judge: Judge) -> None:
    assert _assert(judge, "def f():\n    pass", "assert f( ==").verdict is Verdict.IE


def test_sharing_a_process_with_the_tests_is_weaker_and_says_so(judge: Judge) -> None:
    cheat = "class E:\n    def __eq__(self, other):\n        return True\ndef f(x):\n    return E()"
    weak = _assert(judge, cheat, "assert f(1) == 3", profile="humaneval")
    assert weak.verdict is Verdict.AC
    assert "oracle=in_process" in weak.flags
    assert weak.environment.profile == "humaneval"
    assert _assert(judge, cheat, "assert f(1) == 3").verdict is Verdict.WA


@pytest.mark.parametrize(
    ("source", "verdict"),
    [
        ("def f(a, b):\n    return a + b", Verdict.AC),
        ("class Solution:\n    def f(self, a, b):\n        return a + b", Verdict.AC),
        ("def f(a, b):\n    return (a + b) * 1.0", Verdict.AC),
        ("def f(a, b):\n    return str(a + b)", Verdict.WA),
        ("def f(a, b):\n    print(a + b)", Verdict.WA),
        ("def f(a):\n    return a", Verdict.RE),
        ("def g(a, b):\n    return a + b", Verdict.RE),
        ("def f(a, b):\n    while True:\n        pass", Verdict.TLE),
    ],
)
def test_a_call_is_judged_by_its_result(judge: Judge, source: str, verdict: Verdict) -> None:
    tests = (CallTest(args=(1, 2), expected=3), CallTest(args=(2, 2), expected=4))
    assert (
        judge.judge(Program(source), Task(tests, "call", entry_point="f", limits=_LIMITS)).results[0].verdict
        is verdict
    )


@pytest.mark.parametrize("value", [[1, [2, None]], {"a": 1.5}, "text", True, None, 10**30])
def test_a_result_of_any_json_kind_is_compared_by_value(judge: Judge, value: Any) -> None:
    task = Task((CallTest(args=(value,), expected=value),), "call", entry_point="f", limits=_LIMITS)
    assert judge.judge(Program("def f(x):\n    return x"), task).verdict is Verdict.AC


def test_flattened_arguments_serve_functions_and_programs_alike(judge: Judge) -> None:
    test = CallTest(raw_input="[3, 1]\nword", outputs=("[1, 3] word",), expected="[1, 3] word")
    task = Task((test,), "call", entry_point="f", limits=_LIMITS)
    function = judge.judge(Program("def f(xs, w):\n    return f'{sorted(xs)} {w}'"), task)
    program = judge.judge(Program("xs = eval(input())\nprint(sorted(xs), input())"), task)
    assert (function.verdict, function.flags) == (Verdict.AC, ("call_style=function",))
    assert (program.verdict, program.flags) == (Verdict.AC, ("call_style=stdin",))


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner) | st.sets(st.integers())
    ),
    max_leaves=20,
)


@given(_values)
def test_plain_values_cross_unchanged(value: Any) -> None:
    again = load(dump(value, lambda _: None), lambda _: None)
    assert again == value
    assert type(again) is type(value)


class _Runs:
    def __reduce__(self) -> Any:
        return (print, ("ran",))


@pytest.mark.parametrize("data", [pickle.dumps(_Runs()), pickle.dumps(len), b"", b"\x80\x05.", b"\x80\x05K"])
def test_nothing_but_plain_values_is_loaded(data: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ForeignValue):
        load(data, lambda _: None)
    assert capsys.readouterr().out == ""


@given(st.binary(max_size=200))
def test_hostile_bytes_are_refused_or_are_plain(data: bytes) -> None:
    with contextlib.suppress(ForeignValue):
        load(data, lambda _: None)


def test_the_plain_value_of_a_subclass_ignores_its_methods() -> None:
    class Liar(int):
        def __int__(self) -> int:
            return 99

        def __add__(self, other: object) -> int:
            return 99

    assert plain_value(Liar(3)) == (True, 3)
    assert plain_value(object()) == (False, None)


@pytest.mark.slow
@pytest.mark.parametrize("source", ["humaneval", "mbpp"])
def test_every_published_solution_passes(judge: Judge, data_folder: Path, source: str) -> None:
    jobs, ids = [], []
    with gzip.open(data_folder / "problems" / f"{source}.jsonl.gz", "rt") as file:
        for row in map(json.loads, file):
            setup = row.get("setup_code") or ""
            tests = tuple(AssertTest(f"{setup}\n{test['code']}") for test in row["tests"])
            prompt = row["starter_code"] if source == "humaneval" else ""
            program = Program(prompt + row["reference_solution"])
            jobs.append(
                (program, Task(tests, "assert", entry_point=row["entry_point"], limits=Limits(cpu_s=5.0)))
            )
            ids.append(row["id"])
    wrong = [
        (id_, r.verdict, r.reason)
        for id_, r in zip(ids, judge.judge_many(jobs), strict=True)
        if r.verdict is not Verdict.AC
    ]
    assert wrong == []
    assert len(ids) > 90


def test_no_message_gives_a_class_of_the_tests_another_equality(judge: Judge) -> None:
    """A pickle may set attributes of a class that it may name: `Counter.__eq__` would be true of any expected value."""
    attack = next(attack for attack in ATTACKS if "another equality" in attack.name)
    report = judge.judge(attack.program({}), attack.task())
    assert report.passed == 0 and report.verdict is Verdict.WA
    assert "may not set attributes" in report.results[0].reason


@pytest.mark.parametrize(
    "line", ["[" * 100_000, '{"begin": Infinity}', '{"end": NaN, "how": "passed", "detail": 1}']
)
def test_nonsense_in_the_place_of_an_event_does_not_end_the_judgement(judge: Judge, line: str) -> None:
    source = f"""
import os
for fd in range(3, 64):
    try:
        os.write(fd, {(line + chr(10)).encode()!r})
    except OSError:
        pass
def f(a, b):
    return 0
"""
    assert _assert(judge, source, "assert f(1, 2) == 3", profile="humaneval").verdict is Verdict.WA
