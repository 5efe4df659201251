"""What is new in a prompt: against the last prompt of the same agent, or without the problem's text where there is none.

Most of a prompt is what every prompt of its agent says. A reader looks for the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trajectories.diffs import Diff, diff
from trajectories.models import ProblemBody, Run, Step, StepEvent

LEAST_FOLDED = 200  # characters; a shorter statement is shown where it stands


@dataclass(frozen=True, slots=True)
class Piece:
    """A message or a part of one. `folded`: the problem's own text, known from the page's header."""

    role: str
    text: str
    folded: bool = False

    @property
    def lines(self) -> int:
        return self.text.count("\n") + 1


@dataclass(frozen=True, slots=True)
class Delta:
    """`against` is the number of the step compared with, and `diff` what changed; else `pieces` hold the whole prompt."""

    against: int | None = None
    diff: Diff | None = None
    pieces: tuple[Piece, ...] = ()


def of(run: Run, steps: Sequence[Step], step: Step, prompt: dict[str, Any]) -> Delta:
    messages = _messages(prompt)
    before = _peer(run, steps, step, str(prompt.get("template", "")))
    if before is not None:
        number, earlier = before
        changes = diff(_joined(earlier), _joined(messages), "text")
        if not changes.too_long:
            return Delta(number, changes)
    statement = ProblemBody.objects.filter(pk=run.problem_id).values_list("spec__statement", flat=True)
    return Delta(pieces=tuple(_pieces(messages, str(statement.first() or "").strip())))


def _messages(prompt: dict[str, Any]) -> list[tuple[str, str]]:
    found = prompt.get("messages") or []
    return [(str(one.get("role", "")), str(one.get("content", ""))) for one in found if isinstance(one, dict)]


def _joined(messages: Sequence[tuple[str, str]]) -> str:
    return "\n".join(f"[{role}]\n{text}" for role, text in messages)


def _peer(
    run: Run, steps: Sequence[Step], step: Step, template: str
) -> tuple[int, list[tuple[str, str]]] | None:
    """The last step before this one that the same template asked."""
    numbers = [one.number for one in steps if one.number < step.number and one.role == step.role]
    rows = StepEvent.objects.filter(
        run=run, kind="step.started", step__in=numbers[-8:], payload__template=template
    )
    row = rows.order_by("-seq").first()
    return (int(row.payload["step"]), _messages(row.payload)) if row else None


def _pieces(messages: Sequence[tuple[str, str]], statement: str) -> list[Piece]:
    found = []
    for role, text in messages:
        before, known, after = text.partition(statement) if len(statement) >= LEAST_FOLDED else (text, "", "")
        found.append(Piece(role, before.rstrip("\n") if known else before))
        if known:
            found += [Piece(role, known, folded=True), Piece(role, after.lstrip("\n"))]
    return [piece for piece in found if piece.text]
