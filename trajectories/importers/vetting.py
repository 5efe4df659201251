"""What every problem must be before it leaves the importers, whatever format it came from."""

from __future__ import annotations

import json
from collections.abc import Iterator

from pydantic import ValidationError

from trajectories.importers.bounds import Bounds, size
from trajectories.importers.fault import Malformed
from trajectories.problem_schema import AssertTest, CallTest, ProblemSpec, StdioTest

_MENDS = {
    "missing": "give it",
    "string_too_short": "give a text",
    "string_too_long": "shorten it",
    "string_type": "put it in quotes",
    "extra_forbidden": "remove it, or correct its name",
    "too_short": "give at least one",
    "greater_than": "give a larger number, or leave it out",
    "less_than_equal": "give a smaller number, or leave it out",
    "enum": "take one of those",
    "value_error": "correct the problem",
}


def vet(spec: ProblemSpec, bounds: Bounds) -> ProblemSpec:
    """The problem itself; raises `Malformed` where a text is too long, not Unicode, or data is not JSON."""
    if len(spec.tests) > bounds.tests:
        raise Malformed("tests", f"are {len(spec.tests)}", f"keep at most {bounds.tests}")
    total = 0
    for name, text in _texts(spec):
        try:
            length = len(text.encode())
        except UnicodeEncodeError as error:
            raise Malformed(
                name,
                f"holds half of a surrogate pair at character {error.start}",
                "write the whole character",
            ) from error
        if length > bounds.text:
            raise Malformed(
                name, f"is {size(length)} long, more than {size(bounds.text)}", "shorten it or drop the test"
            )
        total += length
    if total > bounds.problem:
        raise Malformed(
            "",
            f"the problem's texts are {size(total)} long, more than {size(bounds.problem)}",
            "drop some tests",
        )
    for name, value in _free_values(spec):
        try:
            json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
        except (ValueError, TypeError, RecursionError) as error:
            raise Malformed(name, f"holds a value that JSON does not know ({error})", "remove it") from error
    return spec


def _texts(spec: ProblemSpec) -> Iterator[tuple[str, str]]:
    for name in (
        "id",
        "source",
        "title",
        "statement",
        "input_spec",
        "output_spec",
        "notes",
        "difficulty",
        "licence",
    ):
        yield name, getattr(spec, name)
    for name in ("starter_code", "preamble", "reference_solution", "entry_point", "split", "group"):
        yield name, getattr(spec, name) or ""
    for name in ("tags", "quirks"):
        for text in getattr(spec, name):
            yield name, text
    for index, sample in enumerate(spec.samples):
        yield f"samples[{index}].input", sample.input
        yield f"samples[{index}].output", sample.output
        yield f"samples[{index}].assert", sample.assert_code or ""
    for index, test in enumerate(spec.tests):
        match test:
            case AssertTest():
                yield f"tests[{index}].code", test.code
            case StdioTest() | CallTest():
                yield f"tests[{index}].input", test.input or ""
                yield f"tests[{index}].group", test.group or ""
                for number, output in enumerate(test.outputs):
                    yield f"tests[{index}].outputs[{number}]", output


def _free_values(spec: ProblemSpec) -> Iterator[tuple[str, object]]:
    yield "checker", spec.checker
    yield "provenance", spec.provenance
    yield "extra", spec.extra
    for index, test in enumerate(spec.tests):
        if isinstance(test, CallTest):
            yield f"tests[{index}].args", test.args
            yield f"tests[{index}].expected", test.expected


def complaints(error: ValidationError, prefix: str = "") -> list[Malformed]:
    """One complaint for each field that the schema refuses."""
    found = []
    for one in error.errors(include_url=False, include_input=False):
        path = _path(one["loc"])
        field = ".".join(part for part in (prefix, path) if part)
        said = one["msg"].removeprefix("Value error, ")  # the sentence is ours, its beginning is not
        problem = said[:1].lower() + said[1:]
        found.append(Malformed(field, problem, _MENDS.get(one["type"], "correct it")))
    return found


def _path(loc: tuple[int | str, ...]) -> str:
    """`("tests", 3, "stdio", "outputs", 0)` is `tests[3].outputs[0]`: the kind of a test is no field."""
    if len(loc) > 2 and loc[0] == "tests":
        loc = (*loc[:2], *loc[3:])
    path = ""
    for part in loc:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path
