"""APPS (hendrycks/apps; Hendrycks et al. 2021, arXiv:2105.09938).

Two layouts: rows of the Hugging Face export (codeparrot/apps: problem_id or id, question, solutions, input_output,
difficulty, url, starter_code, with JSON as text in solutions and input_output), and the original tree, a folder a
problem with question.txt, input_output.json and, where they exist, metadata.json, solutions.json, starter_code.py.

input_output holds inputs and outputs, and fn_name where a function is called. Both halves of the data set number
their problems from 0, so ids hold `train` or `test` where the file or folder says which.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from trajectories.importers import call_values, sections, statement_hints, titles
from trajectories.importers.fault import Malformed, Place
from trajectories.importers.row import Row
from trajectories.importers.source import Format, Found, Source
from trajectories.importers.tree import read_text
from trajectories.problem_schema import ProblemSpec, StdioTest, Test, TestKind

QUESTION, TESTS = "question.txt", "input_output.json"
_SPLIT = re.compile(r"(?:^|[^a-z])(train|test)(?![a-z])", re.IGNORECASE)
_KNOWN = {"problem_id", "id", "question", "solutions", "input_output", "difficulty", "url", "starter_code"}


def read(source: Source) -> Iterator[Found]:
    if source.tree is not None:
        yield from _read_tree(source)
        return
    for place, row in source.rows():
        yield from source.problem(place, convert, row, _split(place.member or place.file))


def _read_tree(source: Source) -> Iterator[Found]:
    tree = source.files()
    names = set(tree.names())
    for name in sorted(names):
        folder, _, base = name.rpartition("/")
        if base != QUESTION:
            continue
        place = source.place.inside(folder or source.place.file)
        row = source.attempt(place, _folder_row, source, names, folder, place)
        if row is not None:
            yield from source.problem(
                place, convert, row, _split(folder.rpartition("/")[0] or source.place.file)
            )


def _folder_row(source: Source, names: set[str], folder: str, place: Place) -> Row:
    """A folder under the names of the rows."""
    limit = source.bounds.row

    def text(base: str) -> str | None:
        name = f"{folder}/{base}".lstrip("/")
        return read_text(source.files(), name, limit) if name in names else None

    if text(TESTS) is None:
        raise Malformed("", f"has no {TESTS}", "leave the problem out: it has no tests", member=folder)
    data: dict[str, Any] = {
        "problem_id": folder.rpartition("/")[2] or place.file,
        "question": text(QUESTION),
        "input_output": text(TESTS),
        "solutions": text("solutions.json"),
        "starter_code": text("starter_code.py"),
    }
    if (metadata := text("metadata.json")) is not None:
        found = Row.of(
            Row({"metadata.json": metadata}).json_text("metadata.json", "an object"), "metadata.json"
        )
        data |= {name: value for name, value in found.rest(()).items() if data.get(name) is None}
    return Row(data)


def _split(name: str) -> str:
    match = _SPLIT.search(name)
    return match[1].lower() if match else ""


def convert(row: Row, split: str = "") -> ProblemSpec:
    number = row.label("problem_id") or row.label("id")
    if not number:
        raise row.malformed("problem_id", "is missing", "give the problem's number")
    number = number.lstrip("0") or "0" if number.isdecimal() else number
    plan = Row.of(row.json_text("input_output", "an object with inputs and outputs"), "input_output")
    name = plan.text("fn_name") if "fn_name" in plan else None
    call = name is not None
    tests = _call_tests(plan) if call else _stdio_tests(plan)
    question = row.text("question")
    parts = sections.Sections(statement=question) if call else sections.dashed(question)
    texts = (parts.output_spec, parts.notes, parts.statement)
    name_here = f"apps/{split}/{number}" if split else f"apps/{number}"
    return ProblemSpec(
        id=name_here,
        group=name_here,
        source="apps",
        title=titles.clipped(f"APPS {split} {number}"),
        statement=parts.statement,
        input_spec=parts.input_spec,
        output_spec=parts.output_spec,
        notes=parts.notes,
        difficulty=row.label("difficulty"),
        samples=parts.samples,
        tests=tests,
        test_kind=TestKind.CALL if call else TestKind.STDIO,
        checker=statement_hints.checker(*texts),
        entry_point=call_values.entry_point(name, "input_output.fn_name") if name else None,
        starter_code=row.text("starter_code", ""),
        preamble=call_values.PREAMBLE if call else "",
        reference_solution=next(iter(solutions := _solutions(row)), None),
        licence="MIT (hendrycks/apps); texts of Codeforces, Codewars, AtCoder, Kattis and others",
        provenance={"url": row.text("url")} if row.text("url", "") else {},
        extra=row.rest(_KNOWN) | ({"solutions_published": len(solutions)} if solutions else {}),
        quirks=statement_hints.quirks(parts.samples, *texts),
        split=split,
    )


def _pairs(plan: Row) -> list[tuple[Any, Any]]:
    given, wanted = plan.items("inputs"), plan.items("outputs")
    if not given:
        raise plan.malformed("inputs", "are empty", "leave the problem out: it has no tests")
    if len(given) != len(wanted):
        problem = f"are {len(given)}, the outputs {len(wanted)}"
        raise plan.malformed("inputs", problem, "give one output for each input")
    return list(zip(given, wanted, strict=True))


def _stdio_tests(plan: Row) -> tuple[Test, ...]:
    return tuple(
        StdioTest(
            input=_text(plan, f"inputs[{index}]", one), outputs=(_text(plan, f"outputs[{index}]", other),)
        )
        for index, (one, other) in enumerate(_pairs(plan))
    )


def _text(plan: Row, field: str, value: Any) -> str:
    """Some inputs and outputs are lists of lines."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "\n".join(value)
    raise plan.malformed(field, "is neither text nor a list of lines", "give the text")


def _call_tests(plan: Row) -> tuple[Test, ...]:
    """Results are published bare or in a list of their own, and the harness takes both: in a list when all are."""
    pairs = _pairs(plan)
    wrapped = all(isinstance(wanted, list) and len(wanted) == 1 for _, wanted in pairs)
    tests: list[Test] = []
    for index, (given, wanted) in enumerate(pairs):
        if not isinstance(given, list):
            raise plan.malformed(f"inputs[{index}]", "is not a list of arguments", "write it as [ ... ]")
        tests.append(call_values.test(given, wanted[0] if wrapped else wanted))
    return tuple(tests)


def _solutions(row: Row) -> list[str]:
    if "solutions" not in row or row.value("solutions") == "":
        return []
    return Row({"solutions": row.json_text("solutions", "a list of programs")}).texts("solutions")


def _of_tree(names: list[str]) -> bool:
    folders = {name.rpartition("/")[0] for name in names if name.rpartition("/")[2] == QUESTION}
    return any(name.rpartition("/")[0] in folders for name in names if name.rpartition("/")[2] == TESTS)


FORMAT = Format(
    name="apps",
    about="APPS: rows of its Hugging Face export, or the original folders",
    telling=f"question, input_output; or folders with {QUESTION} and {TESTS}",
    read=read,
    of_row=lambda row: row.has_key("question") and row.has_key("input_output"),
    of_tree=_of_tree,
)
