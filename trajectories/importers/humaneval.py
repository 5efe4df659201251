"""HumanEval and the sets that extend its tests.

Sources: HumanEval (openai/human-eval, HumanEval.jsonl.gz; Chen et al. 2021, arXiv:2107.03374): task_id, prompt,
entry_point, canonical_solution, test. HumanEval-ET (Dong et al. 2023, arXiv:2301.09043) adds test_case_list.
HumanEval+ (EvalPlus, HumanEvalPlus-v0.1.10.jsonl.gz; Liu et al. 2023, arXiv:2305.01210) gives base_input, plus_input,
contract and atol instead of test; its Hugging Face export (evalplus/humanevalplus) has a script in test again.
MapCoder's HumanEvalWST.jsonl adds sample_io.

As in the original harness, the prompt stands before the program: some prompts define helpers that the task needs.
"""

from __future__ import annotations

from typing import Any

from trajectories.importers import assertions, docstring_examples, evalplus
from trajectories.importers.row import Row
from trajectories.importers.source import Format, row_by_row
from trajectories.problem_schema import AssertTest, CheckerType, ProblemSpec, Sample, TestKind

_KNOWN = {"task_id", "prompt", "entry_point", "canonical_solution", "test", "test_case_list"}
_LICENCES = {
    "humaneval": "MIT (openai/human-eval)",
    "humaneval-et": "HumanEval: MIT; tests: Dong et al., arXiv:2301.09043",
    "humaneval-plus": "HumanEval: MIT; EvalPlus: Apache-2.0",
}
# The script of the Hugging Face export of HumanEval+ compares through a function of this name.
_PLUS_SCRIPT = "def assertion("


def convert(row: Row) -> ProblemSpec:
    name, prompt, number = row.text("entry_point"), row.text("prompt"), _number(row)
    solution = prompt + row.text("canonical_solution")
    if why := assertions.fault(solution):
        raise row.malformed("canonical_solution", f"is no Python behind its prompt ({why})", "correct it")
    if not assertions.defines(solution, name):
        raise row.malformed(
            "entry_point",
            f"is {name[:40]!r}, which `prompt` does not define",
            "name the function that the tests call",
        )
    source, tests = _tests(row, name)
    quirks = ("needs_numpy",) if any("import numpy" in test.code for test in tests) else ()
    samples = _samples(row, prompt, name)
    return ProblemSpec(
        id=f"{source}/{number}",
        group=f"humaneval/{number}",
        source=source,
        title=name,
        statement=prompt,
        starter_code=prompt,
        preamble=f"from typing import *\n{prompt}",
        entry_point=name,
        samples=samples,
        tests=tests,
        test_kind=TestKind.ASSERT,
        checker={"type": CheckerType.PYTHON_ASSERT.value},
        reference_solution=solution,
        licence=_LICENCES[source],
        provenance={"task_id": row.text("task_id")},
        extra=_extra(row),
        quirks=quirks if samples else (*quirks, "no_samples"),
    )


def _number(row: Row) -> str:
    name = row.text("task_id")
    number = name.rpartition("/")[2]
    if not number.isdigit():
        raise row.malformed("task_id", f"is {name[:40]!r}", "give it as HumanEval/0")
    return number


def _tests(row: Row, name: str) -> tuple[str, tuple[AssertTest, ...]]:
    """The set that the tests make it, and the tests."""
    if "test_case_list" in row:
        codes = row.texts("test_case_list")
        if not codes:
            raise row.malformed("test_case_list", "is empty", "give at least one assert statement")
        _check(row, "test_case_list", codes)
        return "humaneval-et", tuple(AssertTest(code=code) for code in codes)
    if "base_input" in row or "plus_input" in row:
        reference = row.text("prompt") + row.text("canonical_solution")
        return "humaneval-plus", evalplus.tests(row, reference, name, evalplus.HUMANEVAL_ORACLES)
    code = row.text("test")
    _check(row, "test", [code])
    source = "humaneval-plus" if _PLUS_SCRIPT in code else "humaneval"
    call = f"check({name})"
    return source, (AssertTest(code=code if call in code else f"{code}\n{call}\n"),)


def _check(row: Row, name: str, codes: list[str]) -> None:
    for code in codes:
        if why := assertions.fault(code):
            raise row.malformed(name, f"is no Python ({why})", "give Python assert statements")


def _samples(row: Row, prompt: str, name: str) -> tuple[Sample, ...]:
    if "sample_io" in row:
        return assertions.samples(row.texts("sample_io"))
    return docstring_examples.samples(prompt, name)


def _extra(row: Row) -> dict[str, Any]:
    """What is not used; for EvalPlus without the inputs, which are in the tests."""
    extra = row.rest(_KNOWN | {"base_input", "plus_input"})
    if "test_case_list" in row and "test" in row:
        extra["test"] = row.text("test")
    return extra


FORMAT = Format(
    name="humaneval",
    about="HumanEval, HumanEval+ (EvalPlus), HumanEval-ET",
    telling="task_id such as HumanEval/0, prompt, entry_point, canonical_solution",
    read=row_by_row(convert),
    of_row=lambda row: (
        all(row.has_key(name) for name in ("task_id", "prompt", "entry_point", "canonical_solution"))
        and str(row.value("task_id")).lower().startswith("humaneval")
    ),
)
