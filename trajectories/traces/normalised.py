"""The lab's own layout of real traces: one JSON object a line, with the stages in the order in which they happened.

Four kinds of systems are in it: MapCoder with all four agents and full messages, LDB (a seed program and its repairs,
with execution feedback), Reflexion (programs, feedback, reflections) and analogical prompting (one answer).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trajectories.importers.row import Row
from trajectories.traces.source import TraceFormat, count, leftover, row_by_row, section, truth
from trajectories.traces.trajectory import UNKNOWN_AGENT, Message, StepKind, Tokens, TraceStep, Trajectory

# The lab's role of each recorded stage. Reflecting on a failure is the debugging agent's work, as in the lab's own
# Reflexion; analogical prompting does everything in one answer of the coding agent.
ROLES = {
    "retrieval": "retrieval",
    "planning": "planning",
    "plan_verification": "confidence",
    "coding": "coding",
    "seed": "coding",
    "debugging": "debugging",
    "reflection": "debugging",
    "retrieval+planning+coding": "coding",
}
KINDS = {"execution_feedback": StepKind.FEEDBACK, "note": StepKind.NOTE}
_BEFORE_CODE = {"retrieval", "planning", "plan_verification", "note"}
_ROW = {
    *("id", "problem_id", "model", "strategy", "agent_framework", "solved_recorded", "language"),
    *("prompt_tokens", "completion_tokens", "total_tokens", "n_calls", "steps", "final_code", "provenance"),
}
_STEP = {"stage", "messages", "response", "text", "code"}


def convert(row: Row) -> Trajectory:
    problem = row.text("problem_id")
    return Trajectory(
        format="normalised",
        framework=row.text("agent_framework", ""),
        problem=problem,
        candidates=(problem,),
        model=row.text("model"),
        strategy=row.text("strategy"),
        language=row.text("language", "") or None,
        solved=truth(row, "solved_recorded"),
        tokens=Tokens(
            prompt=count(row, "prompt_tokens"),
            completion=count(row, "completion_tokens"),
            total=count(row, "total_tokens"),
        ),
        calls=count(row, "n_calls"),
        steps=tuple(_steps(row)),
        final_code=row.text("final_code", "") if "final_code" in row else None,
        provenance=leftover(section(row, "provenance"), ())
        | ({"id": row.label("id")} if "id" in row else {}),
        extra=leftover(row, _ROW),
    )


def _steps(row: Row) -> Iterator[TraceStep]:
    """Attempt 0 until the first program; Reflexion counts a program an attempt, the others one for all."""
    programs = 0
    for step in row.rows("steps"):
        stage = step.text("stage")
        reflexive = row.value("strategy") == "Reflexion"
        if stage in ("coding", "seed", "retrieval+planning+coding"):
            programs += 1
        attempt = programs if reflexive else min(1, programs)
        yield _step(step, stage, 0 if stage in _BEFORE_CODE and not programs else max(1, attempt))


def _step(step: Row, stage: str, attempt: int) -> TraceStep:
    kind = KINDS.get(stage, StepKind.ANSWER)
    if kind is StepKind.ANSWER and not any(name in step for name in ("response", "text", "code")):
        raise step.malformed("response", "is missing", "give the answer's `response`, `text` or `code`")
    extra = leftover(step, _STEP)
    text = step.value("response") if "response" in step else step.value("text")
    if isinstance(text, list):
        extra["text"] = text
        text = "\n".join(str(line) for line in text)
    elif text is not None:
        text = step.text("response" if "response" in step else "text", "")
    return TraceStep(
        kind=kind,
        stage=stage,
        role=ROLES.get(stage, UNKNOWN_AGENT),
        attempt=attempt,
        messages=tuple(_messages(step)),
        text=text,
        code=step.text("code", "") if "code" in step else None,
        extra=extra,
    )


def _messages(step: Row) -> Iterator[Message]:
    for message in step.rows("messages"):
        if beyond := leftover(message, ("role", "content")):
            raise message.malformed(", ".join(beyond), "is not known here", "leave only role and content")
        yield Message(role=message.text("role"), content=message.text("content", ""))


def _known(row: Row) -> bool:
    if not all(name in row for name in ("problem_id", "strategy", "steps")):
        return False
    steps: Any = row.value("steps")
    return isinstance(steps, list) and all(isinstance(step, dict) and "stage" in step for step in steps)


FORMAT = TraceFormat(
    name="normalised",
    title="normalised traces",
    telling="rows with problem_id, strategy and steps that have a stage",
    read=row_by_row(convert),
    of_row=_known,
)
