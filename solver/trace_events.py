"""A trajectory from elsewhere as the events of a run: what was recorded, nothing that was not.

Answers become steps; feedback and notes become notes between them, because no judge of ours stood behind them. Fields
without a place go whole into `run.imported`. Times are the recorded ones; where there are none, all events bear the
moment of the import.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from solver import judging, recorded_answers
from solver.judge import Report
from solver.recorded_answers import Reading
from trajectories import events
from trajectories.text import printable
from trajectories.traces import FORMATS, StepKind, TraceStep, Trajectory
from trajectories.verdicts import WORD, strip

NOT_RECORDED = "not recorded"
TEMPLATE = "recorded"
TITLES = {known.name: known.title for known in FORMATS}
Timed = tuple[events.Event, datetime]


@dataclasses.dataclass(frozen=True, slots=True)
class Judged:
    """Our judge's report on a trajectory's final program."""

    report: Report
    seconds: float


def timed_events(trace: Trajectory, language: str, judged: Judged | None, moment: datetime) -> list[Timed]:
    """The whole log of the run. Times never go backwards."""
    found: list[Timed] = []
    times = (step.began or step.ended for step in trace.steps)
    clock = next((at for at in times if at is not None), moment)
    for event, at in _told(trace, language, judged):
        clock = max(clock, at) if at else clock
        found.append((event, clock))
    return found


def _told(
    trace: Trajectory, language: str, judged: Judged | None
) -> Iterator[tuple[events.Event, datetime | None]]:
    yield _imported(trace), None
    number = 0
    for step in trace.steps:
        if step.kind is not StepKind.ANSWER:
            yield _note(step, number), step.ended or step.began
            continue
        number += 1
        yield _started(trace, step, number), step.began
        yield _finished(trace, step, number, language), step.ended or step.began
    if judged is not None:
        for event in judge_step(number + 1, last_attempt(trace), trace.final_code or "", language, judged):
            yield event, None
    yield ending(trace, judged), None


def _imported(trace: Trajectory) -> events.RunImported:
    steps = {str(place): step.extra for place, step in enumerate(trace.steps, start=1) if step.extra}
    return events.RunImported(
        format=trace.format,
        digest=trace.digest(),
        problem=printable(trace.problem),
        model=printable(trace.model),
        strategy=printable(trace.strategy),
        language=printable(trace.language) if trace.language else None,
        solved=trace.solved,
        outcome=printable(trace.outcome),
        agents_known=trace.agents_known,
        prompt_tokens=trace.tokens.prompt,
        completion_tokens=trace.tokens.completion,
        total_tokens=trace.tokens.total,
        calls=trace.calls,
        provenance=storable({**trace.provenance, "framework": trace.framework}),
        extra=storable({**trace.extra, **({"steps": steps} if steps else {})}),
    )


def _note(step: TraceStep, number: int) -> events.Note:
    name = "recorded_feedback" if step.kind is StepKind.FEEDBACK else "recorded_note"
    detail: dict[str, Any] = {
        "after_step": number,
        "stage": printable(step.stage),
        "text": printable(step.text or ""),
    }
    return events.Note(name=name, detail=detail)


def _started(trace: Trajectory, step: TraceStep, number: int) -> events.StepStarted:
    messages = [{"role": printable(m.role), "content": printable(m.content)} for m in step.messages]
    asked = json.dumps(messages, ensure_ascii=False, sort_keys=True)
    return events.StepStarted(
        step=number,
        role=step.role,
        attempt=step.attempt,
        gist="" if step.stage == step.role else printable(step.stage.replace("_", " "))[:200],
        messages=messages,
        template=TEMPLATE,
        template_digest="",
        request_digest=hashlib.sha256(asked.encode()).hexdigest(),
        model=printable(step.model or trace.model or "unknown"),
        sampling={},
        detail={"stage": printable(step.stage)},
    )


def _finished(trace: Trajectory, step: TraceStep, number: int, language: str) -> events.StepFinished:
    parse, detail = _parsed(step, language)
    text = step.text if step.text is not None else step.code
    return events.StepFinished(
        step=number,
        text=printable(text or ""),
        finish_reason=printable(step.finish_reason) or NOT_RECORDED,
        prompt_tokens=step.tokens.prompt or 0,
        completion_tokens=step.tokens.completion or 0,
        estimated=step.tokens.prompt is None or step.tokens.completion is None,
        seconds=step.seconds or 0.0,
        first_token_s=None,
        model=printable(step.model or trace.model or "unknown"),
        adapter_digest=None,
        parse=parse,
        detail=detail,
    )


def _parsed(step: TraceStep, language: str) -> tuple[events.ParseResult, dict[str, Any]]:
    """As another lab read the answer; else the program, where only that was kept; else as our parsers read it."""
    if (recorded := _recorded_parse(step)) is not None:
        return recorded, {"parsed": "as recorded"}
    if step.text is None:
        code = printable(step.code or "")
        return events.ParseResult(usable=bool(code.strip()), value=code), {"recorded": "the program alone"}
    texts = [message.content for message in step.messages]
    reading = _reading(step, texts, language)
    detail: dict[str, Any] = {"reading": storable(reading.detail())}
    if step.code is not None and step.code != reading.used.value:
        detail["recorded_code"] = printable(step.code)
    return _result(reading), detail


def _recorded_parse(step: TraceStep) -> events.ParseResult | None:
    """A lab's own reading, if it is one: a confidence is a whole number, which the pages count on."""
    if step.parse is None:
        return None
    try:
        found = events.ParseResult.model_validate(storable(step.parse))
    except ValidationError:
        return None
    score = found.value.get("score", 0) if isinstance(found.value, dict) else 0
    return found if isinstance(score, int) else None


