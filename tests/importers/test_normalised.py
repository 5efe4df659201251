"""The lab's own layout: what is read, what is refused, and that writing loses nothing."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solver.judge.checkers import _BUILDERS
from tests.importers.files import read_all, read_clean, read_one, write_lines
from trajectories.importers import dump
from trajectories.problem_schema import AssertTest, CallTest, CheckerType, ProblemSpec, StdioTest
from trajectories.problem_schema import TestKind as Kind


def row(**changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "id": "own/double",
        "source": "own",
        "title": "Double",
        "statement": "Print twice the number.",
        "tests": [{"input": "2\n", "outputs": ["4\n"]}],
        "test_kind": "stdio",
    }
    return {**base, **changes}


def test_the_smallest_row_is_a_problem(tmp_path: Path) -> None:
    spec = read_one(write_lines(tmp_path / "a.jsonl", row()))
    assert spec.tests == (StdioTest(input="2\n", outputs=("4\n",)),)
    assert spec.checker == {"type": "default"}


def test_other_names_for_a_field_are_understood(tmp_path: Path) -> None:
    tests = [
        {"input": "[1]\n2", "outputs": ["3"], "expected_json": 3, "args_guess": [[1], 2], "test_group": "g"}
    ]
    spec = read_one(
        write_lines(
            tmp_path / "a.jsonl",
            row(test_kind="call", entry_point="add", tests=tests, difficulty=1200, time_limit_s=None),
        )
    )
    assert spec.tests == (CallTest(input="[1]\n2", outputs=("3",), expected=3, group="g"),)
    assert spec.difficulty == "1200"
    assert spec.extra == {"tests": {"0": {"args_guess": [[1], 2]}}}


def test_a_call_whose_right_answer_is_null_is_not_a_call_without_an_answer(tmp_path: Path) -> None:
    call = {"test_kind": "call", "entry_point": "f"}
    good = row(**call, tests=[{"args": [1], "expected": None}])
    bad = row(**call, id="own/other", tests=[{"args": [1]}])
    specs, report = read_all(write_lines(tmp_path / "a.jsonl", good, bad))
    assert [spec.id for spec in specs] == ["own/double"]
    assert [(fault.line, fault.field) for fault in report.faults] == [(2, "tests[0].expected")]


def test_the_stub_named_in_words_becomes_the_code_before_the_program(tmp_path: Path) -> None:
    stub = 'def f(x):\n    """Twice x."""\n'
    spec = read_one(
        write_lines(
            tmp_path / "a.jsonl",
            row(
                test_kind="assert",
                entry_point="f",
                tests=[{"code": "assert f(1) == 2"}],
                starter_code=stub,
                reference_solution="    return 2 * x\n",
                checker={"type": "python_assert", "preamble": "from typing import * + the problem prompt"},
            ),
        )
    )
    assert spec.preamble == "from typing import *\n" + stub
    assert spec.checker == {"type": "python_assert"}
    assert spec.reference_solution is not None
    scope: dict[str, Any] = {}
    exec(spec.reference_solution, scope)
    assert scope["f"](4) == 8


def test_fields_that_the_schema_does_not_know_are_kept_apart(tmp_path: Path) -> None:
    spec = read_one(write_lines(tmp_path / "a.jsonl", row(io={"input_from": "stdin"}, extra={"older": 1})))
    assert spec.extra == {"older": 1, "io": {"input_from": "stdin"}}


def test_what_is_only_kept_does_not_change_the_digest(tmp_path: Path) -> None:
    plain = read_one(write_lines(tmp_path / "a.jsonl", row()))
    kept = read_one(write_lines(tmp_path / "b.jsonl", row(io=1, licence="MIT", provenance={"repo": "x"})))
    other = read_one(write_lines(tmp_path / "c.jsonl", row(statement="Print thrice the number.")))
    assert plain.digest() == kept.digest() != other.digest()


def test_a_problem_without_a_title_is_called_by_its_first_words(tmp_path: Path) -> None:
    statement = (
        "Anna counts the stones on the beach every day. Help her with the sum of all the counts she made."
    )
    spec = read_one(write_lines(tmp_path / "a.jsonl", row(title="", statement=statement)))
    assert spec.title == "Anna counts the stones on the beach every day"


@pytest.mark.parametrize(
    ("changes", "field", "problem"),
    [
        ({"id": None}, "id", "is missing"),
        ({"statement": "  "}, "statement", "is empty"),
        ({"statement": 7}, "statement", "is a number, not text"),
        ({"tests": []}, "tests", "are missing"),
        ({"tests": {"input": "1"}}, "tests", "is an object, not a list"),
        ({"tests": [{"outputs": ["1"]}]}, "tests[0].input", "is missing"),
        ({"tests": [{"input": "1", "outputs": []}]}, "tests[0].outputs", "are missing"),
        ({"tests": [{"input": "1", "outputs": [4]}]}, "tests[0].outputs[0]", "is a number, not text"),
        ({"tests": [{"input": "1", "outputs": ["1"], "kind": "call"}]}, "tests[0].kind", "is 'call'"),
        ({"test_kind": "magic"}, "test_kind", "is 'magic'"),
        ({"time_limit_s": "2"}, "time_limit_s", "is '2', not a number"),
        ({"time_limit_s": -1}, "time_limit_s", "input should be greater than 0"),
        ({"samples": [{"input": "1"}]}, "samples[0].output", "is missing"),
        (
            {"samples": [{"input": "1", "output": "2", "why": "x"}]},
            "samples[0].why",
            "is no field of a sample",
        ),
        ({"checker": {"type": "guess"}}, "checker.type", "is 'guess', which no checker is called"),
        ({"test_kind": "assert", "tests": [{"code": "assert f()"}]}, "", "needs `entry_point`"),
        ({"title": "x" * 201}, "title", "string should have at most 200 characters"),
        ({"notes": "\ud83d"}, "notes", "half of a surrogate pair"),
        ({"extra": {"deep": float("nan")}}, "extra", "a value that JSON does not know"),
    ],
)
def test_a_bad_row_names_its_line_and_field_and_spares_the_others(
    tmp_path: Path, changes: dict[str, Any], field: str, problem: str
) -> None:
    lines = [json.dumps(one) for one in (row(id="own/1"), row(**changes), row(id="own/3"))]
    specs, report = read_all(write_lines(tmp_path / "a.jsonl", *lines), "normalised")
    assert [spec.id for spec in specs] == ["own/1", "own/3"]
    assert [(fault.file, fault.line, fault.field) for fault in report.faults] == [("a.jsonl", 2, field)]
    assert problem in report.faults[0].problem
    assert report.faults[0].mend


def test_a_rule_of_the_schema_is_told_in_its_own_words(tmp_path: Path) -> None:
    _, report = read_all(
        write_lines(tmp_path / "a.jsonl", row(test_kind="assert", tests=[{"code": "assert f()"}]))
    )
    (fault,) = report.faults
    assert fault.problem == "a problem of kind 'assert' needs `entry_point`, the function's name"


def test_every_wrong_field_of_a_row_is_named_at_once(tmp_path: Path) -> None:
    _, report = read_all(write_lines(tmp_path / "a.jsonl", row(title="x" * 201, memory_limit_mb=-4)))
    assert {fault.field for fault in report.faults} == {"title", "memory_limit_mb"}


def test_the_checkers_of_the_schema_are_those_of_the_judge() -> None:
    assert {kind.value for kind in CheckerType} == set(_BUILDERS)


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_WORDS = _TEXT.filter(lambda text: text.strip() == text != "")
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=6,
)
_STDIO = st.builds(
    StdioTest,
    input=_TEXT,
    outputs=st.lists(_TEXT, min_size=1, max_size=3).map(tuple),
    group=st.none() | _WORDS,
)
_CALL = st.builds(CallTest, args=st.lists(_JSON, max_size=3).map(tuple), expected=_JSON)
_ASSERT = st.builds(AssertTest, code=_WORDS)


@st.composite
def specs(draw: st.DrawFn) -> ProblemSpec:
    kind = draw(st.sampled_from(Kind))
    tests = {Kind.STDIO: _STDIO, Kind.CALL: _CALL, Kind.ASSERT: _ASSERT}[kind]
    return ProblemSpec(
        id=draw(_WORDS),
        source=draw(_WORDS),
        title=draw(_WORDS),
        statement=draw(_WORDS),
        input_spec=draw(_TEXT),
        difficulty=draw(_TEXT),
        time_limit_s=draw(st.none() | st.floats(0.1, 60)),
        tags=tuple(draw(st.lists(_TEXT, max_size=3))),
        tests=tuple(draw(st.lists(tests, min_size=1, max_size=4))),
        test_kind=kind,
        entry_point="f",
        preamble=draw(_TEXT),
        extra=draw(st.dictionaries(_TEXT, _JSON.filter(lambda value: value is not None), max_size=2)),
    )


@settings(max_examples=150, deadline=None)
@given(st.lists(specs(), max_size=4, unique_by=lambda spec: spec.id))
def test_whatever_is_written_is_read_back_equal(
    tmp_path_factory: pytest.TempPathFactory, all_specs: list[ProblemSpec]
) -> None:
    stream = io.StringIO()
    assert dump(all_specs, stream) == len(all_specs)
    path = tmp_path_factory.mktemp("dump") / "a.jsonl"
    path.write_text(stream.getvalue(), encoding="utf-8", newline="")
    if all_specs:
        assert read_clean(path, "normalised") == all_specs
