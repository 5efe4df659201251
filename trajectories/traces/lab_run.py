"""A run as the lab itself exports it: a head line and then the event log, one event a line, exactly as recorded.

The first line is `{"format": "mapcoder-lite-lab/run", "version": 1, "run": {...}, "problem": {...}, "events": n,
"digest": sha256 of the event lines}`. Each further line is an event with its sequence number and time. The HTML export
carries the same lines in its data block.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

NAME = "mapcoder-lite-lab/run"
VERSION = 1
HTML_BLOCK = "mapcoder-lite-lab-run"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ProblemName(_Strict):
    """Which problem was solved; its text and tests are not part of a run's file."""

    external_id: str
    digest: str
    title: str
    source: str


class RunFields(_Strict):
    """The run's row but for what its events tell. Of a branch: the `request_id` of its parent, and what was changed."""

    request_id: str = Field(min_length=1, max_length=64)
    strategy: str = Field(max_length=32)
    params: dict[str, Any]
    engine: dict[str, Any]
    engine_name: str = Field(max_length=64)
    seed: int
    language: str = Field(max_length=16)
    judge_profile: str = Field(max_length=16)
    code_version: str = Field(max_length=64)
    created_by: str = Field(max_length=150)
    imported_from: str = Field(max_length=32)
    created_at: datetime
    started_at: datetime | None
    branch_of: str = Field(default="", max_length=64)
    branch: dict[str, Any] = {}


class Head(_Strict):
    format: Literal["mapcoder-lite-lab/run"]
    version: Literal[1]
    run: RunFields
    problem: ProblemName
    events: int = Field(ge=1)
    digest: str


class EventLine(_Strict):
    seq: int
    at: datetime
    kind: str
    payload: dict[str, Any]


class LabRun(_Strict):
    head: Head
    events: tuple[EventLine, ...]


def line(data: dict[str, Any]) -> str:
    """The one way in which a line is written: sorted keys, no blanks, so that equal events are equal bytes."""
    return json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def digest(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


def moment(at: datetime) -> str:
    """To the microsecond, in one form."""
    return at.isoformat(timespec="microseconds")
