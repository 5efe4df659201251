"""MBPP and the sets that extend its tests.

Sources: MBPP (google-research/mbpp, mbpp.jsonl and sanitized-mbpp.json; Austin et al. 2021, arXiv:2108.07732): text or
prompt, code, task_id, test_list, with test_setup_code and challenge_test_list, or test_imports and source_file.
MBPP-ET (Dong et al. 2023, arXiv:2301.09043, MBPP_ET.jsonl) has the same fields with more tests. MBPP+ (EvalPlus,
MbppPlus-v0.2.0.jsonl.gz; Liu et al. 2023, arXiv:2305.01210) gives base_input, plus_input and canonical_solution; its
Hugging Face export (evalplus/mbppplus) is the sanitised layout with one more script, test.

MBPP and MBPP-ET have the same fields: a file whose name has "ET" in it, or rows with more than the three tests and
one challenge of MBPP, are MBPP-ET.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from trajectories.importers import assertions, evalplus, mbpp_inputs, titles
from trajectories.importers.fault import Place
from trajectories.importers.row import Row
from trajectories.importers.source import Format, Found, Source
from trajectories.problem_schema import AssertTest, CheckerType, ProblemSpec, TestKind

_KNOWN = {
    *("task_id", "text", "prompt", "code", "entry_point", "canonical_solution"),
    *("test_list", "test_imports", "base_input", "plus_input", "test_case_list"),
}
_LICENCES = {
    "mbpp": "CC-BY-4.0 (google-research/mbpp)",
    "mbpp-et": "MBPP: CC-BY-4.0; tests: Dong et al., arXiv:2301.09043",
    "mbpp-plus": "MBPP: CC-BY-4.0; EvalPlus: Apache-2.0",
}
# The paper's parts of the data set, by task_id.
_SPLITS = ((10, "prompt"), (510, "test"), (600, "validation"), (974, "train"))
_ET_NAME = re.compile(r"(^|[^a-z])et([^a-z]|$)|mbpp_?et", re.IGNORECASE)
_MOST_TESTS = 4
_EVALPLUS_NAME = re.compile(r"^mbpp/(\d+)$", re.IGNORECASE)


def read(source: Source) -> Iterator[Found]:
    for place, row in source.rows():
        if "canonical_solution" in row:
            yield from source.problem(place, convert_evalplus, row)
        else:
            yield from source.problem(place, convert, row, _is_et(place))


def _is_et(place: Place) -> bool:
    return bool(_ET_NAME.search((place.member or place.file).rpartition("/")[2]))


def convert(row: Row, et: bool = False) -> ProblemSpec:
    number = _number(row)
    statement = row.text("text") if "text" in row else row.text("prompt")
    code = row.text("code")
    shown = row.texts("test_case_list") if "test_case_list" in row else row.texts("test_list")
    if not shown:
        raise row.malformed("test_list", "is missing", "give at least one assert statement")
    listed = "test_case_list" if "test_case_list" in row else "test_list"
    for one in shown:
        if why := assertions.fault(one):
            raise row.malformed(listed, f"is no Python ({why})", "give Python assert statements")
    name = row.text("entry_point") if "entry_point" in row else assertions.entry_point(shown, code)
    if name is None:
        raise row.malformed("test_list", "calls no function of `code`", "give assert statements that call it")
    script = row.text("test", "")
    source = "mbpp-plus" if script else "mbpp-et" if et or len(shown) > _MOST_TESTS else "mbpp"
    setup = "\n".join([*row.texts("test_imports"), row.text("test_setup_code", "")]).strip()
    tests = [AssertTest(code=f"{setup}\n{test}" if setup else test) for test in shown]
    if script:
        tests.append(AssertTest(code=script))
    samples = assertions.samples(shown[:1], setup)
    quirks = ("needs_numpy",) if "import numpy" in script else ()
    return ProblemSpec(
        id=f"{source}/{number}",
        group=f"mbpp/{number}",
        source=source,
        title=titles.clipped(name),
        statement=statement,
        entry_point=name,
        samples=samples,
        tests=tuple(tests),
        test_kind=TestKind.ASSERT,
        checker={"type": CheckerType.PYTHON_ASSERT.value},
        reference_solution=code,
        licence=_LICENCES[source],
        provenance={"task_id": row.value("task_id")},
        extra={name: value for name, value in row.rest(_KNOWN | {"test"}).items() if value not in ("", [])},
        quirks=quirks if samples else (*quirks, "no_samples"),
        split=_split(number),
    )


def convert_evalplus(row: Row) -> ProblemSpec:
    number, name = _number(row), row.text("entry_point")
    prompt = row.text("prompt")
    reference = prompt + row.text("canonical_solution")
    revive = mbpp_inputs.reviver(int(number))
    statement = prompt.strip().strip("\"'").strip()
    samples = assertions.samples([line for line in statement.splitlines() if line.startswith("assert ")])
    return ProblemSpec(
        id=f"mbpp-plus/{number}",
        group=f"mbpp/{number}",
        source="mbpp-plus",
        title=titles.clipped(name),
        statement=statement,
        entry_point=name,
        samples=samples,
        tests=evalplus.tests(row, reference, name, evalplus.MBPP_ORACLES, revive),
        test_kind=TestKind.ASSERT,
        checker={"type": CheckerType.PYTHON_ASSERT.value},
        reference_solution=reference,
        licence=_LICENCES["mbpp-plus"],
        provenance={"task_id": row.value("task_id")},
        extra=row.rest(_KNOWN),
        quirks=() if samples else ("no_samples",),
        split=_split(number),
    )


def _number(row: Row) -> str:
    """MBPP numbers its tasks, EvalPlus calls them Mbpp/2."""
    name = row.label("task_id")
    match = _EVALPLUS_NAME.match(name)
    number = match.group(1) if match else name
    if not number.isdecimal() or len(number) > 9:
        raise row.malformed("task_id", f"is {name[:40]!r}", "give the task's number")
    return number


def _split(number: str) -> str:
    return next((name for last, name in _SPLITS if int(number) <= last), "")


def recognises(row: Row) -> bool:
    if "canonical_solution" in row:
        return bool(_EVALPLUS_NAME.match(str(row.value("task_id"))))
    told = row.has_key("text") or row.has_key("prompt")
    return told and all(row.has_key(name) for name in ("task_id", "code", "test_list"))


FORMAT = Format(
    name="mbpp",
    about="MBPP (mbpp.jsonl, sanitized-mbpp.json), MBPP+ (EvalPlus), MBPP-ET",
    telling="task_id, text or prompt, code, test_list",
    read=read,
    of_row=recognises,
)
