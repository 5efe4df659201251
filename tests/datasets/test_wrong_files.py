"""Files that are given as examples and are not: each costs a sentence, none an error page or a row beside it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from training.datasets import files
from training.models import Example

pytestmark = pytest.mark.django_db


def _imported(path: Path) -> files.Imported:
    return files.import_file(path, "coding", author="a", licence="MIT")


ROW = {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}


@pytest.mark.parametrize("made", ["{row}\r\n{other}\r\n", "[{row},\r\n{other}]"], ids=["lines", "list"])
def test_a_byte_order_mark_and_dos_line_ends_cost_no_row(tmp_path: Path, made: str) -> None:
    file = tmp_path / "rows.jsonl"
    text = made.format(row=json.dumps(ROW), other=json.dumps({"instruction": "q2", "output": "a2"}))
    file.write_bytes(files.BOM + text.encode())
    found = _imported(file)
    assert (found.new, found.bad) == (2, 0)


def test_a_line_that_is_too_long_is_passed_over_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "LARGEST_LINE", 200)
    file = tmp_path / "rows.jsonl"
    fits = json.dumps(ROW)
    file.write_text(f'{"x" * 1000}\n{fits}\n{"y" * 201}\n{fits[:-1]}, "z": 1}}\n{"z" * 700}')
    found = _imported(file)
    assert (found.new, found.known, found.bad) == (1, 1, 3)
    assert [(fault.where, fault.message) for fault in found.faults] == [
        ("line 1", "The line has 1,001 bytes; at most 200 are read."),
        ("line 3", "The line has 202 bytes; at most 200 are read."),
        ("line 5", "The line has 700 bytes; at most 200 are read."),
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not UTF-8"),
        (b'{"instruction": "caf\xe9", "output": "a"}', "not UTF-8"),
        (b'[{"instruction": "caf\xe9", "output": "a"}]', "not UTF-8"),
        (b"PAR1\x00\x00 cut off", "damaged or cut off"),
        (b'{"instruction": "q", "output": "a\\u0000b"}', "zero character"),
        (b'{"instruction": "\\ud800", "output": "a"}', "surrogate"),
    ],
    ids=["picture", "latin 1", "latin 1 list", "parquet", "zero", "surrogate"],
)
def test_what_is_no_text_is_told_and_nothing_of_it_is_kept(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "rows"
    file.write_bytes(content)
    found = _imported(file)
    assert found.new == 0 and said in found.faults[0].message and not Example.objects.exists()
