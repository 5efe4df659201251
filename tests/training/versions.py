"""Makers of dataset versions and training runs for tests."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from tests.training import micro_rows
from training.lora_spec import PRESETS, LoraSpec, read_spec
from training.models import DatasetRow, DatasetVersion, Example, ExampleState, VersionState
from training.rows_file import Row
from trajectories.models import Problem


def make_version(
    role: str, rows: list[Row], *, problems: list[Problem] | None = None, **changes: Any
) -> DatasetVersion:
    """A ready version of these rows; `problems` in turn, if given."""
    number = DatasetVersion.objects.filter(role=role).count() + 1
    version = DatasetVersion.objects.create(
        role=role,
        number=number,
        digest=hashlib.sha256(repr(rows).encode()).hexdigest(),
        row_count=len(rows),
        eval_count=sum(row.split == "eval" for row in rows),
        request_id=uuid.uuid4().hex,
        **{"state": VersionState.READY, **changes},
    )
    for place, row in enumerate(rows):
        example, _ = Example.objects.get_or_create(
            digest=hashlib.sha256(repr((role, row.messages, row.answer, row.refused)).encode()).hexdigest(),
            defaults={
                "role": role,
                "way": "teacher",
                "state": ExampleState.ACCEPTED,
                "messages": row.messages,
                "answer": row.answer,
                "refused": row.refused,
                "author": "micro oracle",
                "problem": problems[place % len(problems)] if problems else None,
            },
        )
        DatasetRow.objects.create(version=version, position=row.position, example=example, split=row.split)
    return version


def micro_version(role: str = "coding", count: int = 12, held_out: int = 3) -> DatasetVersion:
    return make_version(role, micro_rows.rows(role, count, held_out))


def quick_spec(version: DatasetVersion, **changes: Any) -> LoraSpec:
    """A few steps on the micro base."""
    data = {
        **PRESETS["micro"][1],
        "role": version.role,
        "dataset": str(version),
        "rank": 8,
        "batch": 1,
        "max_steps": 4,
        "save_every": 2,
        "eval_every": 2,
        "length": 512,
        "evaluate": 0,
    }
    return read_spec({**data, **changes})
