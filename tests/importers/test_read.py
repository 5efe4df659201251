"""Finding the format, streaming, and what a file that nobody has vetted can do."""

from __future__ import annotations

import gzip
import json
import os
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.importers.files import read_all, read_clean, write_lines
from tests.importers.test_normalised import row
from trajectories.importers import FORMATS, Bounds, read_problems


def test_gzip_is_known_by_its_content_not_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "problems.txt"
    path.write_bytes(gzip.compress(json.dumps(row()).encode()))
    assert [spec.id for spec in read_clean(path)] == ["own/double"]


def test_a_json_array_gives_the_line_of_a_bad_element(tmp_path: Path) -> None:
    path = tmp_path / "problems.json"
    path.write_text(json.dumps([row(id="own/1"), row(tests=[]), row(id="own/3")], indent=1))
    specs, report = read_all(path)
    assert [spec.id for spec in specs] == ["own/1", "own/3"]
    (fault,) = report.faults
    lines = path.read_text().splitlines()
    assert fault.line is not None
    assert lines[fault.line - 1] == " {" and '"own/double"' in lines[fault.line]


def test_a_single_pretty_printed_object_is_a_file_with_one_problem(tmp_path: Path) -> None:
    path = tmp_path / "problem.json"
    path.write_text("\ufeff" + json.dumps(row(), indent=2), encoding="utf-8")
    assert [spec.id for spec in read_clean(path)] == ["own/double"]


def test_an_element_longer_than_the_window_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "problems.json"
    long = "x" * 300_000 + '\\"'
    path.write_text(json.dumps([row(id="own/1", statement=long), row(id="own/2")]))
    assert [len(spec.statement) for spec in read_clean(path)] == [300_002, 23]


