"""MBPP and its extensions, in the shapes in which they are published; tasks of our own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.importers.files import data_rows, needs_data, read_all, read_clean, read_one, write_lines
from tests.importers.test_humaneval import codes, run
from trajectories.importers import mbpp_inputs

# Published solutions write patterns without r'' in front.
pytestmark = pytest.mark.filterwarnings("ignore:invalid escape sequence")
TASK: dict[str, Any] = {
    "task_id": 12,
    "text": "Write a function to count the even numbers of a list.",
    "code": "def helper(x):\n    return x % 2 == 0\n\ndef count_even(xs):\n    return len([x for x in xs if helper(x)])",
    "test_setup_code": "",
    "test_list": [
        "assert count_even([1,2,4])==2",
        "assert count_even([]) == 0",
        "assert count_even([3]) == 0",
    ],
    "challenge_test_list": [],
}


def test_the_function_is_the_one_that_the_tests_call(tmp_path: Path) -> None:
    spec = read_one(write_lines(tmp_path / "mbpp.jsonl", TASK))
    assert (spec.id, spec.entry_point, spec.split) == ("mbpp/12", "count_even", "test")
    assert [(sample.input, sample.output) for sample in spec.samples] == [("count_even([1,2,4])", "2")]
    run(spec, spec.reference_solution)
    with pytest.raises(AssertionError):
        run(spec, "def count_even(xs): return 0")


def test_a_function_inside_another_call_is_found(tmp_path: Path) -> None:
    task = TASK | {
        "code": "def pairs(x):\n    return [x, x]",
        "test_list": ["assert set(pairs(1)) == set([1])"],
    }
    assert read_one(write_lines(tmp_path / "mbpp.jsonl", task)).entry_point == "pairs"


def test_setup_code_goes_before_every_test(tmp_path: Path) -> None:
    task = TASK | {"test_setup_code": "box = Box(3)", "test_list": ["assert look(box) == 3"] * 2}
    task["code"] = (
        "class Box:\n    def __init__(self, n):\n        self.n = n\n\ndef look(box):\n    return box.n"
    )
    spec = read_one(write_lines(tmp_path / "mbpp.jsonl", task))
    run(spec, spec.reference_solution)
    assert spec.entry_point == "look"
    assert [sample.assert_code for sample in spec.samples] == codes(spec)[:1]


def test_the_sanitised_array_has_imports_instead(tmp_path: Path) -> None:
    task = {
        "source_file": "x.ipynb",
        "task_id": 700,
        "prompt": "Write a function for the square root.",
        "code": "import math\ndef root(x):\n    return math.sqrt(x)",
        "test_imports": ["import math"],
        "test_list": ["assert math.isclose(root(4), 2)"],
    }
    path = tmp_path / "sanitized-mbpp.json"
    path.write_text(json.dumps([task], indent=4))
    spec = read_one(path)
    assert codes(spec)[0] == "import math\nassert math.isclose(root(4), 2)"
    assert (spec.split, spec.extra) == ("train", {"source_file": "x.ipynb"})
    assert spec.samples[0].output == "True"


@pytest.mark.parametrize(
    ("name", "tests", "source"), [("MBPP_ET.jsonl", 2, "mbpp-et"), ("x.jsonl", 9, "mbpp-et")]
)
def test_more_tests_or_the_name_make_it_et(tmp_path: Path, name: str, tests: int, source: str) -> None:
    task = TASK | {"test_list": [f"assert count_even([{n}]) == {1 - n % 2}" for n in range(tests)]}
    spec = read_one(write_lines(tmp_path / name, task))
    assert (spec.source, spec.id, spec.group) == (source, f"{source}/12", "mbpp/12")


def test_the_script_of_the_evalplus_export_is_a_further_test(tmp_path: Path) -> None:
    script = "import numpy as np\nfor inp, exp in zip([[[2]]], [1]):\n    assert count_even(*inp) == exp\n"
    spec = read_one(write_lines(tmp_path / "a.jsonl", TASK | {"test": script}))
    assert (spec.source, spec.quirks) == ("mbpp-plus", ("needs_numpy",))
    assert codes(spec)[-1] == script


def plus(number: int, name: str, body: str, inputs: list[Any], atol: float = 0) -> dict[str, Any]:
    return {
        "task_id": f"Mbpp/{number}",
        "prompt": f'"""\nWrite a function.\nassert {name}(1) == 2\n"""\n',
        "entry_point": name,
        "canonical_solution": f"\ndef {name}(*args):\n    {body}\n",
        "base_input": inputs,
        "plus_input": [],
        "contract": "",
        "assertion": "",
        "atol": atol,
    }


def test_evalplus_arguments_become_what_the_task_means(tmp_path: Path) -> None:
    body = "a, b = args\n    assert type(a) is type(b) is tuple\n    return tuple(set(a) & set(b))"
    spec = read_one(write_lines(tmp_path / "a.jsonl", plus(2, "similar_elements", body, [[[3, 4], [4, 3]]])))
    assert (spec.id, spec.statement.splitlines()[0]) == ("mbpp-plus/2", "Write a function.")
    run(spec, "def similar_elements(a, b): return (4, 3, 4)")
    with pytest.raises(AssertionError):
        run(spec, "def similar_elements(a, b): return (4,)")


@pytest.mark.parametrize(
    ("number", "name", "reference", "args", "right", "wrong"),
    [
        (164, "are_equivalent", "return True", [1, 2], ["True", "False", "7"], []),
        (295, "sum_div", "return 6", [8], ["6", "0"], ["7"]),
        (581, "surface_Area", "return 33", [3, 4], ["33", "35"], ["34"]),
        (558, "digit_distance_nums", "return 9", [1, 23], ["9", "4"], ["5"]),
        (756, "text_match_three", "return None", ["x"], ["None", "False"], ["True", "'Match'"]),
        (800, "of_floats", "return [0.1]", [1], ["[0.1 + 1e-8]"], ["[0.2]", "(0.1,)", "[]", "float('nan')"]),
        (801, "of_ints", "return [10**9]", [1], ["[10**9]", "[1e9]"], ["[10**9 + 1]"]),
        (802, "of_nan", "return float('nan')", [1], [], ["float('nan')", "1.0"]),
    ],
)
def test_the_rules_of_single_tasks(
    tmp_path: Path,
    number: int,
    name: str,
    reference: str,
    args: list[Any],
    right: list[str],
    wrong: list[str],
) -> None:
    spec = read_one(write_lines(tmp_path / "a.jsonl", plus(number, name, reference, [args])))
    for answer in right:
        run(spec, f"def {name}(*args): return {answer}")
    for answer in wrong:
        with pytest.raises(AssertionError):
            run(spec, f"def {name}(*args): return {answer}")


@pytest.mark.parametrize(
    ("number", "args", "meant"),
    [
        (2, [[1], [2]], [(1,), (2,)]),
        (63, [[[1, 2]]], [[(1, 2)]]),
        (75, [[[1, 2]], 3], [[(1, 2)], 3]),
        (106, [[1], [2]], [[1], (2,)]),
        (115, [[[1], [], 3]], [[{1}, {}, {}]]),
        (124, ["1.5", "1+2j"], [1.5, 1 + 2j]),
        (250, [[1], 2], [(1,), 2]),
        (259, [[[1], [2]]], [((1,), (2,))]),
        (278, [[1, [2]]], [(1, (2,))]),
        (307, [[1], 2, 3], [(1,), 2, 3]),
        (722, [{"a": [1]}, 2], [{"a": (1,)}, 2]),
        (252, ["1j"], [1j]),
        (580, [[1, [2, [3]]]], [(1, (2, (3,)))]),
        (3, [[1]], [[1]]),
    ],
)
def test_what_lists_stand_for(number: int, args: list[Any], meant: list[Any]) -> None:
    assert mbpp_inputs.reviver(number)(args) == meant


@pytest.mark.parametrize(
    ("task", "field"),
    [
        (TASK | {"task_id": "two"}, "task_id"),
        (TASK | {"test_list": []}, "test_list"),
        (TASK | {"test_list": ["assert 1 == 1"]}, "test_list"),
        (TASK | {"code": 5}, "code"),
        (plus(124, "angle", "return 1", [["x", "y"]]), "base_input[0]"),
    ],
)
def test_a_bad_task_names_its_field(tmp_path: Path, task: dict[str, Any], field: str) -> None:
    _, report = read_all(write_lines(tmp_path / "a.jsonl", task), "mbpp")
    assert [fault.field for fault in report.faults] == [field]


@needs_data
def test_the_published_shape_gives_the_tests_of_the_collection(tmp_path: Path) -> None:
    rows = list(data_rows("mbpp"))
    published = [
        {
            "task_id": int(row["id"].rpartition("/")[2]),
            "text": row["statement"],
            "code": row["reference_solution"],
            "test_setup_code": row["setup_code"],
            "test_list": [test["code"] for test in row["tests"]],
            "challenge_test_list": [test["code"] for test in row["extra_tests"]],
        }
        for row in rows
    ]
    specs = read_clean(write_lines(tmp_path / "mbpp.jsonl", *published))
    assert [(spec.id, spec.entry_point) for spec in specs] == [
        (row["id"], row["entry_point"]) for row in rows
    ]
    assert [f"split:{spec.split}" for spec in specs] == [row["tags"][0] for row in rows]
    assert all(spec.samples for spec in specs)
