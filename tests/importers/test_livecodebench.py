"""LiveCodeBench rows, with problems of our own, and pickles that are more than a text."""

from __future__ import annotations

import base64
import json
import pickle
import zlib
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.importers.files import read_all, read_one, write_lines
from trajectories.importers import Bounds, pickled_text
from trajectories.problem_schema import CallTest, StdioTest


def packed(value: Any, protocol: int = 4) -> str:
    return base64.b64encode(zlib.compress(pickle.dumps(value, protocol))).decode()


def cases(kind: str, *pairs: tuple[str, str]) -> str:
    return json.dumps([{"input": given, "output": wanted, "testtype": kind} for given, wanted in pairs])


def task(**changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "question_title": "Double it",
        "question_content": "Print twice n.\n\nInput\n\nThe number n.\n\nOutput\n\nTwice n.\n\nSample Input 1\n\n2\n",
        "platform": "atcoder",
        "question_id": "abc900_a",
        "contest_id": "abc900",
        "contest_date": "2024-01-06T00:00:00",
        "starter_code": "",
        "difficulty": "easy",
        "public_test_cases": cases("stdin", ("2\n", "4\n")),
        "private_test_cases": packed(cases("stdin", ("5\n", "10\n"))),
        "metadata": "{}",
    }
    return {**base, **changes}


FUNCTION = {
    "platform": "leetcode",
    "question_id": 3000,
    "question_content": 'Join the words.\n\nExample 1:\n\nInput: words = ["a"]\nOutput: "a"',
    "starter_code": "class Solution:\n    def joined(self, words: List[str], times: int) -> str:\n        ",
    "public_test_cases": cases("functional", ('["a", "b"]\n2', '"abab"')),
    "private_test_cases": cases("functional", ("[]\n1", '""'), ('["x"]\n1', '"x"')),
    "metadata": '{"func_name": "joined"}',
}


def test_stdin_problems_count_public_and_private_tests(tmp_path: Path) -> None:
    spec = read_one(write_lines(tmp_path / "test.jsonl", task()))
    assert (spec.id, spec.title, spec.difficulty) == ("livecodebench/abc900_a", "Double it", "easy")
    assert spec.tests == (
        StdioTest(input="2\n", outputs=("4\n",)),
        StdioTest(input="5\n", outputs=("10\n",)),
    )
    assert [sample.output for sample in spec.samples] == ["4\n"]
    assert (spec.input_spec, spec.checker) == ("The number n.", {"type": "livecodebench"})
    assert spec.provenance["contest_date"] == "2024-01-06T00:00:00"


def test_functional_problems_are_calls(tmp_path: Path) -> None:
    spec = read_one(write_lines(tmp_path / "test.jsonl", task(**FUNCTION)))
    assert (spec.id, spec.entry_point) == ("livecodebench/3000", "joined")
    assert spec.tests == (
        CallTest(args=(["a", "b"], 2), expected="abab"),
        CallTest(args=([], 1), expected=""),
        CallTest(args=(["x"], 1), expected="x"),
    )
    assert "Example 1" in spec.statement


def test_samples_of_calls_are_written_as_python_shows_them(tmp_path: Path) -> None:
    public = cases("functional", ('"7"\n[true, null]', "[1, false]"))
    spec = read_one(write_lines(tmp_path / "test.jsonl", task(**FUNCTION | {"public_test_cases": public})))
    assert [(one.input, one.output) for one in spec.samples] == [("'7'\n[True, None]", "[1, False]")]


def test_names_of_the_standard_library_are_there_for_solutions(tmp_path: Path) -> None:
    spec = read_one(write_lines(tmp_path / "test.jsonl", task(**FUNCTION)))
    scope: dict[str, Any] = {}
    exec(spec.preamble, scope)
    exec("def f(x: List[int]) -> Optional[int]:\n    return Counter(x)[1] + heapq.heappop([1])", scope)
    assert scope["f"]([1]) == 2
    assert scope["pow"](2, 10, 7) == 2


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"public_test_cases": "[", "private_test_cases": "[]"}, "public_test_cases"),
        ({"private_test_cases": "AAAA"}, "private_test_cases"),
        ({"private_test_cases": packed("not json")}, "private_test_cases"),
        ({"private_test_cases": packed(cases("stdin", ("1", "2")))[:-8]}, "private_test_cases"),
        ({"private_test_cases": cases("functional", ("1", "2"))}, "public_test_cases"),
        ({"public_test_cases": "[]", "private_test_cases": "[]"}, "private_test_cases"),
        ({"public_test_cases": '[{"input": "1", "testtype": "stdin"}]'}, "public_test_cases[0].output"),
        (FUNCTION | {"metadata": "{}"}, "metadata"),
        (FUNCTION | {"metadata": '{"func_name": "f; g"}'}, "metadata.func_name"),
        (FUNCTION | {"public_test_cases": cases("functional", ("a", "1"))}, "public_test_cases[0].input"),
    ],
)
def test_a_bad_row_names_its_field(tmp_path: Path, changes: dict[str, Any], field: str) -> None:
    specs, report = read_all(write_lines(tmp_path / "test.jsonl", task(**changes)), "livecodebench")
    assert specs == []
    assert [fault.field for fault in report.faults] == [field]


class Attack:
    def __reduce__(self) -> tuple[Any, ...]:
        return (exec, ("raise SystemExit('ran')",))


@pytest.mark.parametrize(
    "value",
    [Attack(), [Attack()], {"a": 1}, ["x"], 7, None, ("a", "b"), OrderedDict(a=1), b"bytes"],
    ids=repr,
)
def test_a_pickle_that_is_more_than_a_text_is_refused_and_never_run(tmp_path: Path, value: Any) -> None:
    with pytest.raises(pickled_text.NotAText):
        pickled_text.text_of(pickle.dumps(value))
    _, report = read_all(write_lines(tmp_path / "a.jsonl", task(private_test_cases=packed(value))))
    assert "cannot be unpacked" in report.faults[0].problem


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(0, pickle.HIGHEST_PROTOCOL))
def test_a_pickled_text_comes_out_as_it_went_in(text: str, protocol: int) -> None:
    assert pickled_text.text_of(pickle.dumps(text, protocol)) == text
    assert pickled_text.unpacked(packed(text, protocol), 1 << 20) == text


@given(st.binary(max_size=60))
def test_no_bytes_make_the_reading_of_pickles_raise_anything_else(data: bytes) -> None:
    with suppress(pickled_text.NotAText):
        assert isinstance(pickled_text.text_of(data), str)


def test_what_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    bomb = base64.b64encode(zlib.compress(b"\0" * 20_000_000)).decode()
    path = write_lines(tmp_path / "a.jsonl", task(private_test_cases=bomb))
    _, report = read_all(path, bounds=Bounds(problem=1 << 20))
    assert "unpacks to more than 1 MB" in report.faults[0].problem
