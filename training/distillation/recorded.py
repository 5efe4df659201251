"""Which answers of an imported trajectory led to its pass.

Nothing of ours stood behind its steps, so its own tests and its own last word count for nothing: the answer that first
wrote the very program which our judge passed is the one that is kept, and what came after it changed nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from training.examples import Asked
from trajectories.models import Run, StepEvent

PROGRAMS = ("coding", "debugging")


@dataclass(frozen=True, slots=True)
class Credit:
    """`step` wrote the program that passed; None where no answer did, and `why` says so. `first`: no other program was
    written before it, so that the plan is known to be right."""

    step: Asked | None
    first: bool = False
    why: str = ""

    def of(self, role: str) -> list[Asked]:
        return [self.step] if self.step is not None and self.step.role == role else []


def credit(run: Run, steps: Sequence[Asked]) -> Credit:
    judged = _plain(_judged_program(run))
    before: list[str] = []
    for step in sorted(steps, key=lambda one: one.number):
        program = _plain(step.finished.parse.value) if step.role in PROGRAMS else ""
        if program and program == judged:
            return Credit(step, first=not before and step.role == "coding")
        before += [program] if program else []
    return Credit(None, why="no answer holds the program that was judged")


def _judged_program(run: Run) -> str:
    told = StepEvent.objects.filter(run=run, kind="tests.started", payload__suite="hidden").order_by("-seq")
    return str(told.values_list("payload__code", flat=True).first() or "")


def _plain(program: object) -> str:
    """Without what differs by how a program was cut out of an answer."""
    return (
        "\n".join(line.rstrip() for line in program.strip().splitlines()) if isinstance(program, str) else ""
    )
