"""xCodeEval, program synthesis (NTU-NLP-sg/xCodeEval; Khan et al. 2023, arXiv:2303.03004).

Rows of problem_descriptions.jsonl, or of a split joined with it (fields then begin with `prob_desc_`): src_uid,
description, input_from, output_to, time_limit ("2 seconds"), memory_limit ("256 megabytes"), input_spec, output_spec,
notes, sample_inputs, sample_outputs, tags, difficulty. The hidden tests are in unittest_db.json beside the file, an
object of src_uid to [{input, output: [any of]}], or in each row as hidden_unit_tests.

The published judge is ExecEval, so its comparison is the problem's checker.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from trajectories.importers import statement_hints, titles
from trajectories.importers.fault import Malformed, Place
from trajectories.importers.row import Row
from trajectories.importers.source import Format, Found, Source
from trajectories.problem_schema import CheckerType, ProblemSpec, Sample, StdioTest, TestKind

TESTS_FILE = "unittest_db.json"
_PREFIX = "prob_desc_"
_TEXTS = ("description", "input_spec", "output_spec", "notes", "time_limit", "memory_limit")
_KNOWN = {*_TEXTS, "src_uid", "sample_inputs", "sample_outputs", "tags", "difficulty", "hidden_unit_tests"}
# A split's rows are programs: what is said of one of them says nothing of the problem.
_OF_A_PROGRAM = {"source_code", "lang", "lang_cluster", "code_uid", "exec_outcome", "file_name"}
_AMOUNT = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*$", re.IGNORECASE)
_UNITS = {"s": 1.0, "second": 1.0, "seconds": 1.0, "millisecond": 1e-3, "milliseconds": 1e-3, "ms": 1e-3}
_SIZES = {
    "mb": 1.0,
    "megabyte": 1.0,
    "megabytes": 1.0,
    "gigabyte": 1024.0,
    "gigabytes": 1024.0,
    "kilobytes": 1 / 1024,
}


def read(source: Source) -> Iterator[Found]:
    """Rows that hold their tests at once, the others in the order of the tests' file, which is read once."""
    waiting: dict[str, tuple[Place, Row]] = {}
    for place, row in source.rows():
        row = _plain(row)
        if "hidden_unit_tests" in row:
            yield from source.problem(place, _with_own_tests, row)
        elif (name := source.attempt(place, row.text, "src_uid")) is not None:
            waiting.setdefault(name, (place, row))
    if not waiting:
        return
    tests = source.sibling(TESTS_FILE)
    for name, value in tests.members() if tests else ():
        if name in waiting:
            place, row = waiting.pop(name)
            yield from source.problem(place, convert, row, value)
    mend = f"put {TESTS_FILE} of the data set beside the file" if tests is None else "leave the row out"
    for name, (place, _) in waiting.items():
        source.log.complain(place, Malformed("src_uid", f"{name!r} has no hidden tests", mend))


def _plain(row: Row) -> Row:
    """The row under the names of problem_descriptions.jsonl."""
    if not any(name.startswith(_PREFIX) for name in row.fields()):
        return row
    return Row({name.removeprefix(_PREFIX): row.value(name) for name in row.fields()})


def _with_own_tests(row: Row) -> ProblemSpec:
    return convert(row, row.json_text("hidden_unit_tests", "a list of tests"))


def convert(row: Row, tests: Any) -> ProblemSpec:
    name, statement = row.text("src_uid"), row.text("description")
    samples = _samples(row)
    found = tuple(_test(test) for test in Row({"hidden_unit_tests": tests}).rows("hidden_unit_tests"))
    if not found:
        raise row.malformed("hidden_unit_tests", "is empty", "leave the problem out")
    notes, output_spec = row.text("notes", ""), row.text("output_spec", "")
    return ProblemSpec(
        id=f"xcodeeval/{name}",
        group=f"xcodeeval/{name}",
        source="xcodeeval",
        title=titles.from_statement(statement, name),
        statement=statement,
        input_spec=row.text("input_spec", ""),
        output_spec=output_spec,
        notes=notes,
        time_limit_s=_amount(row, "time_limit", _UNITS),
        memory_limit_mb=_amount(row, "memory_limit", _SIZES),
        tags=tuple(row.texts("tags")),
        difficulty=row.label("difficulty"),
        samples=samples,
        tests=found,
        test_kind=TestKind.STDIO,
        checker={"type": CheckerType.EXECEVAL.value},
        licence="CC-BY-NC-4.0 (NTU-NLP-sg/xCodeEval), non-commercial",
        provenance={"src_uid": name},
        extra=row.rest(_KNOWN | _OF_A_PROGRAM),
        quirks=(*statement_hints.quirks(samples, output_spec, notes), *_quirks(row, found)),
    )


def _samples(row: Row) -> tuple[Sample, ...]:
    given, wanted = (_list(row, name) for name in ("sample_inputs", "sample_outputs"))
    if len(given) != len(wanted):
        problem = f"are {len(given)}, the sample outputs {len(wanted)}"
        raise row.malformed("sample_inputs", problem, "give one output for each input")
    return tuple(Sample(input=one, output=other) for one, other in zip(given, wanted, strict=True))


def _list(row: Row, name: str) -> list[str]:
    if name not in row:
        return []
    return Row({name: row.json_text(name, "a list of texts")}).texts(name)


def _test(row: Row) -> StdioTest:
    row.need("input", "a text")
    given, wanted = row.text("input", ""), row.value("output")
    outputs = [wanted] if isinstance(wanted, str) else row.texts("output")
    if not outputs:
        raise row.malformed("output", "is missing", "give a list of right outputs")
    return StdioTest(input=given, outputs=tuple(outputs))


def _amount(row: Row, name: str, units: dict[str, float]) -> float | None:
    if name not in row or isinstance(row.value(name), int | float):
        return row.number(name)
    text = row.text(name)
    match = _AMOUNT.match(text)
    if match is None or match[2].lower() not in units:
        raise row.malformed(name, f"is {text[:40]!r}", "give a number and a unit, such as '2 seconds'")
    return float(match[1]) * units[match[2].lower()]


def _quirks(row: Row, tests: tuple[StdioTest, ...]) -> Iterator[str]:
    if any("\r" in test.input for test in tests):
        yield "crlf_inputs"
    if any(len(test.outputs) > 1 for test in tests):
        yield "alternative_outputs"
    files = (row.text(name, "standard").lower() for name in ("input_from", "output_to"))
    if not all(name.startswith("standard") for name in files):
        yield "file_io"


FORMAT = Format(
    name="xcodeeval",
    about="xCodeEval, program synthesis, with unittest_db.json beside the file",
    telling="src_uid with description or prob_desc_description",
    read=read,
    of_row=lambda row: (
        row.has_key("src_uid") and (row.has_key("description") or row.has_key("prob_desc_description"))
    ),
    sidecars=frozenset({TESTS_FILE}),
)
