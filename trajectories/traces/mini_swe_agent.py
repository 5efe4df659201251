"""mini-swe-agent's `.traj.json`: one conversation, told by its field `trajectory_format` ("mini-swe-agent-1" and "-1.1").

Messages are OpenAI's; `extra` of a message has the actions, the cost, a time and the raw response. The model reads the
whole conversation before each answer; an answer's `messages` here are those since the answer before, or a long
conversation would be stored as often as it has turns.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from trajectories.importers.row import Row
from trajectories.traces import chat
from trajectories.traces.source import Found, Source, TraceFormat, count, leftover, section
from trajectories.traces.trajectory import Message, StepKind, Tokens, TraceStep, Trajectory


def read(source: Source) -> Iterator[Found]:
    name = source.name.removesuffix(".gz").removesuffix(".json").removesuffix(".traj")
    for place, row in source.rows:
        yield from source.attempt(place, convert, row, name)


def convert(row: Row, name: str) -> Trajectory:
    info = section(row, "info")
    stats = section(info, "model_stats")
    problem = row.label("instance_id") or name
    submission = info.value("submission")
    return Trajectory(
        format="mini-swe-agent",
        framework=f"mini-swe-agent {info.label('mini_version')}".strip(),
        problem=problem,
        candidates=(problem,),
        model=_model(info),
        strategy="mini-swe-agent",
        outcome=info.label("exit_status"),
        calls=count(stats, "api_calls"),
        agents_known=False,
        steps=tuple(_steps(row)),
        final_code=submission if isinstance(submission, str) and submission else None,
        extra=leftover(row, {"messages"}),
    )


def _steps(row: Row) -> Iterator[TraceStep]:
    shown: list[Message] = []
    turn = 0
    for place in row.rows("messages"):
        data = {name: place.value(name) for name in place.fields()}
        message = chat.message(data)
        if message.role == "assistant":
            turn += 1
            yield _answer(place, data, message, tuple(shown), turn)
            shown = []
            continue
        shown.append(message)
        if turn:
            yield TraceStep(
                kind=StepKind.FEEDBACK,
                stage=message.role,
                attempt=min(turn, 10_000),
                text=message.content,
                began=_time(place),
                extra={} if chat.plain(data) else {"message": data},
            )
        elif not chat.plain(data):
            yield TraceStep(kind=StepKind.NOTE, stage=message.role, attempt=0, extra={"message": data})


def _answer(
    place: Row, data: dict[str, Any], message: Message, shown: tuple[Message, ...], turn: int
) -> TraceStep:
    usage, reason = _usage(place)
    return TraceStep(
        kind=StepKind.ANSWER,
        stage="turn",
        attempt=min(turn, 10_000),
        messages=shown,
        text=chat.content(data.get("content")),
        tokens=usage,
        finish_reason=reason,
        ended=_time(place),
        extra={} if chat.plain(data) else {"message": data},
    )


def _usage(place: Row) -> tuple[Tokens, str]:
    """From the raw response, where it was kept."""
    response = section(place, "extra").value("response")
    if not isinstance(response, dict):
        return Tokens(), ""
    usage = response.get("usage") if isinstance(response.get("usage"), dict) else {}
    assert isinstance(usage, dict)
    choices = response.get("choices")
    first = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    return Tokens(
        prompt=_whole(usage.get("prompt_tokens")), completion=_whole(usage.get("completion_tokens"))
    ), str(first.get("finish_reason") or "")


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _time(place: Row) -> datetime | None:
    """Seconds since 1970."""
    stamp = section(place, "extra").value("timestamp")
    if isinstance(stamp, bool) or not isinstance(stamp, int | float):
        return None
    try:
        return datetime.fromtimestamp(stamp, UTC)
    except (OverflowError, OSError, ValueError) as error:
        raise place.malformed("extra.timestamp", f"is {stamp!r}", "give seconds since 1970") from error


def _model(info: Row) -> str:
    config: Any = info.value("config")
    for key in ("model", "model_name"):
        config = config.get(key) if isinstance(config, dict) else None
    return config if isinstance(config, str) else ""


def _known(row: Row) -> bool:
    return str(row.value("trajectory_format") or "").startswith("mini-swe-agent") and "messages" in row


FORMAT = TraceFormat(
    name="mini-swe-agent",
    title="a mini-swe-agent trajectory",
    telling="an object with trajectory_format mini-swe-agent-1 or -1.1 and messages",
    read=read,
    of_row=_known,
)
