"""Inspect's logs: `.eval` (a zip of JSON parts) and the older `.json`, read by the keys of their schema.

A sample is a trajectory. Its steps come from the events of kind `model` and `tool`; logs without events are read from
`messages`. Texts that Inspect moved to `attachments` are put back. Documented at inspect.aisi.org.uk, "Log Files".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from trajectories.importers.fault import Malformed
from trajectories.importers.row import Row
from trajectories.importers.tree import Tree, read_bytes
from trajectories.traces import chat
from trajectories.traces.source import Found, Source, TraceFormat, leftover, section
from trajectories.traces.trajectory import UNKNOWN_AGENT, Message, StepKind, Tokens, TraceStep, Trajectory

HEADS = ("header.json", "_journal/start.json", "start.json")
_ROLES = ("retrieval", "planning", "confidence", "coding", "debugging", "supervisor")
_ATTACHMENT = re.compile(r"attachment://([0-9a-f]{32})")
_CORRECT = {"C": True, "I": False, "CORRECT": True, "INCORRECT": False}


def read(source: Source) -> Iterator[Found]:
    if source.tree is not None:
        yield from _archive(source, source.tree)
        return
    for place, row in source.rows:
        head = leftover(row, {"samples"})
        if not row.items("samples"):
            source.log.complain(
                place, Malformed("samples", "are not in this log", "write it with its samples")
            )
        for number, sample in enumerate(row.items("samples"), start=1):
            yield from source.attempt(place, _sample, sample, f"samples[{number - 1}]", head)


def _archive(source: Source, tree: Tree) -> Iterator[Found]:
    names = tree.names()
    head = _json(tree, next(name for name in HEADS if name in names), source.log.bounds.row)
    members = [name for name in names if name.startswith("samples/") and name.endswith(".json")]
    if not members:
        raise Malformed("samples", "are not in this log", "write it with its samples")
    for name in members:
        place = source.place.inside(name)
        try:
            sample = _json(tree, name, source.log.bounds.row)
        except Malformed as malformed:
            source.log.complain(place, malformed)
            continue
        yield from source.attempt(place, _sample, sample, "", head)


def _json(tree: Tree, name: str, limit: int) -> Any:
    try:
        data = read_bytes(tree, name, limit)
        return json.loads(data)
    except Malformed as malformed:
        if "compression" in malformed.problem:
            raise Malformed(
                "",
                "is compressed in a way that this lab cannot read (zstd, most likely)",
                "write the log anew without it: inspect log convert --to eval, or --to json",
                member=name,
            ) from malformed
        raise
    except (ValueError, RecursionError) as error:
        raise Malformed("", f"is not JSON: {error}", "make the log anew", member=name) from error


def _sample(data: Any, path: str, head: dict[str, Any]) -> Trajectory:
    row = Row.of(data, path)
    attachments = section(row, "attachments")
    whole = {name: row.value(name) for name in row.fields()}
    restored = Row(
        _restored(whole, {name: attachments.text(name, "") for name in attachments.fields()}), path
    )
    evaluation = Row.of(head.get("eval") or {}, "eval")
    problem = restored.label("id")
    if not problem:
        raise restored.malformed("id", "is missing", "give the sample's id")
    output = section(restored, "output")
    solved, outcome = _score(restored)
    final = _completion(output)
    return Trajectory(
        format="inspect",
        framework=f"Inspect, task {evaluation.label('task')}".strip(),
        problem=problem,
        candidates=(problem, problem.lower(), f"{evaluation.label('task')}/{problem}"),
        model=evaluation.label("model") or output.label("model"),
        strategy=evaluation.label("task"),
        solved=solved,
        outcome=outcome,
        agents_known=False,
        steps=tuple(_steps(restored)),
        final_code=final or None,
        provenance={"run_id": evaluation.value("run_id"), "created": evaluation.value("created")},
        extra={
            "sample": leftover(restored, {"messages", "events", "attachments"}),
            "messages": restored.value("messages"),
            "events": [event for event in restored.items("events") if not _is_step(event)],
            "log": head,
        },
    )


def _restored(value: Any, attachments: dict[str, str]) -> Any:
    """Texts in place of references to them. One level: an attachment is text and refers to nothing."""
    if isinstance(value, str):
        return (
            _ATTACHMENT.sub(lambda match: attachments.get(match[1], match[0]), value)
            if attachments
            else value
        )
    if isinstance(value, list):
        return [_restored(item, attachments) for item in value]
    if isinstance(value, dict):
        return {name: _restored(item, attachments) for name, item in value.items() if name != "attachments"}
    return value


def _score(row: Row) -> tuple[bool | None, str]:
    """What the first score says; Inspect writes C and I, 1 and 0, true and false, or a number that is neither."""
    scores = row.value("scores")
    if not isinstance(scores, dict) or not scores:
        return None, ""
    name, score = next(iter(scores.items()))
    value = score.get("value") if isinstance(score, dict) else score
    solved = _CORRECT.get(value.upper()) if isinstance(value, str) else None
    if isinstance(value, bool | int | float) and value in (0, 1):
        solved = bool(value)
    return solved, f"{name}: {value}"


def _completion(output: Row) -> str:
    choices = output.value("choices")
    first = choices[0] if isinstance(choices, list) and choices else {}
    message = first.get("message") if isinstance(first, dict) else None
    return chat.content(message.get("content")) if isinstance(message, dict) else ""


def _is_step(event: Any) -> bool:
    return isinstance(event, dict) and event.get("event") in ("model", "tool")


def _steps(row: Row) -> Iterator[TraceStep]:
    events = [event for event in row.items("events") if _is_step(event)]
    if events:
        spans = {event["id"]: event for event in row.items("events") if _begins_span(event)}
        pool = _pool(row)
        for index, event in enumerate(events):
            found = Row(event, row.at(f"events[{index}]"))
            yield _answer(found, spans, pool) if event["event"] == "model" else _tool(found)
        return
    shown: list[Message] = []
    for message in row.rows("messages"):
        data = {name: message.value(name) for name in message.fields()}
        made = chat.message(data)
        if made.role == "assistant":
            yield TraceStep(
                kind=StepKind.ANSWER,
                stage="message",
                messages=tuple(shown),
                text=chat.content(data.get("content")),
            )
            shown = []
            continue
        shown.append(made)


def _begins_span(event: Any) -> bool:
    return isinstance(event, dict) and event.get("event") == "span_begin" and isinstance(event.get("id"), str)


def _pool(row: Row) -> list[Any]:
    """Messages that newer logs keep once a sample, for events that only say which ranges of them they showed."""
    if "message_pool" in row:
        return row.items("message_pool")
    return section(row, "events_data").items("messages")


def _shown(event: Row, pool: list[Any]) -> list[Any]:
    """The messages of a model event. Ranges are pairs of a start and an end that does not belong to them."""
    shown = event.items("input")
    for number, pair in enumerate(event.items("input_refs")):
        ends = pair if isinstance(pair, list) and len(pair) == 2 else [None, None]
        if not all(isinstance(end, int) and 0 <= end <= len(pool) for end in ends):
            what = f"is no range of the sample's {len(pool)} messages"
            raise event.malformed(f"input_refs[{number}]", what, "write the log anew: inspect log convert")
        shown = [*shown, *pool[ends[0] : ends[1]]]
    return shown


def _answer(event: Row, spans: dict[str, dict[str, Any]], pool: list[Any]) -> TraceStep:
    output = section(event, "output")
    usage = section(output, "usage")
    choices = output.rows("choices")
    shown = _shown(event, pool)
    name = _span_name(event, spans)
    return TraceStep(
        kind=StepKind.ANSWER,
        stage=name or "model",
        role=event.label("role")
        if event.label("role") in _ROLES
        else name
        if name in _ROLES
        else UNKNOWN_AGENT,
        messages=tuple(chat.message(message) for message in shown if isinstance(message, dict)),
        text=_completion(output),
        model=event.label("model"),
        tokens=Tokens(
            prompt=_whole(usage, "input_tokens"),
            completion=_whole(usage, "output_tokens"),
            total=_whole(usage, "total_tokens"),
        ),
        finish_reason=choices[0].label("stop_reason") if choices else "",
        began=_time(event, "timestamp"),
        ended=_time(event, "completed"),
        seconds=output.number("time"),
        extra={"event": {field: event.value(field) for field in event.fields()}},
    )


def _span_name(event: Row, spans: dict[str, dict[str, Any]]) -> str:
    """The innermost named agent or solver around the event."""
    span = spans.get(event.label("span_id"))
    for _ in range(50):
        if span is None:
            return ""
        if span.get("type") in ("agent", "solver"):
            return str(span.get("name") or "")
        span = spans.get(str(span.get("parent_id")))
    return ""


def _tool(event: Row) -> TraceStep:
    return TraceStep(
        kind=StepKind.FEEDBACK,
        stage=event.label("function", "tool"),
        text=chat.content(event.value("result")),
        began=_time(event, "timestamp"),
        ended=_time(event, "completed"),
        seconds=event.number("working_time"),
        extra={"event": {field: event.value(field) for field in event.fields()}},
    )


def _whole(row: Row, name: str) -> int | None:
    number = row.number(name)
    return None if number is None else max(0, int(number))


def _time(row: Row, name: str) -> datetime | None:
    text = row.text(name, "")
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise row.malformed(
            name, f"is {text[:40]!r}", "give a time such as 2025-07-05T09:59:40-04:00"
        ) from error
    if found.tzinfo is None:
        raise row.malformed(name, f"{text[:40]!r} has no time zone", "add one, such as +00:00")
    return found


def _known(row: Row) -> bool:
    return all(row.has_key(name) for name in ("version", "eval", "samples")) and isinstance(
        row.value("samples"), list
    )


def _known_archive(names: list[str]) -> bool:
    return any(head in names for head in HEADS)


FORMAT = TraceFormat(
    name="inspect",
    title="an Inspect log",
    telling="a zip with header.json or _journal/start.json, or an object with version, eval and samples",
    read=read,
    of_row=_known,
    of_tree=_known_archive,
)
