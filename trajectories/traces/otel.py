"""OpenTelemetry traces of GenAI systems, as OTLP JSON: whole exports, or one export request a line.

A trace is a trajectory. Spans of model calls are answers, spans of tools are feedback; what surrounds them (workflows,
agents) is kept in `extra`, and gives the calls inside their role. Attributes that no convention names are kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from trajectories.importers.fault import Malformed, Place
from trajectories.importers.row import Row
from trajectories.traces import chat, otlp_values
from trajectories.traces import otel_names as names
from trajectories.traces.source import Found, Source, TraceFormat, leftover, section
from trajectories.traces.trajectory import UNKNOWN_AGENT, Message, StepKind, Tokens, TraceStep, Trajectory

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ROLES = ("retrieval", "planning", "confidence", "coding", "debugging", "supervisor")
_DEPTH = 100
_SPAN = {"traceId", "spanId", "parentSpanId", "name", "startTimeUnixNano", "endTimeUnixNano", "attributes"}


@dataclass(slots=True)
class Span:
    place: Place
    row: Row
    id: str
    parent: str
    name: str
    began: datetime | None
    ended: datetime | None
    attributes: dict[str, Any]
    scope: dict[str, Any]
    resource: dict[str, Any]
    children: list[Span] = field(default_factory=list)

    @property
    def operation(self) -> str:
        return str(self.attributes.get(names.OPERATION) or "")

    def first(self, *keys: str) -> Any:
        return next((self.attributes[key] for key in keys if self.attributes.get(key) is not None), None)

    def raw(self) -> dict[str, Any]:
        """Everything but what identifies a span among its likes."""
        rest = {key: self.row.value(key) for key in self.row.fields() if key not in _SPAN}
        return {
            "name": self.name,
            "span_id": self.id,
            "parent": self.parent,
            "attributes": self.attributes,
            **rest,
        }


def read(source: Source) -> Iterator[Found]:
    """Spans of one trace may stand in several requests, so all of a file is gathered first."""
    traces: dict[str, list[Span]] = {}
    for place, request in source.rows:
        try:
            for trace, span in _spans(place, request):
                traces.setdefault(trace, []).append(span)
        except Malformed as malformed:
            source.log.complain(place, malformed)
    for trace, spans in traces.items():
        yield from source.attempt(spans[0].place, convert, trace, spans)


def _spans(place: Place, request: Row) -> Iterator[tuple[str, Span]]:
    for group in request.rows("resourceSpans"):
        resource = section(group, "resource")
        about = {
            "attributes": otlp_values.attributes(resource.value("attributes"), resource.at("attributes")),
            "schemaUrl": group.value("schemaUrl"),
        }
        for scoped in [*group.rows("scopeSpans"), *group.rows("instrumentationLibrarySpans")]:
            scope = leftover(section(scoped, "scope"), ())
            for row in scoped.rows("spans"):
                yield row.text("traceId"), _span(place, row, scope, about)


def _span(place: Place, row: Row, scope: dict[str, Any], resource: dict[str, Any]) -> Span:
    attributes = otlp_values.attributes(row.value("attributes"), row.at("attributes"))
    for event in row.rows("events"):  # message contents may stand in an event of the span
        inside = otlp_values.attributes(event.value("attributes"), event.at("attributes"))
        attributes = {key: value for key, value in inside.items() if key.startswith("gen_ai.")} | attributes
    return Span(
        place,
        row,
        id=row.text("spanId"),
        parent=row.text("parentSpanId", ""),
        name=row.text("name", ""),
        began=_time(row, "startTimeUnixNano"),
        ended=_time(row, "endTimeUnixNano"),
        attributes=attributes,
        scope=scope,
        resource=resource,
    )


def _time(row: Row, name: str) -> datetime | None:
    value = row.value(name)
    if value in (None, "", "0", 0):
        return None
    try:
        return _EPOCH + timedelta(microseconds=int(value) // 1000)
    except (TypeError, ValueError, OverflowError) as error:
        raise row.malformed(name, f"is {value!r}", "give nanoseconds since 1970") from error


def convert(trace: str, spans: list[Span]) -> Trajectory:
    """Raises Malformed where the spans form no tree or hold no model call."""
    by_id = {span.id: span for span in spans}
    for span in spans:
        if parent := by_id.get(span.parent):
            parent.children.append(span)
    ordered = sorted(spans, key=lambda span: (span.began or _EPOCH, span.name))
    root = next((span for span in ordered if span.parent not in by_id), None)
    if root is None:
        raise Malformed("parentSpanId", "the spans run in a circle", "export the trace again")
    steps = [span for span in ordered if _is_answer(span) or span.operation == names.EXECUTE_TOOL]
    if not steps:
        raise Malformed(
            "spans",
            f"trace {trace[:16]} has no model call",
            f"give spans with the attribute {names.OPERATION}",
        )
    verdict = root.attributes.get(names.VERDICT)
    problem = str(root.attributes.get(names.PROBLEM) or "")
    return Trajectory(
        format="otel-genai",
        framework=str(root.resource["attributes"].get("service.name") or ""),
        problem=problem,
        candidates=(problem,) if problem else (),
        model=str(next((model for span in steps if (model := span.first(*names.MODEL))), "")),
        strategy=str(
            root.attributes.get(names.STRATEGY)
            or root.first("gen_ai.workflow.name", names.AGENT)
            or root.name
        ),
        language=root.attributes.get(names.LANGUAGE) or None,
        solved=None if verdict in (None, "") else verdict == "AC",
        outcome=str(verdict or ""),
        agents_known=any(_role(span, by_id) != UNKNOWN_AGENT for span in steps),
        steps=tuple(_step(span, by_id) for span in steps),
        final_code=root.attributes.get(names.CODE),
        provenance={"trace_id": trace},
        extra={
            "resource": root.resource,
            "scope": root.scope,
            "spans": [span.raw() for span in ordered if span not in steps],
        },
    )


def _is_answer(span: Span) -> bool:
    """A model call; or an agent's span with an output of its own and no call inside."""
    if span.operation in names.INFERENCE or f"{_INDEXED_OUTPUT}.0.content" in span.attributes:
        return True
    if span.operation not in names.AGENTS and names.OUTPUT not in span.attributes:
        return False
    return not _calls_inside(span, 0)


