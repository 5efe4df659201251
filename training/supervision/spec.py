"""What a supervision is, as exact YAML."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class FailedRuns(BaseModel):
    """Which failed runs: those of a campaign, or single ones. `limit` takes the first in order of id."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    campaign: int | None = None
    ids: tuple[int, ...] = ()
    limit: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _names_some(self) -> FailedRuns:
        if self.campaign is None and not self.ids:
            raise ValueError("name a campaign or the ids of runs")
        return self


class SupervisionSpec(BaseModel):
    """`reviser`: who answers again. The student follows the feedback, as published; a teacher's answer is a stronger
    model's in the student's place, for a student that cannot follow free text. It is recorded which one it was."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field(min_length=1, max_length=120)
    runs: FailedRuns
    supervisor: str
    votes: int = Field(default=3, ge=1, le=15)
    temperature: float = Field(default=0.7, ge=0, le=2)
    rounds: int = Field(default=2, ge=1, le=4)
    draws: int = Field(default=1, ge=1, le=8)
    reviser: Literal["student", "teacher"] = "student"
    teacher: str = ""
    downstream: bool = True
    replays: int = Field(
        default=0, ge=0, le=20
    )  # of every agent, beside the votes: blame by counterfactual replay
    seed: int = Field(default=0, ge=0, lt=2**31)

    @model_validator(mode="after")
    def _has_its_teacher(self) -> SupervisionSpec:
        if self.reviser == "teacher" and not self.teacher:
            raise ValueError("reviser is teacher, so name the teacher's engine in `teacher`")
        if self.votes > 1 and self.temperature == 0:
            raise ValueError("at temperature 0 every vote is the same one; raise it or ask for one vote")
        return self

    def canonical(self) -> dict[str, Any]:
        return self.model_dump(mode="json")

    def digest(self) -> str:
        return hashlib.sha256(json.dumps(self.canonical(), sort_keys=True).encode()).hexdigest()
