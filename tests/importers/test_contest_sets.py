"""APPS, CodeContests and xCodeEval in the shapes in which they are published; problems of our own."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.importers.files import data_rows, needs_data, read_all, read_clean, read_one, write_lines
from trajectories.importers import sections, statement_hints
from trajectories.problem_schema import CallTest, StdioTest

QUESTION = """Two towers stand on a line.

How far are they apart?

-----Input-----

Two integers.


-----Output-----

One integer.


-----Examples-----
Input
1 5

Output
4

Input
2
2
Output
0

-----Note-----

In the first example the distance is 4.
"""


def apps(plan: dict[str, Any], **changes: Any) -> dict[str, Any]:
    base = {
        "problem_id": 7,
        "question": QUESTION,
        "solutions": json.dumps(["print(abs(int(input()) - int(input())))", "pass"]),
        "input_output": json.dumps(plan),
        "difficulty": "interview",
        "url": "https://example.org/7",
        "starter_code": "",
    }
    return {**base, **changes}


STDIO = {"inputs": ["1 5\n", ["2", "2"]], "outputs": ["4\n", ["0"]]}
CALLS = {"fn_name": "gap", "inputs": [[1, 5], [[2], "a"]], "outputs": [[4], [[0]]]}


def test_an_apps_question_is_taken_apart_at_its_headings(tmp_path: Path) -> None:
    spec = read_one(write_lines(tmp_path / "a.jsonl", apps(STDIO)))
    assert spec.statement == "Two towers stand on a line.\n\nHow far are they apart?"
    assert (spec.input_spec, spec.output_spec) == ("Two integers.", "One integer.")
    assert spec.notes == "In the first example the distance is 4."
    assert [(one.input, one.output) for one in spec.samples] == [("1 5\n", "4\n"), ("2\n2\n", "0\n")]


def test_lists_of_lines_are_joined(tmp_path: Path) -> None:
    spec = read_one(write_lines(tmp_path / "a.jsonl", apps(STDIO)))
    assert spec.tests == (StdioTest(input="1 5\n", outputs=("4\n",)), StdioTest(input="2\n2", outputs=("0",)))
    assert spec.reference_solution == "print(abs(int(input()) - int(input())))"
    assert (spec.provenance, spec.extra) == ({"url": "https://example.org/7"}, {"solutions_published": 2})


def test_results_that_are_all_in_lists_of_one_are_taken_out(tmp_path: Path) -> None:
    spec = read_one(write_lines(tmp_path / "a.jsonl", apps(CALLS, starter_code="def gap(a, b):\n\t")))
    assert spec.tests == (CallTest(args=(1, 5), expected=4), CallTest(args=([2], "a"), expected=[0]))
    assert (spec.entry_point, spec.statement) == ("gap", QUESTION)
    compile(spec.preamble, "preamble", "exec")


def test_results_of_other_lengths_are_taken_as_they_are(tmp_path: Path) -> None:
    plan = {"fn_name": "f", "inputs": [[1], [2]], "outputs": [[4], [0, 1]]}
    spec = read_one(write_lines(tmp_path / "a.jsonl", apps(plan)))
    assert [test.expected for test in spec.tests if isinstance(test, CallTest)] == [[4], [0, 1]]


def test_numbers_as_keys_of_a_dict_are_numbers_for_the_function(tmp_path: Path) -> None:
    plan = {"fn_name": "f", "inputs": [[{"1": 2, "-3": 4}], [{"a": 1}]], "outputs": [1, 2]}
    one, other = read_one(write_lines(tmp_path / "a.jsonl", apps(plan))).tests
    assert one == CallTest(input="{1: 2, -3: 4}", expected=1)
    assert other == CallTest(args=({"a": 1},), expected=2)


def test_both_halves_of_apps_keep_their_numbers_apart(tmp_path: Path) -> None:
    write_lines(tmp_path / "train.jsonl", apps(STDIO))
    write_lines(tmp_path / "test.jsonl", apps(CALLS))
    assert [spec.id for spec in read_clean(tmp_path)] == ["apps/test/7", "apps/train/7"]


def apps_tree(root: Path) -> None:
    for number, plan in (("0000", STDIO), ("0007", CALLS)):
        folder = root / "train" / number
        folder.mkdir(parents=True)
        (folder / "question.txt").write_text(QUESTION)
        (folder / "input_output.json").write_text(json.dumps(plan))
        (folder / "metadata.json").write_text('{"difficulty": "competition", "url": "https://example.org"}')
    (root / "train" / "0007" / "starter_code.py").write_text("def gap(a, b):\n\t")
    (root / "train" / "0007" / "solutions.json").write_text('["def gap(a, b): return abs(a - b)"]')


def test_the_original_folders_of_apps_are_read(tmp_path: Path) -> None:
    apps_tree(tmp_path / "APPS")
    zero, seven = read_clean(tmp_path / "APPS")
    assert (zero.id, zero.difficulty, zero.split) == ("apps/train/0", "competition", "train")
    assert (seven.id, seven.starter_code) == ("apps/train/7", "def gap(a, b):\n\t")
    assert seven.reference_solution == "def gap(a, b): return abs(a - b)"


def test_a_folder_without_tests_is_a_fault_of_that_folder(tmp_path: Path) -> None:
    apps_tree(tmp_path)
    (tmp_path / "train" / "0000" / "input_output.json").unlink()
    (tmp_path / "train" / "0007" / "metadata.json").write_text("{")
    specs, report = read_all(tmp_path, "apps")
    assert specs == []
    assert [fault.member for fault in report.faults] == ["train/0000", "train/0007"]
    assert "has no input_output.json" in report.faults[0].problem
    assert report.faults[1].field == "metadata.json"


def test_apps_folders_in_a_zip_archive_are_the_same(tmp_path: Path) -> None:
    apps_tree(tmp_path / "APPS")
    with zipfile.ZipFile(tmp_path / "apps.zip", "w") as archive:
        for path in sorted((tmp_path / "APPS").rglob("*.*")):
            archive.write(path, path.relative_to(tmp_path))
    assert read_clean(tmp_path / "apps.zip") == read_clean(tmp_path / "APPS")


@pytest.mark.parametrize(
    ("task", "field"),
    [
        (apps(STDIO, input_output="{"), "input_output"),
        (apps(STDIO, input_output=""), "input_output"),
        (apps({"inputs": [], "outputs": []}), "input_output.inputs"),
        (apps({"inputs": ["1"], "outputs": []}), "input_output.inputs"),
        (apps({"inputs": [1], "outputs": ["1"]}), "input_output.inputs[0]"),
        (apps({"fn_name": "f", "inputs": [1], "outputs": [1]}), "input_output.inputs[0]"),
        (apps({"fn_name": "f()", "inputs": [[1]], "outputs": [1]}), "input_output.fn_name"),
        (apps(STDIO, solutions="[1]"), "solutions[0]"),
        (apps(STDIO, problem_id=None), "problem_id"),
    ],
)
def test_a_bad_apps_row_names_its_field(tmp_path: Path, task: dict[str, Any], field: str) -> None:
    _, report = read_all(write_lines(tmp_path / "a.jsonl", task), "apps")
    assert [fault.field for fault in report.faults] == [field]


DESCRIPTION = """Print a circle's area.

