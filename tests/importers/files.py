"""Small files in published shapes, and where the shared data set lies."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from trajectories.importers import ImportReport, read_problems
from trajectories.problem_schema import ProblemSpec

DATA = Path(__file__).parents[3] / "shared" / "data"
needs_data = pytest.mark.skipif(
    not (DATA / "manifest.json").exists(), reason="the shared data set is not beside the repository"
)


def write_lines(path: Path, *rows: Any) -> Path:
    """JSON Lines; a text goes in as it is."""
    lines = (row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def data_rows(source: str) -> Iterator[dict[str, Any]]:
    with gzip.open(DATA / "problems" / f"{source}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def read_all(path: Path, format: str | None = None, **options: Any) -> tuple[list[ProblemSpec], ImportReport]:
    report = read_problems(path, format, **options)
    return list(report.problems), report


def read_clean(path: Path, format: str | None = None, **options: Any) -> list[ProblemSpec]:
    """The problems of a file that must have no fault."""
    specs, report = read_all(path, format, **options)
    assert report.faults == []
    return specs


def read_one(path: Path, format: str | None = None) -> ProblemSpec:
    (spec,) = read_clean(path, format)
    return spec