def test_a_broken_line_is_reported_and_the_others_are_read(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", row(id="own/1"), '{"id": "own/2",', "", "[1]", row(id="own/5"))
    specs, report = read_all(path)
    assert [spec.id for spec in specs] == ["own/1", "own/5"]
    assert [fault.line for fault in report.faults] == [2, 4]
    assert "column 16" in report.faults[0].problem
    assert report.faults[1].problem == "is a list, not an object"


def test_bytes_that_are_no_text_are_a_fault_of_their_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    good = json.dumps(row()).encode()
    path.write_bytes(good + b"\n" + good.replace(b"own/double", b"own/\xff") + b"\n")
    specs, report = read_all(path)
    assert len(specs) == 1
    assert report.faults[0].line == 2 and "not UTF-8" in report.faults[0].problem


def test_a_truncated_archive_keeps_what_came_before(tmp_path: Path) -> None:
    rows = [row(id=f"own/{number}", statement=os.urandom(400).hex()) for number in range(200)]
    packed = gzip.compress("".join(f"{json.dumps(one)}\n" for one in rows).encode())
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(packed[: len(packed) // 2])
    specs, report = read_all(path, "normalised")
    assert 50 < len(specs) < 150
    assert "compressed data is damaged" in report.faults[-1].problem


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_that_cannot_be_unpacked_is_a_fault_however_it_was_packed(
    tmp_path: Path, method: int
) -> None:
    path = tmp_path / "problems.zip"
    rows = [row(id=f"own/{number}", statement=os.urandom(400).hex()) for number in range(200)]
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("problems.jsonl", "".join(f"{json.dumps(one)}\n" for one in rows))
    packed = bytearray(path.read_bytes())
    broken = packed.index(b"problems.jsonl") + 200
    packed[broken : broken + 40] = bytes(40)
    path.write_bytes(packed)
    _, report = read_all(path, "normalised")
    assert report.faults


def test_problems_come_one_by_one_while_the_file_is_read(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", row(id="own/1"), row(id="own/2"), row(tests=[]))
    report = read_problems(path)
    assert next(report.problems).id == "own/1"
    assert (report.read, report.faults) == (1, [])
    assert len(list(report.problems)) == 1
    assert (report.read, len(report.faults)) == (2, 1)


def test_no_more_than_the_limit_is_read(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", *(row(id=f"own/{number}") for number in range(5)), "{broken")
    specs, report = read_all(path, limit=2)
    assert (len(specs), report.read, report.faults) == (2, 2, [])


def test_a_problem_that_is_in_the_file_twice_is_given_once(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", row(), row(licence="MIT"))
    specs, report = read_all(path)
    assert (len(specs), report.repeats, report.faults) == (1, 1, [])


def test_two_problems_under_one_id_are_a_fault(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", row(), row(statement="Print thrice the number."))
    specs, report = read_all(path)
    assert len(specs) == 1
    assert (report.faults[0].line, report.faults[0].field) == (2, "id")


def test_a_directory_of_row_files_is_read_file_by_file(tmp_path: Path) -> None:
    write_lines(tmp_path / "b.jsonl", row(id="own/b"))
    write_lines(tmp_path / "a.jsonl", row(id="own/a"), row(tests=[]))
    (tmp_path / "notes.md").write_text("not a problem")
    specs, report = read_all(tmp_path)
    assert [spec.id for spec in specs] == ["own/a", "own/b"]
    assert [(fault.member, fault.line) for fault in report.faults] == [("a.jsonl", 2)]


def test_row_files_in_a_zip_archive_are_read_without_unpacking(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "p.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("sets/a.jsonl", json.dumps(row()) + "\n")
    assert [spec.id for spec in read_clean(tmp_path / "p.zip")] == ["own/double"]
    assert [path.name for path in tmp_path.iterdir()] == ["p.zip"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b'{"what": 1, "is": 2}\n', "no format is known by its first row, which has is, what"),
        (b"hello\n", "is not JSON"),
        (b"PAR1\x15\x04", "is a Parquet or Arrow file"),
        (bytes.fromhex("83af70d10d884a3f") + b"\0" * 56, "is a Riegeli file"),
        (b"\x1f\x8b\x08\x00garbage", "compressed data is damaged"),
        (b"PK\x03\x04garbage", "is a damaged zip archive"),
    ],
)
def test_a_file_that_is_no_set_of_problems_says_so(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(content)
    specs, report = read_all(path)
    assert specs == []
    assert len(report.faults) == 1 and problem in report.faults[0].problem
    assert report.faults[0].mend


def test_an_unknown_layout_lists_the_known_ones(tmp_path: Path) -> None:
    _, report = read_all(write_lines(tmp_path / "a.jsonl", {"question_of_life": 42}))
    assert all(known.name in report.faults[0].mend for known in FORMATS)


@pytest.mark.parametrize("name", ["", "no such file", "a\0b"])
def test_a_path_that_cannot_be_opened_is_a_fault(tmp_path: Path, name: str) -> None:
    _, report = read_all(tmp_path / name / "x.jsonl")
    assert "cannot be read" in report.faults[0].problem


def test_an_unknown_format_name_is_a_fault_that_lists_the_names(tmp_path: Path) -> None:
    _, report = read_all(write_lines(tmp_path / "a.jsonl", row()), "jsonlines")
    assert "no format is called 'jsonlines'" in report.faults[0].problem
    assert "normalised" in report.faults[0].mend


def test_a_format_for_trees_refuses_a_single_file(tmp_path: Path) -> None:
    _, report = read_all(write_lines(tmp_path / "a.jsonl", row()), "kattis")
    assert report.faults[0].problem == "is a single file"


def test_an_upload_is_called_by_its_own_name(tmp_path: Path) -> None:
    _, report = read_all(write_lines(tmp_path / "tmp123", row(tests=[])), shown_as="mine.jsonl")
    assert str(report.faults[0]) == "mine.jsonl, line 1, tests: are missing; give at least one test"


def test_sizes_are_bounded(tmp_path: Path) -> None:
    bounds = Bounds(row=2000, text=500, problem=900, tests=3)
    test = {"input": "1", "outputs": ["1"]}
    path = write_lines(
        tmp_path / "a.jsonl",
        row(id="own/1"),
        row(id="own/2", tests=[{"input": "x" * 501, "outputs": ["1"]}]),
        row(id="own/3", notes="x" * 400, input_spec="x" * 400, output_spec="y" * 400),
        row(id="own/4", statement="z" * 2500),
        row(id="own/5", tests=[test] * 4),
        row(id="own/6"),
    )
    specs, report = read_all(path, bounds=bounds)
    assert [spec.id for spec in specs] == ["own/1", "own/6"]
    assert [(fault.line, fault.field) for fault in report.faults] == [
        (2, "tests[0].input"),
        (3, ""),
        (4, ""),
        (5, "tests"),
    ]


def test_a_file_of_garbage_ends_after_the_bound_of_faults(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", row(), *["garbage"] * 500)
    _, report = read_all(path, bounds=Bounds(faults=20))
    assert len(report.faults) == 21
    assert "reading stopped after 20 faults" in report.faults[-1].problem


def test_a_decompression_bomb_in_one_line_is_read_past(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    with gzip.open(path, "wb") as stream:
        stream.write(b'{"id": "' + b"x" * 5_000_000 + b'"}\n' + json.dumps(row()).encode() + b"\n")
    specs, report = read_all(path, "normalised", bounds=Bounds(row=100_000))
    assert len(specs) == 1
    assert report.faults[0].line == 1 and "longer than" in report.faults[0].problem


def test_faults_are_json(tmp_path: Path) -> None:
    _, report = read_all(write_lines(tmp_path / "a.jsonl", row(tests=[]), "{"), "normalised")
    assert len(json.loads(json.dumps([asdict(fault) for fault in report.faults]))) == 2


def test_deep_nesting_is_a_fault(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", row(), '{"extra": ' + "[" * 100_000 + "]" * 100_000 + "}")
    specs, report = read_all(path)
    assert len(specs) == 1 and len(report.faults) == 1
    assert "nested too deeply" in report.faults[0].problem
    whole = tmp_path / "b.json"
    whole.write_text("[" * 100_000, encoding="utf-8")
    assert "nested too deeply" in read_all(whole)[1].faults[0].problem


_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
_FIELDS = (
    *(
        "id",
        "source",
        "statement",
        "tests",
        "test_kind",
        "checker",
        "samples",
        "task_id",
        "prompt",
        "entry_point",
    ),
    *("canonical_solution", "test", "test_case_list", "base_input", "plus_input", "atol", "text", "code"),
    *("test_list", "test_imports", "name", "description", "public_tests", "private_tests", "time_limit"),
    *("src_uid", "hidden_unit_tests", "sample_inputs", "question", "input_output", "solutions", "metadata"),
    *(
        "question_content",
        "question_id",
        "question_title",
        "public_test_cases",
        "private_test_cases",
        "problem_id",
    ),
)
_ROW_FORMATS = sorted(known.name for known in FORMATS if known.of_row)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(_ROW_FORMATS),
    st.lists(st.dictionaries(st.sampled_from(_FIELDS), _VALUES, max_size=12), min_size=1, max_size=3),
)
def test_no_content_makes_the_import_raise(
    tmp_path_factory: pytest.TempPathFactory, format: str, rows: list[dict[str, Any]]
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "a.jsonl"
    path.write_text("".join(f"{json.dumps(one)}\n" for one in rows))
    specs, report = read_all(path, format)
    assert len(specs) + len({fault.line for fault in report.faults}) + report.repeats >= len(rows)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_make_the_import_raise(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "a"
    path.write_bytes(content)
    specs, report = read_all(path)
    assert specs or report.faults
