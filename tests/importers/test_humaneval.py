"""HumanEval and its extensions, in the shapes in which they are published; tasks of our own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.importers.files import data_rows, needs_data, read_all, read_clean, read_one, write_lines
from trajectories.problem_schema import AssertTest, ProblemSpec

PROMPT = '''from typing import List


def halves(values: List[int]) -> List[float]:
    """ Halve each value.
    >>> halves([2, 4])
    [1.0, 2.0]
    """
'''
TASK: dict[str, Any] = {
    "task_id": "HumanEval/901",
    "prompt": PROMPT,
    "entry_point": "halves",
    "canonical_solution": "    return [value / 2 for value in values]\n",
    "test": "\n\nMETADATA = {}\n\n\ndef check(candidate):\n    assert candidate([6]) == [3.0]\n\n",
}


def codes(spec: ProblemSpec) -> list[str]:
    return [test.code for test in spec.tests if isinstance(test, AssertTest)]


def run(spec: ProblemSpec, program: str | None) -> None:
    """As the judge does, but in one process: the program, then each test."""
    assert program is not None
    for code in codes(spec):
        scope: dict[str, Any] = {}
        exec(program, scope)
        exec(code, scope)


def test_the_check_function_is_called_with_the_program(tmp_path: Path) -> None:
    spec = read_one(write_lines(tmp_path / "HumanEval.jsonl", TASK))
    assert (spec.id, spec.source, spec.entry_point) == ("humaneval/901", "humaneval", "halves")
    run(spec, spec.preamble + (spec.reference_solution or ""))
    with pytest.raises(AssertionError):
        run(spec, "def halves(values): return values")


def test_the_prompt_stands_before_the_program(tmp_path: Path) -> None:
    helper = 'def double(x):\n    return 2 * x\n\n\ndef quadruple(x):\n    """Use double."""\n'
    task = TASK | {
        "prompt": helper,
        "entry_point": "quadruple",
        "test": "def check(f):\n    assert f(2) == 8\n",
    }
    spec = read_one(write_lines(tmp_path / "a.jsonl", task))
    run(spec, spec.preamble + "def quadruple(x):\n    return double(double(x))\n")


def test_doctests_of_the_prompt_are_the_samples(tmp_path: Path) -> None:
    spec = read_one(write_lines(tmp_path / "a.jsonl", TASK))
    (sample,) = spec.samples
    assert (sample.input, sample.output) == ("halves([2, 4])", "[1.0, 2.0]")
    assert sample.assert_code == "assert halves([2, 4]) == [1.0, 2.0]"


def test_a_prompt_without_examples_is_marked(tmp_path: Path) -> None:
    spec = read_one(
        write_lines(tmp_path / "a.jsonl", TASK | {"prompt": 'def halves(v):\n    """Halve."""\n'})
    )
    assert (spec.samples, spec.quirks) == ((), ("no_samples",))


def test_samples_that_are_no_python_are_left_out_and_kept(tmp_path: Path) -> None:
    given = ["assert halves([2]) == [1.0]", "assert halves([4]) => [2.0]"]
    spec = read_one(write_lines(tmp_path / "a.jsonl", TASK | {"sample_io": given}))
    assert [sample.assert_code for sample in spec.samples] == given[:1]
    assert spec.extra["sample_io"] == given


def test_et_tests_are_one_each(tmp_path: Path) -> None:
    cases = ["assert halves([2]) == [1.0]", "assert halves([]) == []"]
    spec = read_one(write_lines(tmp_path / "a.jsonl", TASK | {"test_case_list": cases}))
    assert (spec.id, spec.group) == ("humaneval-et/901", "humaneval/901")
    assert codes(spec) == cases
    assert spec.extra["test"] == TASK["test"]


PLUS = {name: value for name, value in TASK.items() if name != "test"} | {
    "base_input": [[[2, 4]], [[]]],
    "plus_input": [[[number]] for number in range(60)],
    "contract": "    assert isinstance(values, list)\n",
    "atol": 0,
}


def test_evalplus_tests_hold_inputs_and_reference(tmp_path: Path) -> None:
    spec = read_one(write_lines(tmp_path / "a.jsonl", PLUS))
    assert spec.id == "humaneval-plus/901"
    assert len(spec.tests) == 2 + 3
    run(spec, PROMPT + "    return [0.5 * value for value in values]\n")
    run(spec, PROMPT + "    return [value / 2 + 1e-9 for value in values]\n")
    assert spec.extra == {"contract": PLUS["contract"], "atol": 0}


@pytest.mark.parametrize(
    "body",
    [
        "    return [value / 2 + 1e-3 for value in values]\n",
        "    return tuple(value / 2 for value in values)\n",
        "    return [value / 2 for value in values][:1]\n",
        "    return [value / 2 for value in values if value != 37]\n",
        "    return [value / 2 for value in reversed(values)]\n",
        "    return None\n",
    ],
)
def test_evalplus_tests_refuse_wrong_programs(tmp_path: Path, body: str) -> None:
    spec = read_one(write_lines(tmp_path / "a.jsonl", PLUS))
    with pytest.raises(AssertionError):
        run(spec, PROMPT + body)


def test_a_program_that_changes_its_arguments_is_compared_with_the_unchanged_ones(tmp_path: Path) -> None:
    spec = read_one(write_lines(tmp_path / "a.jsonl", PLUS))
    run(spec, PROMPT + "    values[:] = [value / 2 for value in values]\n    return values\n")


def test_any_root_is_right_where_the_task_says_so(tmp_path: Path) -> None:
    task = PLUS | {
        "prompt": 'def find_zero(xs):\n    """Any root."""\n',
        "entry_point": "find_zero",
        "canonical_solution": "    return 1.0\n",
        "base_input": [[[2, -3, 1]]],
        "plus_input": [],
        "atol": 1e-4,
    }
    spec = read_one(write_lines(tmp_path / "a.jsonl", task))
    run(spec, "def find_zero(xs): return 2.00001")
    with pytest.raises(AssertionError):
        run(spec, "def find_zero(xs): return 1.5")


def test_infinity_among_inputs_is_written_as_python(tmp_path: Path) -> None:
    line = (
        '{"task_id": "HumanEval/9", "prompt": "def f(x):\\n    \\"\\"\\"x\\"\\"\\"\\n", "entry_point": "f", '
    )
    line += (
        '"canonical_solution": "    return x\\n", "base_input": [[Infinity]], "plus_input": [], "atol": 0}'
    )
    spec = read_one(write_lines(tmp_path / "a.jsonl", line))
    run(spec, "def f(x): return x")
    with pytest.raises(AssertionError):
        run(spec, "def f(x): return 1.0")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"task_id": "HumanEval/x"}, "task_id"),
        ({"entry_point": ""}, "entry_point"),
        ({"test": None}, "test"),
        ({"test_case_list": []}, "test_case_list"),
        ({"test_case_list": [1]}, "test_case_list[0]"),
        ({"base_input": [3], "plus_input": []}, "base_input[0]"),
        ({"base_input": [], "plus_input": []}, "base_input"),
    ],
)
def test_a_bad_task_names_its_field(tmp_path: Path, changes: dict[str, Any], field: str) -> None:
    specs, report = read_all(
        write_lines(tmp_path / "a.jsonl", TASK, TASK | {"task_id": "HumanEval/2"} | changes)
    )
    assert len(specs) == 1
    assert [(fault.line, fault.field) for fault in report.faults] == [(2, field)]


@needs_data
@pytest.mark.parametrize("source", ["humaneval", "humaneval-et"])
def test_the_published_shape_gives_the_tests_of_the_collection(source: str, tmp_path: Path) -> None:
    rows = list(data_rows(source))
    published = [
        {
            "task_id": f"HumanEval/{row['id'].rpartition('/')[2]}",
            "prompt": row["statement"],
            "entry_point": row["entry_point"],
            "canonical_solution": row["reference_solution"],
        }
        | (
            {"test_case_list": [test["code"] for test in row["tests"]]}
            if source == "humaneval-et"
            else {"test": row["tests"][0]["code"].removesuffix(f"\ncheck({row['entry_point']})\n")}
        )
        for row in rows
    ]
    specs = read_clean(write_lines(tmp_path / "a.jsonl", *published))
    assert [spec.id for spec in specs] == [row["id"] for row in rows]
    assert [codes(spec) for spec in specs] == [[test["code"] for test in row["tests"]] for row in rows]
    assert sum(bool(spec.samples) for spec in specs) > 0.8 * len(specs)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"test": "expect(halves([6])).toEqual([3])\nfunction check() {}"}, "test: is no Python (line 2: "),
        ({"test_case_list": ["assert halves([6]) = [3.0]"]}, "test_case_list: is no Python (line 1: "),
        ({"entry_point": "thirds"}, "entry_point: is 'thirds', which `prompt` does not define"),
        (
            {"canonical_solution": "    return [\n"},
            "canonical_solution: is no Python behind its prompt (line ",
        ),
    ],
)
def test_a_task_that_no_judge_could_run_is_refused_with_the_place(
    tmp_path: Path, changed: dict[str, Any], told: str
) -> None:
    problems, report = read_all(write_lines(tmp_path / "a.jsonl", TASK | changed))
    assert problems == []
    (fault,) = report.faults
    assert told in str(fault)
