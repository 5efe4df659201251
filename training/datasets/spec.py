"""What a dataset version is made of, as exact YAML."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from training.models import Way
from trajectories.agents import AgentName

EVALUATION_SPLITS = ("test", "eval", "valid", "validation", "val", "dev")
WAYS = tuple(way.value for way in Way)


class Against(BaseModel):
    """The evaluation sets: problems of these splits, of these campaigns, and single ids. An example overlaps with one of
    them by its own problem (id, or a copy of it), or by words: where `share` of the n-grams of an evaluation problem's
    statement stand in the example. An overlap refuses the build."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    splits: tuple[str, ...] = EVALUATION_SPLITS
    campaigns: tuple[int, ...] = ()
    ids: tuple[str, ...] = ()
    ngram: int = Field(default=13, ge=5, le=50)
    share: float = Field(default=0.5, gt=0, le=1)


class Quotas(BaseModel):
    """At most this many rows with a tag, or of a difficulty; what is not named is not limited."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    tags: dict[str, int] = Field(default_factory=dict)
    difficulty: dict[str, int] = Field(default_factory=dict)


class DatasetSpec(BaseModel):
    """`reviewed`: only examples that somebody accepted; else candidates too, which passed the automatic filter alone.
    `passed`: only answers that led to a pass of all hidden tests. `near_duplicates`: likeness (Jaccard, word five-grams)
    from which a row is a copy of an earlier one; 0 keeps all. `eval_share` of the problems go to the eval split."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    role: AgentName
    ways: tuple[Literal["teacher", "repair", "supervisor", "human", "imported"], ...] = WAYS  # type: ignore[assignment]
    reviewed: bool = True
    passed: bool = True
    per_problem: int | None = Field(default=8, ge=1)
    near_duplicates: float = Field(default=0.9, ge=0, le=1)
    quotas: Quotas = Quotas()
    against: Against = Against()
    exclude_problems: tuple[str, ...] = ()
    exclude_examples: tuple[int, ...] = ()
    eval_share: float = Field(default=0.1, ge=0, lt=1)
    seed: int = 0
    limit: int | None = Field(default=None, ge=1)

    def canonical(self) -> dict[str, Any]:
        return self.model_dump(mode="json")

    def digest(self) -> str:
        return hashlib.sha256(json.dumps(self.canonical(), sort_keys=True).encode()).hexdigest()
