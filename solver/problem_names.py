"""Which problem of the lab a trajectory is about."""

from __future__ import annotations

from collections.abc import Iterable

from trajectories.models import Problem, ProblemBody
from trajectories.problem_schema import ProblemSpec

SPECS_KEPT = 64  # a problem's tests can take megabytes


class ProblemBook:
    """The lab's current problems by name, and a few of their bodies."""

    def __init__(self) -> None:
        rows = Problem.objects.current().values_list("external_id", "pk")
        self._ids = {name.lower(): pk for name, pk in rows}
        self._groups: dict[str, int] | None = None
        self._specs: dict[int, ProblemSpec] = {}

    def find(self, candidates: Iterable[str]) -> int | None:
        """By external id in any case, best candidate first; else by the group of near-duplicates it stands for."""
        names = [name.lower() for name in candidates if name]
        found = next((self._ids[name] for name in names if name in self._ids), None)
        return found if found is not None else self._of_group(names)

    def _of_group(self, names: list[str]) -> int | None:
        if self._groups is None:
            current = ProblemBody.objects.filter(problem__superseded_at=None).exclude(spec__group="")
            rows = current.order_by("-problem_id").values_list("spec__group", "problem_id")
            self._groups = {str(group).lower(): pk for group, pk in rows if group}
        return next((self._groups[name] for name in names if name in self._groups), None)

    def spec(self, pk: int) -> ProblemSpec:
        if pk not in self._specs:
            while len(self._specs) >= SPECS_KEPT:
                self._specs.pop(next(iter(self._specs)))
            self._specs[pk] = ProblemSpec.model_validate(ProblemBody.objects.get(problem_id=pk).spec)
        return self._specs[pk]
