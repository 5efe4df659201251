"""SWE-agent's `.traj`: one JSON object with the steps of one attempt at an issue.

Steps have thought, action, observation, response, state and execution_time; what the model was shown is `query` since
version 1.1 and `messages` before. `info` has the submission, the exit status and the model's costs.
Documented at swe-agent.com, "Output files".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trajectories.importers.row import Row
from trajectories.traces import chat
from trajectories.traces.source import Found, Source, TraceFormat, count, leftover, section
from trajectories.traces.trajectory import StepKind, Tokens, TraceStep, Trajectory

_STEP = {"response", "observation", "query", "messages"}


def read(source: Source) -> Iterator[Found]:
    for place, row in source.rows:
        yield from source.attempt(place, convert, row, source.name.removesuffix(".gz").removesuffix(".traj"))


def convert(row: Row, name: str) -> Trajectory:
    info = section(row, "info")
    stats = section(info, "model_stats")
    problem = row.label("instance_id") or name
    submission = info.value("submission")
    return Trajectory(
        format="swe-agent",
        framework="SWE-agent",
        problem=problem,
        candidates=(problem,),
        model=_model(row),
        strategy="swe-agent",
        outcome=info.label("exit_status"),
        tokens=Tokens(prompt=count(stats, "tokens_sent"), completion=count(stats, "tokens_received")),
        calls=count(stats, "api_calls"),
        agents_known=False,
        steps=tuple(
            step for number, turn in enumerate(row.rows("trajectory"), 1) for step in _turn(turn, number)
        ),
        final_code=submission if isinstance(submission, str) and submission else None,
        extra=leftover(row, {"trajectory"}),
    )


def _turn(turn: Row, number: int) -> Iterator[TraceStep]:
    used = "query" if "query" in turn else "messages"
    shown = turn.items(used)
    messages = [message for message in shown if isinstance(message, dict)]
    extra: dict[str, Any] = leftover(turn, _STEP)
    for name in ("query", "messages"):
        if turn.has_key(name) and not (name == used and all(map(chat.plain, shown))):
            extra[name] = turn.value(name)
    yield TraceStep(
        kind=StepKind.ANSWER,
        stage="turn",
        attempt=min(number, 10_000),
        messages=tuple(map(chat.message, messages)),
        text=turn.text("response", "") if "response" in turn else turn.text("thought", ""),
        extra=extra,
    )
    if turn.has_key("observation"):
        yield TraceStep(
            kind=StepKind.FEEDBACK,
            stage="observation",
            attempt=min(number, 10_000),
            text=chat.content(turn.value("observation")),
            seconds=turn.number("execution_time"),
        )


def _model(row: Row) -> str:
    """Named in the configuration that version 1 stores beside the steps."""
    config: Any = row.value("replay_config")
    if isinstance(config, str):
        config = row.json_text("replay_config", "the configuration")
    for key in ("agent", "model", "name"):
        config = config.get(key) if isinstance(config, dict) else None
    return config if isinstance(config, str) else ""


def _known(row: Row) -> bool:
    turns = row.value("trajectory")
    if not isinstance(turns, list):
        return False
    return all(isinstance(turn, dict) and "action" in turn and "observation" in turn for turn in turns)


FORMAT = TraceFormat(
    name="swe-agent",
    title="a SWE-agent trajectory",
    telling="an object whose `trajectory` is a list of turns with action and observation",
    read=read,
    of_row=_known,
)