Input

The radius.

Output

The area. An absolute or relative error of at most 10^{-4} is allowed.

Examples

Input

1


Output

3.14159


Note

Use enough digits.
"""


def contest(**changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "name": "901_C1. Circle",
        "description": DESCRIPTION,
        "public_tests": {"input": ["1\n"], "output": ["3.14159\n"]},
        "private_tests": {"input": ["2\n"], "output": ["12.566\n"]},
        "generated_tests": {"input": ["3\n", "4\n"], "output": ["28.27\n", "50.27\n"]},
        "source": 2,
        "difficulty": 9,
        "solutions": {"language": [2, 3], "solution": ["int main(){}", "print(3)"]},
        "incorrect_solutions": {"language": [], "solution": []},
        "cf_contest_id": 901,
        "cf_index": "C1",
        "cf_points": 0.0,
        "cf_rating": 1300,
        "cf_tags": ["geometry", ""],
        "is_description_translated": False,
        "untranslated_description": "",
        "time_limit": {"seconds": 1, "nanos": 500000000},
        "memory_limit_bytes": 256000000,
        "input_file": "",
        "output_file": "",
    }
    return {**base, **changes}


def test_a_codecontests_row_has_public_samples_and_hidden_tests(tmp_path: Path) -> None:
    spec = read_one(write_lines(tmp_path / "a.jsonl", contest()))
    assert (spec.id, spec.title) == ("codecontests/901_C1", "901_C1. Circle")
    assert [test.group for test in spec.tests if isinstance(test, StdioTest)] == [
        "private",
        "generated",
        "generated",
    ]
    assert [sample.output for sample in spec.samples] == ["3.14159\n"]
    assert (spec.time_limit_s, spec.memory_limit_mb, spec.difficulty) == (1.5, 256.0, "1300")
    assert (spec.tags, spec.reference_solution) == (("geometry",), "print(3)")
    assert spec.statement == "Print a circle's area." and spec.notes == "Use enough digits."
    assert spec.checker == {"type": "float", "abs": 1e-4, "rel": 1e-4}
    assert spec.extra["solutions_published"] == 2


def test_labels_of_codecontests_may_be_names(tmp_path: Path) -> None:
    task = contest(
        source="ATCODER", difficulty="MEDIUM", cf_rating=0, time_limit=2, name="p02 AtCoder - Knapsack"
    )
    spec = read_one(write_lines(tmp_path / "a.jsonl", task))
    assert (spec.id, spec.difficulty) == ("codecontests/p02-AtCoder---Knapsack", "MEDIUM")
    assert (spec.provenance["source"], spec.time_limit_s) == ("ATCODER", 2.0)


def test_problems_that_want_files_are_marked(tmp_path: Path) -> None:
    assert "file_io" in read_one(write_lines(tmp_path / "a.jsonl", contest(input_file="in.txt"))).quirks


@pytest.mark.parametrize(
    ("task", "field"),
    [
        (contest(private_tests={"input": ["1"], "output": []}), "private_tests"),
        (contest(generated_tests={"input": [1], "output": ["1"]}), "generated_tests.input[0]"),
        (contest(generated_tests=[]), "generated_tests"),
        (contest(source=99), "source"),
        (contest(public_tests=None, private_tests=None, generated_tests=None), "private_tests"),
        (contest(time_limit={"seconds": "1"}), "time_limit.seconds"),
    ],
)
def test_a_bad_codecontests_row_names_its_field(tmp_path: Path, task: dict[str, Any], field: str) -> None:
    _, report = read_all(write_lines(tmp_path / "a.jsonl", task), "codecontests")
    assert [fault.field for fault in report.faults] == [field]


def described(**changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "src_uid": "aa01",
        "description": "Sum two numbers. They are large.",
        "input_from": "standard input",
        "output_to": "standard output",
        "time_limit": "2 seconds",
        "memory_limit": "256 megabytes",
        "input_spec": "Two integers.",
        "output_spec": "Their sum.",
        "notes": None,
        "sample_inputs": ["1 2", "3 4"],
        "sample_outputs": ["3", "7"],
        "tags": ["math"],
        "difficulty": 800,
        "created_at": 1500000000,
    }
    return {**base, **changes}


HIDDEN = [{"input": "5 6\r\n", "output": ["11", "eleven"]}]


def test_hidden_tests_of_xcodeeval_are_found_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "unittest_db.json").write_text(json.dumps({"zz": HIDDEN, "aa01": HIDDEN, "bb": []}))
    spec = read_one(write_lines(tmp_path / "prog_syn_val.jsonl", described()))
    assert spec.tests == (StdioTest(input="5 6\r\n", outputs=("11", "eleven")),)
    assert [(one.input, one.output) for one in spec.samples] == [("1 2", "3"), ("3 4", "7")]
    assert (spec.time_limit_s, spec.memory_limit_mb, spec.difficulty) == (2.0, 256.0, "800")
    assert (spec.checker, spec.quirks) == ({"type": "execeval"}, ("crlf_inputs", "alternative_outputs"))


def test_a_directory_with_the_tests_file_is_one_set(tmp_path: Path) -> None:
    (tmp_path / "unittest_db.json").write_text(json.dumps({"aa01": HIDDEN}, indent=1))
    write_lines(tmp_path / "problem_descriptions.jsonl", described(), described(src_uid="cc"))
    specs, report = read_all(tmp_path)
    assert [spec.id for spec in specs] == ["xcodeeval/aa01"]
    assert [(fault.line, fault.problem) for fault in report.faults] == [(2, "'cc' has no hidden tests")]


def test_a_missing_tests_file_is_named(tmp_path: Path) -> None:
    specs, report = read_all(write_lines(tmp_path / "prog_syn_val.jsonl", described()))
    assert specs == []
    assert "put unittest_db.json" in report.faults[0].mend


def test_a_damaged_tests_file_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "unittest_db.json").write_text('{"aa01": [{"input": "1", "output"')
    specs, report = read_all(write_lines(tmp_path / "prog_syn_val.jsonl", described()))
    assert specs == []
    assert "is not JSON" in report.faults[0].problem


def test_rows_joined_with_their_description_hold_their_tests(tmp_path: Path) -> None:
    joined = {
        f"prob_desc_{name}": value for name, value in described().items() if name not in ("src_uid", "tags")
    }
    joined["prob_desc_sample_inputs"] = json.dumps(["1 2"])
    joined["prob_desc_sample_outputs"] = json.dumps(["3"])
    joined |= {
        "src_uid": "aa01",
        "hidden_unit_tests": json.dumps(HIDDEN),
        "source_code": "int x;",
        "lang": "C",
    }
    spec = read_one(write_lines(tmp_path / "a.jsonl", joined))
    assert (spec.id, len(spec.samples), len(spec.tests)) == ("xcodeeval/aa01", 1, 1)
    assert "source_code" not in spec.extra and "int x" not in spec.model_dump_json()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"sample_outputs": ["3"]}, "sample_inputs"),
        ({"time_limit": "soon"}, "time_limit"),
        ({"hidden_unit_tests": []}, "hidden_unit_tests"),
        ({"hidden_unit_tests": [{"input": "1"}]}, "hidden_unit_tests[0].output"),
        ({"hidden_unit_tests": [{"output": ["1"]}]}, "hidden_unit_tests[0].input"),
        ({"description": ""}, "description"),
        ({"src_uid": None}, "src_uid"),
    ],
)
def test_a_bad_xcodeeval_row_names_its_field(tmp_path: Path, changes: dict[str, Any], field: str) -> None:
    task = described(hidden_unit_tests=HIDDEN) | changes
    _, report = read_all(write_lines(tmp_path / "a.jsonl", task), "xcodeeval")
    assert [fault.field for fault in report.faults] == [field]


@needs_data
def test_the_shape_of_xcodeeval_gives_the_problems_of_the_collection(tmp_path: Path) -> None:
    rows = list(data_rows("xcodeeval"))
    tests, published = {}, []
    for row in rows:
        name = row["id"].removeprefix("xcodeeval/")
        tests[name] = [{"input": test["input"], "output": test["outputs"]} for test in row["tests"]]
        published.append(
            described(
                src_uid=name,
                description=row["statement"],
                time_limit=f"{row['time_limit_s']:g} seconds",
                memory_limit=f"{row['memory_limit_mb']:g} megabytes",
                notes=row["notes"],
                input_spec=row["input_spec"],
                output_spec=row["output_spec"],
                sample_inputs=[sample["input"] for sample in row["samples"]],
                sample_outputs=[sample["output"] for sample in row["samples"]],
                tags=row["tags"],
                difficulty=row["difficulty"],
            )
        )
    (tmp_path / "unittest_db.json").write_text(json.dumps(tests))
    found = {spec.id: spec for spec in read_clean(write_lines(tmp_path / "prog_syn_val.jsonl", *published))}
    (tmp_path / "own").mkdir()
    own = read_clean(write_lines(tmp_path / "own" / "a.jsonl", *rows))
    assert len(own) == len(found) == 64
    unlike = {"quirks", "provenance", "licence", "extra", "split"}
    for spec in own:
        assert found[spec.id].model_dump(exclude=unlike) == spec.model_dump(exclude=unlike)


@needs_data
def test_the_shape_of_codecontests_gives_the_tests_of_the_collection(tmp_path: Path) -> None:
    rows = list(data_rows("codecontests"))
    published = [
        contest(
            name=row["title"],
            description=row["statement"],
            public_tests={side: [sample[side] for sample in row["samples"]] for side in ("input", "output")},
            private_tests={
                "input": [test["input"] for test in row["tests"]],
                "output": [test["outputs"][0] for test in row["tests"]],
            },
            generated_tests={"input": [], "output": []},
            time_limit=row["time_limit_s"],
        )
        for row in rows
    ]
    specs = read_clean(write_lines(tmp_path / "a.jsonl", *published))
    assert [spec.id for spec in specs] == [row["id"] for row in rows]
    assert [len(spec.tests) for spec in specs] == [len(row["tests"]) for row in rows]
    assert [len(spec.samples) for spec in specs] == [len(row["samples"]) for row in rows]


def test_a_text_without_headings_stays_whole() -> None:
    text = "Input is a river.\nOutput: the sea."
    assert sections.lined(text) == sections.Sections(statement=text)


def test_examples_that_cannot_be_told_apart_stay_in_the_statement() -> None:
    found = sections.dashed("Do it.\n-----Examples-----\nsee the picture\n-----Constraints-----\nn < 5\n")
    assert found.samples == ()
    assert "see the picture" in found.statement and "n < 5" in found.statement


@pytest.mark.parametrize(
    ("text", "slack"),
    [
        ("absolute or relative error does not exceed 10^{-6}.", 1e-6),
        ("must have relative or absolute error less than 10\u2009-\u20096.", 1e-6),
        ("within an absolute or relative error of 10^-5 of the answer", 1e-5),
        ("accurate to 1e-9", 1e-9),
        ("precision of at least 0.001", 1e-3),
        ("no error: answer modulo 10^9 + 7", None),
        ("an error is printed. Values are at least 10 - 6 x", None),
        ("the numbers are 1e-6 apart", None),
    ],
)
def test_the_tolerance_that_a_statement_names(text: str, slack: float | None) -> None:
    assert statement_hints.tolerance(text) == slack


@needs_data
@pytest.mark.parametrize("source", ["codecontests", "xcodeeval", "gcj"])
def test_tolerances_are_found_where_the_collection_flags_them(source: str) -> None:
    """Its flags are patterns too: both must agree on all but a few."""
    flagged, found = set(), set()
    for row in data_rows(source):
        if "float_tolerance" in row["quirks"]:
            flagged.add(row["id"])
        if statement_hints.tolerance(row["output_spec"], row["notes"], row["statement"]) is not None:
            found.add(row["id"])
    assert len(flagged ^ found) <= 3
