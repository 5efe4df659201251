"""The lab's own layout: one `ProblemSpec` a line. docs/reference/problem-format.md describes it.

Reading is generous where public collections in this layout differ (other names for the same field, numbers for
labels, null for nothing); writing is not: `dump` gives the field names of `ProblemSpec`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, TextIO

from trajectories.importers import assertions, titles
from trajectories.importers.row import Row
from trajectories.importers.source import Format, row_by_row
from trajectories.problem_schema import (
    AssertTest,
    CallTest,
    CheckerType,
    ProblemSpec,
    Sample,
    StdioTest,
    Test,
    TestKind,
)

_TEXTS = ("input_spec", "output_spec", "notes", "starter_code", "licence", "split", "group")
_TEST_FIELDS = {
    TestKind.STDIO: {"kind", "input", "outputs", "group", "test_group"},
    TestKind.CALL: {"kind", "input", "outputs", "group", "test_group", "args", "expected", "expected_json"},
    TestKind.ASSERT: {"kind", "code"},
}
_TYPING = "from typing import *"


def dump(problems: Iterable[ProblemSpec], stream: TextIO) -> int:
    """Write one problem a line; how many were written. Empty fields are left out."""
    count = 0
    for spec in problems:
        stream.write(line(spec))
        count += 1
    return count


def line(spec: ProblemSpec) -> str:
    data = _filled(spec.model_dump(mode="json", by_alias=True))
    data["samples"] = [
        {name: text for name, text in sample.items() if text is not None}
        for sample in data.get("samples", ())
    ]
    data["tests"] = [_written(test) for test in data["tests"]]
    return json.dumps(data, ensure_ascii=False, sort_keys=True, allow_nan=False) + "\n"


def _filled(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if value not in ("", [], {}, None)}


def _written(test: dict[str, Any]) -> dict[str, Any]:
    """Texts of a test may be empty, and null may be the right answer of a call."""
    answered = test["kind"] != TestKind.CALL or test["outputs"]
    return {
        name: value
        for name, value in test.items()
        if value is not None or (name == "expected" and not answered)
    }


def convert(row: Row) -> ProblemSpec:
    kind = _kind(row)
    tests = row.rows("tests")
    if not tests:
        raise row.malformed("tests", "are missing", "give at least one test")
    statement = row.text("statement")
    checker, preamble = _checker(row)
    setup = row.text("setup_code", "")  # of MBPP: statements that every test of the problem needs
    extra = dict(row.row("extra").rest(()) if "extra" in row else {})
    extra.update(row.rest(_KNOWN))
    if left := _unknown_in_tests(tests, kind):
        extra["tests"] = left
    return ProblemSpec(
        id=row.text("id"),
        source=row.text("source"),
        title=row.text("title", "").strip() or titles.from_statement(statement, row.text("id")),
        statement=statement,
        **{name: row.text(name, "") for name in _TEXTS},
        time_limit_s=row.number("time_limit_s"),
        memory_limit_mb=row.number("memory_limit_mb"),
        tags=tuple(row.texts("tags")),
        difficulty=row.label("difficulty"),
        samples=tuple(assertions.with_setup(_sample(sample), setup) for sample in row.rows("samples")),
        tests=tuple(_test(test, kind, setup) for test in tests),
        test_kind=kind,
        checker=checker,
        entry_point=row.text("entry_point") if "entry_point" in row else None,
        preamble=preamble,
        reference_solution=_reference(row),
        provenance=row.row("provenance").rest(()) if "provenance" in row else {},
        extra=extra,
        quirks=tuple(row.texts("quirks")),
    )


def _kind(row: Row) -> TestKind:
    name = row.text("test_kind")
    try:
        return TestKind(name)
    except ValueError as error:
        kinds = ", ".join(kind.value for kind in TestKind)
        raise row.malformed("test_kind", f"is {name!r}", f"give one of {kinds}") from error


def _sample(row: Row) -> Sample:
    unknown = row.rest({"input", "output", "assert"})
    if unknown:
        raise row.malformed(
            next(iter(unknown)), "is no field of a sample", "give input, output and, at will, assert"
        )
    assertion = row.text("assert") if "assert" in row else None
    return Sample(input=_whole(row, "input"), output=_whole(row, "output"), assert_code=assertion)


def _whole(row: Row, name: str) -> str:
    """A text that may be empty but not absent: a test whose input is forgotten is no test with empty input."""
    row.need(name, "a text, which may be empty")
    return row.text(name, "")


def _test(row: Row, kind: TestKind, setup: str) -> Test:
    if "kind" in row and row.value("kind") != kind.value:
        raise row.malformed(
            "kind", f"is {row.value('kind')!r}", f"make it {kind.value!r}, as the problem's test_kind"
        )
    if kind is TestKind.ASSERT:
        return AssertTest(code=f"{setup}\n{row.text('code')}" if setup else row.text("code"))
    group = row.label("group") or row.label("test_group") or None
    outputs = tuple(row.texts("outputs"))
    if kind is TestKind.STDIO:
        if not outputs:
            raise row.malformed(
                "outputs", "are missing", "give a list of right outputs, even if it is only one"
            )
        return StdioTest(input=_whole(row, "input"), outputs=outputs, group=group)
    return _call_test(row, outputs, group)


def _call_test(row: Row, outputs: tuple[str, ...], group: str | None) -> CallTest:
    args = tuple(row.items("args")) if "args" in row else None
    expected = "expected" if row.has_key("expected") else "expected_json"
    if args is None and "input" not in row:
        raise row.malformed(
            "args", "are missing", "give `args` (JSON values) or `input` (one argument a line)"
        )
    if not outputs and not row.has_key(expected):
        raise row.malformed(
            "expected", "is missing", "give `expected` (a JSON value, null included) or `outputs`"
        )
    return CallTest(
        args=args,
        expected=row.value(expected),
        input=row.text("input", "") if "input" in row else None,
        outputs=outputs,
        group=group,
    )


def _unknown_in_tests(tests: list[Row], kind: TestKind) -> dict[str, Any]:
    """What tests say beyond the schema (such as a guess at a call's arguments), by the test's number."""
    found = ((str(index), test.rest(_TEST_FIELDS[kind])) for index, test in enumerate(tests))
    return {index: rest for index, rest in found if rest}


def _checker(row: Row) -> tuple[dict[str, Any], str]:
    """The checker, and the code that goes before a program.

    Public collections put the latter into the checker, in words where it is "the prompt": the function's stub then
    stands in `starter_code`, and its docstring makes it a definition that the program overrides.
    """
    if "checker" not in row:
        return {"type": CheckerType.DEFAULT.value}, row.text("preamble", "")
    found = row.row("checker")
    name = found.text("type")
    if name not in set(CheckerType):
        types = ", ".join(CheckerType)
        raise found.malformed("type", f"is {name!r}, which no checker is called", f"give one of {types}")
    checker = found.rest({"preamble"})
    words = found.text("preamble", "")
    if "preamble" in row or not words:
        return checker, row.text("preamble", "")
    if not words.startswith(_TYPING):
        raise found.malformed(
            "preamble", f"is {words[:60]!r}", "put the code itself into the problem's `preamble`"
        )
    code = f"{_TYPING}\n"
    if words != _TYPING:
        code += row.text("starter_code")
    return checker, code


def _reference(row: Row) -> str | None:
    """A whole program. HumanEval's reference is the body of the function that `starter_code` begins."""
    if "reference_solution" not in row:
        return None
    text = row.text("reference_solution")
    indented = text.lstrip("\r\n").startswith((" ", "\t"))
    return row.text("starter_code", "") + text if indented else text


_KNOWN = set(ProblemSpec.model_fields)

FORMAT = Format(
    name="normalised",
    about="the lab's own layout (docs/reference/problem-format.md)",
    telling="JSON Lines with id, statement, tests and test_kind",
    read=row_by_row(convert),
    of_row=lambda row: all(row.has_key(name) for name in ("id", "statement", "tests", "test_kind")),
)
