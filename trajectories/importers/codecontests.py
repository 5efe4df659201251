"""CodeContests (deepmind/code_contests; Li et al. 2022, doi:10.1126/science.abq1158).

Rows of the Hugging Face export: name, description, public_tests, private_tests and generated_tests (each an object of
two lists, input and output), source, difficulty, solutions, cf_contest_id, cf_index, cf_points, cf_rating, cf_tags,
time_limit ({seconds, nanos}), memory_limit_bytes, input_file, output_file. The original release in Riegeli files is
not read; the reader of rows says so.

Public tests are the samples; private and generated ones are hidden. Of the many solutions one in Python 3 is kept.
"""

from __future__ import annotations

import re
from typing import Any

from trajectories.importers import sections, statement_hints, titles
from trajectories.importers.row import Row
from trajectories.importers.source import Format, row_by_row
from trajectories.problem_schema import ProblemSpec, Sample, StdioTest, TestKind

_SOURCES = ("UNKNOWN_SOURCE", "CODECHEF", "CODEFORCES", "HACKEREARTH", "CODEJAM", "ATCODER", "AIZU")
_DIFFICULTIES = ("", "easy", "medium", "hard", "harder", "hardest", "external", *"ABCDEFGHIJKLMNOPQRSTUV")
_PYTHON3 = (3, "PYTHON3")
_CODEFORCES_NAME = re.compile(r"^(\d+_[A-Z]\d*)\.")
_UNUSED = {
    *("name", "description", "public_tests", "private_tests", "generated_tests", "solutions"),
    *("incorrect_solutions", "source", "difficulty", "cf_tags", "time_limit", "memory_limit_bytes"),
}
_NOTHING: tuple[Any, ...] = (0, "", [])


def convert(row: Row) -> ProblemSpec:
    name = row.text("name")
    parts = sections.lined(row.text("description"))
    public = _tests(row, "public_tests")
    hidden = [
        *((test, "private") for test in _tests(row, "private_tests")),
        *((test, "generated") for test in _tests(row, "generated_tests")),
    ] or [(test, "public") for test in public]
    if not hidden:
        raise row.malformed("private_tests", "and the other tests are empty", "leave the problem out")
    samples = tuple(Sample(input=given, output=wanted) for given, wanted in public)
    texts = (parts.output_spec, parts.notes, parts.statement)
    return ProblemSpec(
        id=f"codecontests/{_short(name)}",
        group=f"codecontests/{_short(name)}",
        source="codecontests",
        title=titles.clipped(name),
        statement=parts.statement,
        input_spec=parts.input_spec,
        output_spec=parts.output_spec,
        notes=parts.notes,
        time_limit_s=_seconds(row),
        memory_limit_mb=(row.number("memory_limit_bytes") or 0.0) / 1_000_000 or None,
        tags=tuple(tag for tag in row.texts("cf_tags") if tag),
        difficulty=_difficulty(row),
        samples=samples,
        tests=tuple(
            StdioTest(input=given, outputs=(wanted,), group=group) for (given, wanted), group in hidden
        ),
        test_kind=TestKind.STDIO,
        checker=statement_hints.checker(*texts),
        reference_solution=_solution(row),
        licence="CC-BY-4.0 (google-deepmind/code_contests)",
        provenance={"name": name, "source": _label(row, "source", _SOURCES)},
        extra=_extra(row),
        quirks=(*statement_hints.quirks(samples, *texts), *_file_quirk(row)),
    )


def _tests(row: Row, field: str) -> list[tuple[str, str]]:
    if field not in row:
        return []
    tests = row.row(field)
    given, wanted = tests.texts("input"), tests.texts("output")
    if len(given) != len(wanted):
        problem = f"has {len(given)} inputs and {len(wanted)} outputs"
        raise row.malformed(field, problem, "give one output for each input")
    return list(zip(given, wanted, strict=True))


def _short(name: str) -> str:
    """Codeforces problems go by contest and letter; names of other sites are their own ids."""
    match = _CODEFORCES_NAME.match(name)
    return match[1] if match else "-".join(name.split())[:180]


def _seconds(row: Row) -> float | None:
    if isinstance(row.value("time_limit"), dict):
        limit = row.row("time_limit")
        return (limit.number("seconds") or 0.0) + (limit.number("nanos") or 0.0) / 1e9 or None
    return row.number("time_limit") or None


def _label(row: Row, field: str, names: tuple[str, ...]) -> str:
    """A class label, as its number or as its name."""
    value = row.value(field)
    if isinstance(value, int) and not isinstance(value, bool):
        if not 0 <= value < len(names):
            raise row.malformed(field, f"is {value}", f"give a number from 0 to {len(names) - 1}")
        return names[value]
    return row.text(field, "")


def _difficulty(row: Row) -> str:
    """The Codeforces rating where there is one: it says more than the letter of the problem."""
    rating = row.number("cf_rating")
    return f"{rating:g}" if rating else _label(row, "difficulty", _DIFFICULTIES)


def _solution(row: Row) -> str | None:
    if "solutions" not in row:
        return None
    found = row.row("solutions")
    pairs = zip(found.items("language"), found.items("solution"), strict=False)
    return next((text for language, text in pairs if language in _PYTHON3 and isinstance(text, str)), None)


def _extra(row: Row) -> dict[str, Any]:
    extra = {name: value for name, value in row.rest(_UNUSED).items() if value not in _NOTHING}
    for field in ("solutions", "incorrect_solutions"):
        if field in row and (count := len(row.row(field).items("solution"))):
            extra[f"{field}_published"] = count
    return extra


def _file_quirk(row: Row) -> tuple[str, ...]:
    """The statement wants files, the published tests go over stdin."""
    return ("file_io",) if row.text("input_file", "") or row.text("output_file", "") else ()


FORMAT = Format(
    name="codecontests",
    about="CodeContests, rows of its Hugging Face export as JSON Lines",
    telling="name, description, public_tests, private_tests",
    read=row_by_row(convert),
    of_row=lambda row: all(
        row.has_key(name) for name in ("name", "description", "public_tests", "private_tests")
    ),
)