def _reading(step: TraceStep, texts: list[str], language: str) -> Reading:
    text = step.text or ""
    if step.stage == "reflection":
        return recorded_answers.prose(text)
    if step.code is not None:
        return recorded_answers.read("coding", text, texts, language)
    return recorded_answers.read(step.role, text, texts, language)


def _result(reading: Reading) -> events.ParseResult:
    used = reading.used
    value = used.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    return events.ParseResult(
        usable=used.usable,
        failure=used.failure.value if used.failure else "",
        message=printable(used.message),
        where=printable(used.where),
        value=storable(value),
    )


def judge_step(number: int, attempt: int, code: str, language: str, judged: Judged) -> list[events.Event]:
    """Our judge on the final program, as a step of its own."""
    report = judged.report
    digest = hashlib.sha256(f"hidden\0{language}\0{code}".encode("utf-8", "surrogatepass")).hexdigest()
    return [
        events.TestsStarted(
            step=number,
            attempt=attempt,
            suite="hidden",
            language=language,
            code=printable(code),
            code_digest=digest,
            total=report.total,
        ),
        events.TestsFinished(
            step=number,
            suite="hidden",
            verdict=report.verdict.value,
            passed=report.passed,
            total=report.total,
            strip=strip([result.verdict.value for result in report.results]),
            seconds=judged.seconds,
            report=judging.slim(report),
        ),
    ]


def ending(trace: Trajectory, judged: Judged | None) -> events.RunFinished:
    code = trace.final_code
    return events.RunFinished(
        status="finished",
        reason="imported",
        message=sentence(trace, judged),
        verdict=judged.report.verdict.value if judged else "",
        code=printable(code) if code else None,
        attempt=last_attempt(trace) if code else None,
    )


def sentence(trace: Trajectory, judged: Judged | None) -> str:
    """Both verdicts, side by side."""
    said = {True: "as solved", False: "as not solved", None: "without a verdict"}[trace.solved]
    text = f"Imported from {TITLES.get(trace.format, trace.format)}, not run here. Recorded there {said}."
    if judged is None:
        return text if trace.final_code else f"{text} No program was recorded."
    report = judged.report
    text += f" Our judge: {WORD[report.verdict.value]}, {report.passed} of {report.total} tests."
    if trace.solved is None:
        return text
    return f"{text} The two {'agree' if agree(trace.solved, report.verdict.value) else 'disagree'}."


def agree(solved: bool, verdict: str) -> bool:
    return solved == (verdict == "AC")


def last_attempt(trace: Trajectory) -> int:
    return max((step.attempt for step in trace.steps), default=1)


def storable(value: Any) -> Any:
    """JSON that any database takes."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {printable(str(key)): storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable(item) for item in value]
    if isinstance(value, float) and not (value == value and abs(value) != float("inf")):
        return str(value)  # JSON has no NaN
    return value
