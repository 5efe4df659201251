"""What a distillation has yielded: pairs by role, of how many runs, at what price."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from solver.campaigns import execution
from training.distillation.models import Distillation, Harvest
from trajectories.agents import AGENTS
from trajectories.wilson import Share, share


@dataclass(slots=True)
class RoleYield:
    """`runs` gave at least one pair, of `looked` that could have; `examples` distinct ones."""

    role: str
    looked: int = 0
    runs: int = 0
    examples: set[int] = field(default_factory=set)
    why: Counter[str] = field(default_factory=Counter)

    @property
    def rate(self) -> Share:
        return share(self.runs, self.looked)

    @property
    def reasons(self) -> list[tuple[str, int]]:
        return self.why.most_common()


@dataclass(slots=True)
class CellYield:
    cell: str
    runs: int = 0
    passed: int = 0

    @property
    def rate(self) -> Share:
        return share(self.passed, self.runs)


@dataclass(slots=True)
class Report:
    cells: list[CellYield]
    roles: list[RoleYield]
    spent: dict[str, float]

    @property
    def looked(self) -> int:
        return sum(cell.runs for cell in self.cells)

    @property
    def kept(self) -> int:
        return sum(len(role.examples) for role in self.roles)

    @property
    def tokens_a_pair(self) -> float | None:
        return self.spent["tokens"] / self.kept if self.kept and self.spent else None


def build(job: Distillation) -> Report:
    cells: dict[str, CellYield] = {}
    roles: dict[str, RoleYield] = {}
    rows = Harvest.objects.filter(distillation=job).values_list("cell", "passed", "kept", "why")
    for cell, passed, kept, why in rows.iterator(chunk_size=2000):
        found = cells.setdefault(cell, CellYield(cell))
        found.runs += 1
        found.passed += passed
        _count(roles, kept, why)
    spent: dict[str, Any] = execution.spent(job.campaign) if job.campaign else {}
    return Report(list(cells.values()), [roles[role] for role in AGENTS if role in roles], spent)


def _count(roles: dict[str, RoleYield], kept: dict[str, list[int]], why: dict[str, str]) -> None:
    for role in {*kept, *why}:
        found = roles.setdefault(role, RoleYield(role))
        found.looked += 1
        if role in kept:
            found.runs += 1
            found.examples.update(kept[role])
        else:
            found.why[why[role]] += 1


def undone(job: Distillation) -> bool:
    """Whether runs are still to come or to be harvested."""
    if job.campaign is None:
        return False
    job.campaign.refresh_from_db(fields=["status"])
    return job.campaign.status == "running"


__all__ = ["Report", "build", "undone"]
