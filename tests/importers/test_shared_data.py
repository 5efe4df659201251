"""The public collection beside the repository imports whole: every problem, every field."""

from __future__ import annotations

import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.importers.files import DATA, data_rows, needs_data, read_clean
from trajectories.importers import dump, titles
from trajectories.problem_schema import AssertTest, CallTest, ProblemSpec, Sample, StdioTest, Test

pytestmark = needs_data
SOURCES = (
    *("apps", "codecontests", "gcj", "humaneval", "humaneval-et"),
    *("kattis-examples", "mbpp", "mbpp-typed", "xcodeeval"),
)
# The collection's README counts 128 APPS problems, 49 on stdin and 79 calls, of which this part holds 77.
KINDS = {("apps", "stdio"): 30, ("apps", "call"): 47}


def test_all_problems_import_with_the_counts_of_the_manifest() -> None:
    specs = read_clean(DATA / "problems")
    manifest = json.loads((DATA / "manifest.json").read_text())
    assert Counter(spec.source for spec in specs) == manifest["counts"]["problems"]
    assert len(specs) == 1349
    kinds = Counter((spec.source, spec.test_kind.value) for spec in specs)
    assert {key: kinds[key] for key in KINDS} == KINDS
    asserts = ("humaneval", "humaneval-et", "mbpp", "mbpp-typed")
    assert {source for source, kind in kinds if kind == "assert"} == set(asserts)
    assert {source for source, kind in kinds if kind == "call"} == {"apps"}


@pytest.mark.parametrize("source", SOURCES)
def test_no_field_of_any_row_is_lost(source: str) -> None:
    specs = read_clean(DATA / "problems" / f"{source}.jsonl.gz")
    rows = list(data_rows(source))
    assert len(specs) == len(rows)
    for spec, row in zip(specs, rows, strict=True):
        assert restored(spec, row) == row


@pytest.mark.parametrize("source", SOURCES)
def test_what_was_imported_survives_our_own_file(source: str, tmp_path: Path) -> None:
    specs = read_clean(DATA / "problems" / f"{source}.jsonl.gz")
    with (tmp_path / "own.jsonl").open("w", encoding="utf-8", newline="") as stream:
        assert dump(specs, stream) == len(specs)
    again = read_clean(tmp_path / "own.jsonl")
    assert again == specs
    assert [spec.digest() for spec in again] == [spec.digest() for spec in specs]


def test_writing_is_the_same_every_time() -> None:
    one, two = io.StringIO(), io.StringIO()
    for stream in (one, two):
        dump(read_clean(DATA / "problems" / "apps.jsonl.gz"), stream)
    assert one.getvalue() == two.getvalue()


def restored(spec: ProblemSpec, row: dict[str, Any]) -> dict[str, Any]:
    """The row as the problem alone gives it, but for null and numbers where the schema has texts."""
    extra = dict(spec.extra)
    in_tests = extra.pop("tests", {})
    back = {
        "id": spec.id,
        "group": spec.group,
        "source": spec.source,
        "title": "" if spec.title == titles.from_statement(spec.statement, spec.id) else spec.title,
        "statement": spec.statement,
        "input_spec": spec.input_spec,
        "output_spec": spec.output_spec,
        "time_limit_s": spec.time_limit_s,
        "memory_limit_mb": spec.memory_limit_mb,
        "tags": list(spec.tags),
        "difficulty": _label(spec.difficulty, row["difficulty"]),
        "starter_code": spec.starter_code,
        "entry_point": spec.entry_point,
        "samples": [_sample(sample) for sample in spec.samples],
        "tests": [_test(test) | in_tests.get(str(index), {}) for index, test in enumerate(spec.tests)],
        "test_kind": spec.test_kind.value,
        "checker": _checker(spec),
        "notes": spec.notes,
        "licence": spec.licence,
        "provenance": spec.provenance,
        "quirks": list(spec.quirks),
        "split": spec.split,
        **extra,
    }
    if setup := row.get("setup_code"):
        for test in back["tests"]:
            test["code"] = test["code"].removeprefix(f"{setup}\n")
        for sample in back["samples"]:
            sample["assert"] = sample["assert"].removeprefix(f"{setup}\n")
    if spec.reference_solution is not None:
        back["reference_solution"] = spec.reference_solution.removeprefix(spec.starter_code)
    for test, given in zip(back["tests"], row["tests"], strict=True):
        if given.get("args_guess", ()) is None:
            test["args_guess"] = None
    for name in ("io", "name", "tests_recorded"):
        assert (name in back) == (name in row)
    return back


def _label(text: str, given: object) -> object:
    if given is None:
        return text or None
    return int(text) if isinstance(given, int) else text


def _sample(sample: Sample) -> dict[str, str]:
    shown = {"input": sample.input, "output": sample.output}
    return shown if sample.assert_code is None else {**shown, "assert": sample.assert_code}


def _test(test: Test) -> dict[str, Any]:
    match test:
        case AssertTest():
            return {"code": test.code}
        case StdioTest():
            back: dict[str, Any] = {"input": test.input, "outputs": list(test.outputs)}
        case CallTest():
            back = {"input": test.input, "outputs": list(test.outputs), "expected_json": test.expected}
    return back if test.group is None else {**back, "test_group": test.group}


def _checker(spec: ProblemSpec) -> dict[str, Any]:
    checker = dict(spec.checker)
    if spec.source == "gcj":
        checker.setdefault("float_tol", None)
    if spec.preamble:
        words = "from typing import * + the problem prompt (docstring stub) before the program"
        own = "from typing import *\n"
        checker["preamble"] = own.strip() if spec.preamble == own else words
    return checker
