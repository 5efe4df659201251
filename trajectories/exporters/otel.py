"""One run as OpenTelemetry GenAI spans in OTLP JSON.

A run is a trace: a workflow span, below it one span a step (retrieval -> `retrieval`, planning and confidence -> `plan`,
coding and debugging -> `invoke_agent`, judge -> `execute_tool`), and below each agent's step the model call as `chat`
with prompt, answer and tokens. Ids follow from the run's request id, so that exporting twice gives the same trace.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from trajectories import eventlog
from trajectories.models import Run, StepEvent
from trajectories.traces import otel_names as names
from trajectories.traces.otlp_values import pairs

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INTERNAL, _CLIENT = 1, 3
_OK, _ERROR = 1, 2
_ENDS = ("step.finished", "step.failed", "tests.finished")


def export(run: Run) -> str:
    return json.dumps(document(run), ensure_ascii=False, indent=1) + "\n"


def document(run: Run) -> dict[str, Any]:
    events = list(eventlog.read_all(run.pk))
    trace = _Trace(run)
    spans = [trace.workflow(events)]
    for start, end in _steps(events):
        spans += trace.judge(start, end) if start.kind == "tests.started" else trace.agent(start, end)
    scope = {"name": "mapcoder-lite-lab", "version": run.code_version}
    resource = {"service.name": "mapcoder-lite-lab", "service.version": run.code_version}
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": pairs(resource)},
                "scopeSpans": [{"scope": scope, "spans": spans, "schemaUrl": names.SCHEMA_URL}],
                "schemaUrl": names.SCHEMA_URL,
            }
        ]
    }


def _steps(events: list[StepEvent]) -> list[tuple[StepEvent, StepEvent | None]]:
    """Each step's latest start with its end; a try that was cut off and begun again is left out."""
    starts: dict[int, StepEvent] = {}
    ends: dict[int, StepEvent] = {}
    for event in events:
        if event.step is None:
            continue
        if event.kind in ("step.started", "tests.started"):
            starts[event.step] = event
            ends.pop(event.step, None)
        elif event.kind in _ENDS:
            ends[event.step] = event
    return [(starts[number], ends.get(number)) for number in sorted(starts)]


