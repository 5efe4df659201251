"""Bad files: each complaint says where, what and how to mend it; what is good beside it is still read."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.traces import samples
from tests.traces.samples import otlp, read, span, write, write_eval
from trajectories.importers.bounds import Bounds
from trajectories.traces import read_traces

GOOD = samples.NORMALISED


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("{not json", "line 2: is not JSON"),
        ("[1, 2]", "line 2: is a list, not an object"),
        ({**GOOD, "model": None}, "line 2, model: is missing; give a text"),
        ({**GOOD, "solved_recorded": "yes"}, "line 2, solved_recorded: is not true or false"),
        ({**GOOD, "prompt_tokens": -1}, "line 2, prompt_tokens: is -1; give a whole number"),
        ({**GOOD, "steps": [{"stage": "coding"}]}, "line 2, steps[0].response: is missing"),
        ({**GOOD, "steps": [{"stage": 7, "text": "x"}]}, "line 2, steps[0].stage: is a number, not text"),
        ({**GOOD, "steps": [{"stage": "note", "text": "x", "messages": [{"role": 1}]}]}, "steps[0].messages[0].role"),
        ({**GOOD, "steps": "none"}, "line 2, steps: is text, not a list"),
    ],
)  # fmt: skip
def test_a_malformed_row_is_refused_and_its_neighbours_are_read(
    tmp_path: Path, row: Any, complaint: str
) -> None:
    found, faults = read(write(tmp_path / "t.jsonl", GOOD, row, {**GOOD, "id": "t3"}))
    assert len(found) == 2
    assert len(faults) == 1 and complaint in faults[0]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"\xff\xfe\x00", "is not UTF-8"),
        (b"PAR1....", "Parquet"),
        (b'{"a": 1}\n', "no format is known by its first row, which has a"),
        (gzip.compress(b'{"problem_id": 1}')[:-9], "damaged"),
        (b"PK\x03\x04 not a zip", "damaged zip"),
        (b"<!doctype html><p>Hello</p>", "HTML page without a run of the lab"),
    ],
)
def test_a_file_of_no_format_is_one_clear_fault(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    found, faults = read(path)
    assert found == [] and len(faults) == 1 and complaint in faults[0]


@pytest.mark.parametrize(
    "value", [{"arrayValue": [1]}, {"arrayValue": {"values": 5}}, {"kvlistValue": ["a"]}, {"kvlistValue": 7}]
)
def test_a_span_with_a_value_of_no_shape_is_a_fault_and_other_traces_are_read(
    tmp_path: Path, value: Any
) -> None:
    call = span(1, "chat", gen_ai__operation__name="chat", gen_ai__output__messages="hello")
    bad = {**call, "traceId": "cd" * 16, "attributes": [{"key": "tags", "value": value}]}
    found, faults = read(write(tmp_path / "t.jsonl", otlp(bad), otlp(call)))
    assert len(found) == 1
    assert len(faults) == 1 and "tags: holds no list of values" in faults[0]


def test_a_missing_file_is_a_fault_not_an_exception(tmp_path: Path) -> None:
    assert "No such file" in read(tmp_path / "none.jsonl")[1][0]


@pytest.mark.parametrize(
    "name", ["../evil.json", "/etc/evil.json", "samples/../../evil.json", "c:/evil.json"]
)
def test_an_archive_that_leaves_its_root_is_refused(tmp_path: Path, name: str) -> None:
    found, faults = read(write_eval(tmp_path / "log.eval", {"header.json": samples.INSPECT_HEAD, name: {}}))
    assert found == [] and "leaves the archive" in faults[0]


def test_an_archive_is_bounded_by_what_it_unpacks_to(tmp_path: Path) -> None:
    bomb = {"header.json": samples.INSPECT_HEAD, "samples/1.json": " " * 2_000_000}
    path = write_eval(tmp_path / "log.eval", bomb)
    assert path.stat().st_size < 10_000
    report = read_traces(path, bounds=Bounds(file=1_000_000))
    assert list(report.found) == []
    assert "unpacks to" in str(report.faults[0])
    one = read_traces(path, bounds=Bounds(row=1_000_000))
    assert list(one.found) == []
    assert "samples/1.json" in str(one.faults[0]) and "is longer than" in str(one.faults[0])


def test_zstd_in_an_inspect_log_is_named(tmp_path: Path) -> None:
    path = write_eval(
        tmp_path / "log.eval", {"header.json": samples.INSPECT_HEAD, "samples/1.json": samples.INSPECT_SAMPLE}
    )
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        local = archive.getinfo("samples/1.json").header_offset
    central = data.rindex(b"PK\x01\x02")
    for at in (local + 8, central + 10):  # the method of the member, in both headers
        data[at : at + 2] = (93).to_bytes(2, "little")
    path.write_bytes(data)
    found, faults = read(path)
    assert found == []
    assert "samples/1.json" in faults[0] and "zstd" in faults[0] and "inspect log convert" in faults[0]


def test_a_broken_sample_leaves_the_others_of_its_log(tmp_path: Path) -> None:
    members = {
        "header.json": samples.INSPECT_HEAD,
        "samples/1.json": "{",
        "samples/2.json": {**samples.INSPECT_SAMPLE, "id": None},
        "samples/3.json": samples.INSPECT_SAMPLE,
    }
    found, faults = read(write_eval(tmp_path / "log.eval", members))
    assert len(found) == 1
    assert "samples/1.json: is not JSON" in faults[0] and "samples/2.json, id: is missing" in faults[1]


def test_spans_in_a_circle_and_traces_without_a_call_are_refused(tmp_path: Path) -> None:
    circle = [
        span(1, "a", 2, gen_ai__operation__name="chat"),
        span(2, "b", 1, gen_ai__operation__name="chat"),
    ]
    assert "circle" in read(write(tmp_path / "a.json", otlp(*circle)))[1][0]
    assert "no model call" in read(write(tmp_path / "b.json", otlp(span(1, "GET /"))))[1][0]


def test_hostile_depth_ends_in_a_fault(tmp_path: Path) -> None:
    deep = "[" * 100_000
    found, faults = read(write(tmp_path / "t.jsonl", GOOD, json.dumps(GOOD)[:-1] + f', "x": {deep}'))
    assert len(found) == 1 and len(faults) == 1
