"""The problems that examples were made from: whether one is an evaluation problem, and on which side of the split it is.

Each is looked at once, a block at a time, for their bodies hold all tests. Copies of a problem, and its other versions,
share a unit and so a side.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from dataclasses import dataclass

from solver.campaigns.selection import keys_of
from training.datasets import pool
from training.datasets.contamination import EvaluationSets
from training.datasets.spec import DatasetSpec
from trajectories.models import Problem

BLOCK = 200


@dataclass(frozen=True, slots=True)
class Own:
    name: str
    overlap: str  # the evaluation problem that it is, or is a copy of
    held_out: bool


class OwnProblems:
    def __init__(self, sets: EvaluationSets, spec: DatasetSpec) -> None:
        self.sets, self.spec = sets, spec
        self._ids = pool.problem_ids(spec)
        self._found: dict[int, Own] = {}
        self._units: dict[bytes, str] = {}  # digest of a key -> unit

    def overlap(self, problem: int | None) -> str:
        return self._of(problem).overlap if problem else ""

    def name(self, problem: int | None, example: int) -> str:
        return self._of(problem).name if problem else f"example {example}"

    def is_held_out(self, problem: int | None, digest: str) -> bool:
        """By the problem, or where none is known by the example itself."""
        return self._of(problem).held_out if problem else self._is_held_out(f"example:{digest}")

    def _of(self, pk: int) -> Own:
        """Asked for in the order of the problems, so that a block is read once and the ones before it are done with."""
        if pk not in self._found:
            self._found.clear()
            self._read(pk)
        return self._found[pk]

    def _read(self, pk: int) -> None:
        at = bisect_left(self._ids, pk)
        problems = list(Problem.objects.filter(pk__in=[pk, *self._ids[at : at + BLOCK]]).order_by("pk"))
        for problem, known_by in keys_of(problems):
            keys = [*known_by, f"id:{problem.external_id}"]
            short = [hashlib.sha256(key.encode()).digest()[:12] for key in keys]
            unit = next((self._units[key] for key in short if key in self._units), keys[0])
            self._units.update(dict.fromkeys(short, unit))
            overlap = self.sets.by_problem(problem, known_by)
            self._found[problem.pk] = Own(problem.external_id, overlap, self._is_held_out(unit))

    def _is_held_out(self, unit: str) -> bool:
        digest = hashlib.sha256(f"{self.spec.seed}\0{unit}".encode()).digest()
        return int.from_bytes(digest[:8], "big") < self.spec.eval_share * 2**64