def _calls_inside(span: Span, depth: int) -> bool:
    if depth > _DEPTH:
        return False
    return any(
        child.operation in (*names.INFERENCE, *names.AGENTS) or _calls_inside(child, depth + 1)
        for child in span.children
    )


def _around(span: Span, by_id: dict[str, Span]) -> Iterator[Span]:
    """The span itself and those that enclose it, innermost first."""
    at: Span | None = span
    for _ in range(_DEPTH):
        if at is None:
            return
        yield at
        at = by_id.get(at.parent)


def _role(span: Span, by_id: dict[str, Span]) -> str:
    """By the lab's own attribute, the agent's name, or the operation; of the innermost span that says it."""
    for around in _around(span, by_id):
        agent = str(around.attributes.get(names.AGENT) or "").lower()
        for said in (around.attributes.get(names.ROLE), agent, names.ROLE_OF_OPERATION.get(around.operation)):
            if said in _ROLES:
                return str(said)
    return UNKNOWN_AGENT


def _step(span: Span, by_id: dict[str, Span]) -> TraceStep:
    attempt = next(
        (
            around.attributes[names.ATTEMPT]
            for around in _around(span, by_id)
            if names.ATTEMPT in around.attributes
        ),
        1,
    )
    seconds = (span.ended - span.began).total_seconds() if span.began and span.ended else None
    tool = span.operation == names.EXECUTE_TOOL
    return TraceStep(
        kind=StepKind.FEEDBACK if tool else StepKind.ANSWER,
        stage=str(span.first(names.TOOL, names.AGENT) or span.operation or span.name),
        role=UNKNOWN_AGENT if tool else _role(span, by_id),
        attempt=attempt if isinstance(attempt, int) and 0 <= attempt <= 10_000 else 1,
        messages=() if tool else tuple(_prompt(span)),
        text=chat.content(_decoded(span.attributes.get(names.TOOL_RESULT))) if tool else _answer(span),
        model=str(span.first(*names.MODEL) or ""),
        tokens=Tokens(
            prompt=_whole(span.first(*names.PROMPT_TOKENS)),
            completion=_whole(span.first(*names.COMPLETION_TOKENS)),
        ),
        finish_reason=_finish(span),
        began=span.began,
        ended=span.ended,
        seconds=seconds,
        parse=_parse(span),
        extra={"span": span.raw()},
    )


_INDEXED_INPUT, _INDEXED_OUTPUT = "gen_ai.prompt", "gen_ai.completion"


def _prompt(span: Span) -> Iterator[Message]:
    system = _decoded(span.attributes.get(names.SYSTEM))
    if system:
        yield Message(role="system", content=chat.content(system))
    for message in _listed(span.attributes.get(names.INPUT)):
        yield chat.message(message)
    yield from _indexed(span, _INDEXED_INPUT)


def _answer(span: Span) -> str:
    said = [chat.message(message).content for message in _listed(span.attributes.get(names.OUTPUT))]
    said += [message.content for message in _indexed(span, _INDEXED_OUTPUT)]
    return "\n".join(said)


def _indexed(span: Span, prefix: str) -> Iterator[Message]:
    """`gen_ai.prompt.0.role`, `gen_ai.prompt.0.content`, and so on: how OpenLLMetry writes messages."""
    number = 0
    while f"{prefix}.{number}.content" in span.attributes or f"{prefix}.{number}.role" in span.attributes:
        role = span.attributes.get(f"{prefix}.{number}.role") or "assistant"
        yield Message(role=str(role), content=chat.content(span.attributes.get(f"{prefix}.{number}.content")))
        number += 1


def _decoded(value: Any) -> Any:
    """Structured attributes are often written as JSON in a text."""
    if isinstance(value, str) and value[:1] in "[{":
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value  # a text that merely begins like JSON
    return value


def _listed(value: Any) -> list[dict[str, Any]]:
    found = _decoded(value)
    if isinstance(found, dict):
        found = [found]
    if isinstance(found, str) and found:
        return [{"role": "user", "content": found}]
    return [message for message in found if isinstance(message, dict)] if isinstance(found, list) else []


def _finish(span: Span) -> str:
    reasons = span.attributes.get(names.FINISH)
    return str(reasons[0]) if isinstance(reasons, list) and reasons else ""


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _parse(span: Span) -> dict[str, Any] | None:
    found = _decoded(span.attributes.get(names.PARSE))
    return found if isinstance(found, dict) else None


FORMAT = TraceFormat(
    name="otel-genai",
    title="OpenTelemetry GenAI spans",
    telling="OTLP JSON with resourceSpans",
    read=read,
    of_row=lambda row: isinstance(row.value("resourceSpans"), list),
)
