"""LiveCodeBench, code generation (livecodebench/code_generation and _lite; Jain et al. 2024, arXiv:2403.07974).

Rows of test.jsonl to test6.jsonl: question_title, question_content, platform, question_id, contest_id, contest_date,
starter_code, difficulty, public_test_cases (JSON as text: [{input, output, testtype}]), private_test_cases (the same,
or base64 of zlib of a pickle of that text), metadata (JSON as text, with func_name for LeetCode problems).

Public tests are the samples and, as in the published harness, count with the private ones. Functional tests hold one
JSON argument a line and a JSON result.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from trajectories.importers import call_values, pickled_text, sections, statement_hints, titles
from trajectories.importers.bounds import Bounds
from trajectories.importers.row import Row
from trajectories.importers.source import Format, Found, Source
from trajectories.problem_schema import CallTest, CheckerType, ProblemSpec, Sample, StdioTest, Test, TestKind

_KNOWN = {
    *("question_title", "question_content", "question_id", "starter_code", "difficulty", "metadata"),
    *("public_test_cases", "private_test_cases"),
}
_KINDS = {"stdin": TestKind.STDIO, "functional": TestKind.CALL}


def read(source: Source) -> Iterator[Found]:
    for place, row in source.rows():
        yield from source.problem(place, convert, row, source.bounds)


def convert(row: Row, bounds: Bounds) -> ProblemSpec:
    public = _cases(row, "public_test_cases", row.json_text("public_test_cases", "a list of tests"))
    private = _cases(row, "private_test_cases", _private(row, bounds))
    kind = _kind(row, [*public, *private])
    metadata = _metadata(row)
    samples = tuple(_sample(case, kind) for case in public)
    parts = _parts(row, kind)
    texts = (parts.output_spec, parts.notes, parts.statement)
    name = f"livecodebench/{row.label('question_id') or row.text('question_id')}"
    return ProblemSpec(
        id=name,
        group=name,
        source="livecodebench",
        title=titles.clipped(row.text("question_title")),
        statement=parts.statement,
        input_spec=parts.input_spec,
        output_spec=parts.output_spec,
        notes=parts.notes,
        difficulty=row.label("difficulty"),
        samples=samples,
        tests=tuple(_test(case, kind) for case in [*public, *private]),
        test_kind=kind,
        checker=_checker(kind, texts),
        entry_point=_entry_point(row, metadata) if kind is TestKind.CALL else None,
        starter_code=row.text("starter_code", ""),
        preamble=call_values.PREAMBLE if kind is TestKind.CALL else "",
        licence="CC (livecodebench/code_generation); texts of LeetCode, AtCoder and Codeforces",
        provenance={
            name: row.label(name)
            for name in ("platform", "question_id", "contest_id", "contest_date")
            if name in row
        },
        extra=row.rest(_KNOWN | {"platform", "contest_id", "contest_date"})
        | ({"metadata": rest} if (rest := {k: v for k, v in metadata.items() if k != "func_name"}) else {}),
        quirks=statement_hints.quirks(samples, *texts),
    )


def _private(row: Row, bounds: Bounds) -> Any:
    text = row.value("private_test_cases")
    if not isinstance(text, str) or text.lstrip().startswith("["):
        return row.json_text("private_test_cases", "a list of tests")
    try:
        return json.loads(pickled_text.unpacked(text, bounds.problem))
    except (pickled_text.NotAText, ValueError, RecursionError) as error:
        mend = "give JSON, or base64 of zlib of a pickled JSON text"
        raise row.malformed("private_test_cases", f"cannot be unpacked: {error}", mend) from error


def _cases(row: Row, field: str, value: Any) -> list[Row]:
    if not isinstance(value, list):
        raise row.malformed(field, "is not a list", "give [{input, output, testtype}, ...]")
    return Row({field: value}).rows(field)


def _kind(row: Row, cases: list[Row]) -> TestKind:
    if not cases:
        raise row.malformed(
            "private_test_cases", "are empty, and the public ones too", "leave the problem out"
        )
    names = {case.text("testtype") for case in cases}
    if len(names) > 1 or not names <= _KINDS.keys():
        mend = "make all of them stdin or all of them functional"
        raise row.malformed("public_test_cases", f"have the types {', '.join(sorted(names))}", mend)
    return _KINDS[names.pop()]


def _parts(row: Row, kind: TestKind) -> sections.Sections:
    """LeetCode's examples are part of its prose; contest statements have headings."""
    text = row.text("question_content")
    return sections.lined(text) if kind is TestKind.STDIO else sections.Sections(statement=text)


def _checker(kind: TestKind, texts: tuple[str, ...]) -> dict[str, Any]:
    found = statement_hints.checker(*texts)
    if found["type"] == CheckerType.DEFAULT and kind is TestKind.STDIO:
        return {"type": CheckerType.LIVECODEBENCH.value}
    return found


def _metadata(row: Row) -> dict[str, Any]:
    if "metadata" not in row or row.value("metadata") == "":
        return {}
    value = row.json_text("metadata", "an object")
    return dict(Row.of(value, "metadata").rest(()))


def _entry_point(row: Row, metadata: dict[str, Any]) -> str:
    name = metadata.get("func_name")
    if not isinstance(name, str):
        mend = "functional tests need the function's name there"
        raise row.malformed("metadata", "has no func_name", mend)
    return call_values.entry_point(name, "metadata.func_name")


def _texts(case: Row) -> tuple[str, str]:
    for name in ("input", "output"):
        case.need(name, "a text, which may be empty")
    return case.text("input", ""), case.text("output", "")


def _test(case: Row, kind: TestKind) -> Test:
    if kind is TestKind.STDIO:
        given, wanted = _texts(case)
        return StdioTest(input=given, outputs=(wanted,))
    args, expected = _values(case)
    return CallTest(args=tuple(args), expected=expected)


def _sample(case: Row, kind: TestKind) -> Sample:
    if kind is TestKind.STDIO:
        given, wanted = _texts(case)
        return Sample(input=given, output=wanted)
    return call_values.sample(*_values(case))


def _values(case: Row) -> tuple[list[Any], Any]:
    given, wanted = _texts(case)
    lines = [line for line in given.split("\n") if line.strip()]
    return [_json(case, "input", line) for line in lines], _json(case, "output", wanted)


def _json(case: Row, field: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise case.malformed(field, f"{text[:40]!r} is not JSON", "give one JSON value a line") from error


FORMAT = Format(
    name="livecodebench",
    about="LiveCodeBench, code generation",
    telling="question_content, public_test_cases, private_test_cases",
    read=read,
    of_row=lambda row: row.has_key("question_content") and row.has_key("public_test_cases"),
)