class _Trace:
    def __init__(self, run: Run) -> None:
        self.run = run
        self.id = self._hash("trace")[:32]
        self.root = self._hash("run")[:16]

    def _hash(self, what: str) -> str:
        return hashlib.sha256(f"{self.run.request_id}\0{what}".encode()).hexdigest()

    def _span(
        self,
        name: str,
        what: str,
        parent: str,
        began: datetime,
        ended: datetime,
        attributes: dict[str, Any],
        *,
        kind: int = _INTERNAL,
        error: str = "",
    ) -> dict[str, Any]:
        return {
            "traceId": self.id,
            "spanId": self._hash(what)[:16],
            **({"parentSpanId": parent} if parent else {}),
            "name": name,
            "kind": kind,
            "startTimeUnixNano": _nanoseconds(began),
            "endTimeUnixNano": _nanoseconds(max(began, ended)),
            "attributes": pairs(attributes),
            "status": {"code": _ERROR, "message": error} if error else {"code": _OK},
        }

    def workflow(self, events: list[StepEvent]) -> dict[str, Any]:
        run = self.run
        endings = (event.payload for event in reversed(events) if event.kind == "run.finished")
        ending: dict[str, Any] = next(endings, {})
        moments = [event.created_at for event in events] or [run.created_at]
        attributes = {
            names.OPERATION: names.WORKFLOW,
            "gen_ai.workflow.name": run.strategy,
            names.RUN: run.request_id,
            names.PROBLEM: run.problem.external_id,
            names.STRATEGY: run.strategy,
            names.LANGUAGE: run.language,
            names.VERDICT: run.verdict or None,
            names.CODE: ending.get("code"),
            "mapcoder.status": run.status,
            "mapcoder.reason": run.reason or None,
            "mapcoder.message": run.message or None,
            "mapcoder.engine": run.engine.get("label") or run.engine_name,
            "mapcoder.simulated": bool(run.engine.get("simulated")),
            "mapcoder.imported_from": run.imported_from or None,
            "mapcoder.recorded_solved": run.recorded_solved,
            "mapcoder.seed": run.seed,
            "mapcoder.params": json.dumps(run.params, sort_keys=True, ensure_ascii=False),
            "error.type": run.reason if run.status == "failed" else None,
        }
        error = run.message or run.reason if run.status == "failed" else ""
        title = f"{names.WORKFLOW} {run.strategy}"
        return self._span(title, "run", "", moments[0], moments[-1], attributes, error=error)

    def agent(self, start: StepEvent, end: StepEvent | None) -> list[dict[str, Any]]:
        """The agent's span and inside it the model call."""
        asked, number = start.payload, start.step
        role = str(asked["role"])
        operation = names.OPERATION_OF_ROLE.get(role, "invoke_agent")
        failed = end.payload if end is not None and end.kind == "step.failed" else None
        error = (
            "" if end is not None and failed is None else str((failed or {}).get("message") or "cut short")
        )
        ended = end.created_at if end is not None else start.created_at
        outer = {
            names.OPERATION: operation,
            names.AGENT: role,
            names.ROLE: role,
            names.STEP: number,
            names.ATTEMPT: asked["attempt"],
            names.GIST: asked["gist"] or None,
            names.TEMPLATE: asked["template"],
            "error.type": str((failed or {}).get("code") or "cut_short") if error else None,
        }
        span = self._span(
            f"{operation} {role}", f"step {number}", self.root, start.created_at, ended, outer, error=error
        )
        answer = end.payload if end is not None and failed is None else None
        began = start.created_at
        call = self._span(
            f"chat {asked['model']}",
            f"call {number}",
            span["spanId"],
            began,
            min(ended, began + timedelta(seconds=answer["seconds"]))
            if answer and answer["seconds"]
            else ended,
            {**_asked(asked), **(_answered(answer) if answer else {"error.type": outer["error.type"]})},
            kind=_CLIENT,
            error=error,
        )
        return [span, call]

    def judge(self, start: StepEvent, end: StepEvent | None) -> list[dict[str, Any]]:
        asked, report = start.payload, end.payload if end is not None else {}
        arguments = {name: asked[name] for name in ("suite", "language", "code")}
        attributes = {
            names.OPERATION: names.EXECUTE_TOOL,
            names.TOOL: "judge",
            "gen_ai.tool.type": "function",
            names.TOOL_ARGUMENTS: json.dumps(arguments, ensure_ascii=False),
            names.TOOL_RESULT: _verdict(report) if report else None,
            names.STEP: start.step,
            names.ATTEMPT: asked["attempt"],
            names.SUITE: asked["suite"],
            names.VERDICT: report.get("verdict"),
            "mapcoder.passed": report.get("passed"),
            "mapcoder.total": asked["total"],
            "mapcoder.report": json.dumps(report["report"], ensure_ascii=False) if report else None,
            "error.type": None if report else "cut_short",
        }
        ended = end.created_at if end is not None else start.created_at
        error = "" if report else "cut short"
        title = f"{names.EXECUTE_TOOL} judge"
        return [
            self._span(
                title, f"step {start.step}", self.root, start.created_at, ended, attributes, error=error
            )
        ]


def _asked(asked: dict[str, Any]) -> dict[str, Any]:
    sampling = asked["sampling"]
    return {
        names.OPERATION: "chat",
        "gen_ai.provider.name": "mapcoder-lite-lab",
        "gen_ai.request.model": asked["model"],
        names.INPUT: _messages(asked["messages"]),
        "gen_ai.request.temperature": sampling.get("temperature"),
        "gen_ai.request.top_p": sampling.get("top_p"),
        "gen_ai.request.max_tokens": sampling.get("max_tokens"),
        "gen_ai.request.seed": sampling.get("seed"),
    }


def _answered(answer: dict[str, Any]) -> dict[str, Any]:
    said = {"role": "assistant", "parts": [_text(answer["text"])], "finish_reason": answer["finish_reason"]}
    return {
        "gen_ai.response.model": answer["model"],
        names.OUTPUT: json.dumps([said], ensure_ascii=False),
        names.FINISH: [answer["finish_reason"]],
        names.PROMPT_TOKENS[0]: answer["prompt_tokens"],
        names.COMPLETION_TOKENS[0]: answer["completion_tokens"],
        "mapcoder.tokens_estimated": answer["estimated"] or None,
        "mapcoder.adapter_digest": answer["adapter_digest"],
        names.PARSE: json.dumps(answer["parse"], ensure_ascii=False),
    }


def _messages(messages: list[dict[str, str]]) -> str:
    shaped = [{"role": message["role"], "parts": [_text(message["content"])]} for message in messages]
    return json.dumps(shaped, ensure_ascii=False)


def _text(content: str) -> dict[str, str]:
    return {"type": "text", "content": content}


def _verdict(report: dict[str, Any]) -> str:
    return f"{report['suite']}: {report['verdict']}, {report['passed']} of {report['total']} tests passed"


def _nanoseconds(moment: datetime) -> str:
    """Exact: a float would lose the microseconds."""
    return str((moment - _EPOCH) // timedelta(microseconds=1) * 1000)
