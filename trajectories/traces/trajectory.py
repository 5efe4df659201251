"""The one shape of a trajectory, whatever file it came from.

Pure Python: readers produce it, `solver.trace_import` stores it. A field that says nothing of what was recorded stays
None; whatever a file holds beyond these fields is kept in `extra`, so that a trajectory loses nothing of its file.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

UNKNOWN_AGENT = "agent"


class StepKind(StrEnum):
    """`answer`: a model wrote it. `feedback`: tests, tools or an environment did. `note`: the control flow did."""

    ANSWER = "answer"
    FEEDBACK = "feedback"
    NOTE = "note"


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Message(_Frozen):
    role: str
    content: str


class Tokens(_Frozen):
    prompt: int | None = None
    completion: int | None = None
    total: int | None = None


class TraceStep(_Frozen):
    """One thing that happened. `stage` is the source's word, `role` the lab's, or UNKNOWN_AGENT.

    An answer has `text` where the source kept the model's words, and `code` where it kept the program; feedback and
    notes have `text`. `parse` is the reading of the answer that a lab recorded. Times as recorded, seconds measured.
    """

    kind: StepKind
    stage: str
    role: str = Field(default=UNKNOWN_AGENT, max_length=16)
    attempt: int = Field(default=1, ge=0, le=10_000)
    messages: tuple[Message, ...] = ()
    text: str | None = None
    code: str | None = None
    model: str = ""
    tokens: Tokens = Tokens()
    finish_reason: str = ""
    began: datetime | None = None
    ended: datetime | None = None
    seconds: float | None = None
    parse: dict[str, Any] | None = None
    extra: dict[str, Any] = {}


class Trajectory(_Frozen):
    """`problem` is the source's name of the problem, `candidates` what a lab may call it, best first.

    `agents_known` False: the source does not say which agent wrote what. `solved` None: it gives no verdict.
    """

    format: str
    framework: str = ""
    problem: str
    candidates: tuple[str, ...] = ()
    model: str = ""
    strategy: str = ""
    language: str | None = None
    solved: bool | None = None
    outcome: str = ""
    tokens: Tokens = Tokens()
    calls: int | None = None
    agents_known: bool = True
    steps: tuple[TraceStep, ...] = ()
    final_code: str | None = None
    provenance: dict[str, Any] = {}
    extra: dict[str, Any] = {}

    def digest(self) -> str:
        """SHA-256 over all of it: the same trajectory read again is the same run."""
        data = self.model_dump(mode="json")
        text = json.dumps(data, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
