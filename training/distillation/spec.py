"""What a distillation is, as exact YAML."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from solver.campaigns.spec import Limits, ProblemSet

TeacherRole = Literal["retrieval", "planning", "coding"]


class ImportedRuns(BaseModel):
    """Trajectories that were imported: of these file formats and strategies, all where none is named."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    formats: tuple[str, ...] = ()
    strategies: tuple[str, ...] = ()


class DistillationSpec(BaseModel):
    """`teacher` alone gives the pairs of `teacher_roles` (retrieval, as published; planning and coding where its first
    program passed). `student` plans and codes while the teacher debugs, which gives the debugging pairs; leave it out to
    go without. `imported` takes recorded trajectories instead of running anything."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field(min_length=1, max_length=120)
    teacher: str = ""
    student: str = ""
    imported: ImportedRuns | None = None
    teacher_roles: tuple[TeacherRole, ...] = ("retrieval",)
    confidence: bool = True  # verdicts on plans that agree with what came of the plan, among planning's pairs
    problems: ProblemSet = ProblemSet()
    k: int | None = Field(default=None, ge=1, le=20)
    t: int | None = Field(default=None, ge=0, le=50)
    seeds: tuple[int, ...] = (0,)
    language: str = "python"
    longest: int = Field(default=60_000, ge=100)  # characters of prompt and answer together
    budget: Limits = Limits()
    at_once: int = Field(default=8, ge=1, le=256)
    engine_tries: int = Field(default=3, ge=1, le=20)

    @model_validator(mode="after")
    def _has_a_source(self) -> DistillationSpec:
        if (self.imported is None) == (not self.teacher):
            raise ValueError("name a teacher, or `imported` for recorded trajectories; one of the two")
        if self.imported is not None and self.student:
            raise ValueError("a student has no part in imported trajectories")
        return self

    def canonical(self) -> dict[str, Any]:
        return self.model_dump(mode="json")

    def digest(self) -> str:
        return hashlib.sha256(json.dumps(self.canonical(), sort_keys=True).encode()).hexdigest()

    def campaign(self) -> dict[str, Any]:
        """The campaign that runs it: a cell for the teacher alone, one for the student with the teacher as debugger."""
        from solver import engine_book

        models = [{"engine": self.teacher, "label": "teacher"}]
        if self.student:
            routed = engine_book.route(self.student, {"debugging": self.teacher})
            models.append({"engine": routed.name, "label": "student"})
        given = engine_book.usual_params(engine_book.get(self.student or self.teacher))
        given |= {name: value for name, value in (("k", self.k), ("t", self.t)) if value is not None}
        return {
            "name": self.name,
            "problems": self.problems.model_dump(mode="json", exclude_defaults=True),
            "strategies": [{"name": "mapcoder", "params": given}],
            "models": models,
            "seeds": list(self.seeds),
            "languages": [self.language],
            "budget": self.budget.model_dump(mode="json", exclude_none=True),
            "at_once": self.at_once,
            "engine_tries": self.engine_tries,
        }
