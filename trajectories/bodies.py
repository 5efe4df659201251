"""What a step card shows inside, one renderer a role. A value of unknown shape falls back to the answer's text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.safestring import SafeString

from trajectories import cases, highlight
from trajectories.card import Card, Score, writes_program
from trajectories.cases import Case, Question
from trajectories.diffs import Diff, diff
from trajectories.models import StepState

_BULLET = re.compile(r"^\s*(?:\d{1,3}[.)]|[-*•])\s+")
STRIP_LIMIT = 400  # letters that a strip holds
SHOWN_TEXT = 20_000  # characters of an answer on the card; the Raw tab has the rest


@dataclass(frozen=True, slots=True)
class Exemplar:
    number: int
    description: str
    planning: str
    code: list[SafeString]


@dataclass(frozen=True, slots=True)
class Cite:
    """A passage that a supervisor quotes. `known`: it is really there."""

    step: int
    lines: str
    quote: str
    known: bool


@dataclass(frozen=True, slots=True)
class Note:
    """What a supervisor says of a run; `confidence` as it states it, 0 to 1."""

    agent: str
    step: int | None
    others: tuple[str, ...]
    confidence: float | None
    diagnosis: str
    feedback: str
    cites: tuple[Cite, ...]

    @property
    def unknown(self) -> int:
        return sum(not cite.known for cite in self.cites)


@dataclass(frozen=True, slots=True)
class Tab:
    """`here`: the pane is part of the card; others are fetched when opened."""

    key: str
    title: str
    here: bool = True


@dataclass(slots=True)
class Body:
    """`template` renders the output pane from this very object; unused fields stay empty."""

    template: str
    tabs: list[Tab] = field(default_factory=list)
    text: str = ""
    cut: int = 0
    lines: list[SafeString] = field(default_factory=list)
    diff: Diff | None = None
    exemplars: list[Exemplar] = field(default_factory=list)
    plan: list[str] = field(default_factory=list)
    score: int | None = None
    scores: tuple[Score, ...] = ()
    case: Case | None = None
    note: Note | None = None
    more_tests: int = 0
    environment: Mapping[str, Any] = field(default_factory=dict)
    compiler_output: str = ""
    slowest_s: float = 0.0
    peak_mb: float = 0.0


PROMPT_AND_RAW = [
    Tab("prompt", "Prompt, new part", here=False),
    Tab("whole", "Full prompt", here=False),
    Tab("raw", "Raw", here=False),
]
Questions = Mapping[tuple[str, int], Question]


def body(card: Card, questions: Questions) -> Body:
    if card.step.role == "judge":
        return _judge(card, questions)
    if card.end is None:
        shown = Body("run/body/draft.html" if card.running else "run/body/nothing.html")
    elif card.value is None:
        shown = _text(card)
    else:
        shown = RENDERERS.get(card.step.role, _text)(card)
    judged = [Tab("judge", "Judge", here=False)] if card.code is not None else []
    shown.tabs = [*(shown.tabs or [Tab("output", "Output")]), *judged, *PROMPT_AND_RAW]
    return shown


def _text(card: Card) -> Body:
    text = str((card.end or {}).get("text", ""))
    return Body("run/body/text.html", text=text[:SHOWN_TEXT], cut=max(0, len(text) - SHOWN_TEXT))


def _retrieval(card: Card) -> Body:
    value = card.value
    if not isinstance(value, dict) or not isinstance(value.get("exemplars"), list):
        return _text(card)
    exemplars = [
        Exemplar(
            number,
            str(found.get("description", "")).strip(),
            str(found.get("planning", "")).strip(),
            highlight.lines(str(found["code"]).strip("\n"), card.language) if found.get("code") else [],
        )
        for number, found in enumerate(value["exemplars"], start=1)
        if isinstance(found, dict)
    ]
    return Body(
        "run/body/retrieval.html", exemplars=exemplars, text=str(value.get("algorithm") or "").strip()
    )


def _planning(card: Card) -> Body:
    if not isinstance(card.value, str):
        return _text(card)
    own = next((score.score for score in card.scores if score.exemplar == card.exemplar), None)
    return Body("run/body/planning.html", plan=plan_lines(card.value), score=own, scores=card.scores)


def plan_lines(text: str) -> list[str]:
    """A plan's steps without the numbers the model wrote: the page counts them itself, for permalinks."""
    return [_BULLET.sub("", line) for line in text.strip().split("\n") if line.strip()]


def _confidence(card: Card) -> Body:
    if not isinstance(card.value, dict) or not isinstance(card.value.get("score"), int):
        return _text(card)
    explanation = str(card.value.get("explanation") or "")
    return Body("run/body/confidence.html", text=explanation, score=card.value["score"], scores=card.scores)


def _coding(card: Card) -> Body:
    if card.code is None:
        return _text(card)
    shown = Body("run/body/coding.html", lines=highlight.lines(card.code, card.language))
    shown.tabs = [Tab("output", "Output")]
    if card.previous and card.previous.code is not None:
        shown.diff = diff(card.previous.code, card.code, card.language)
        shown.tabs.append(Tab("diff", f"Diff to s{card.previous.number}"))
    return shown


def _supervisor(card: Card) -> Body:
    """The supervisor's note, with every passage it cites; one that is not there counts against the note."""
    value = card.value
    if not isinstance(value, dict) or not isinstance(value.get("feedback"), str):
        return _text(card)
    cites = [
        Cite(one["step"], _span(one.get("lines")), str(one.get("quote") or ""), bool(one.get("known")))
        for one in value.get("evidence") or []
        if isinstance(one, dict) and isinstance(one.get("step"), int)
    ]
    confidence = value.get("confidence")
    note = Note(
        str(value.get("agent") or ""),
        value["step"] if isinstance(value.get("step"), int) else None,
        tuple(str(name) for name in value.get("others") or []),
        float(confidence) if isinstance(confidence, int | float) else None,
        str(value.get("diagnosis") or ""),
        value["feedback"],
        tuple(cites),
    )
    return Body("run/body/supervisor.html", note=note)


def _span(lines: Any) -> str:
    if isinstance(lines, list) and len(lines) == 2 and all(isinstance(line, int) for line in lines):
        return str(lines[0]) if lines[0] == lines[1] else f"{lines[0]}–{lines[1]}"
    return ""


def _debugging(card: Card) -> Body:
    if not writes_program(card.step) and isinstance(card.value, str):
        return Body("run/body/prose.html", text=card.value)
    shown = _coding(card)
    shown.tabs.reverse()  # what a repair changed is what a reader asks first
    shown.plan = plan_lines(prose(str((card.end or {}).get("text", ""))))
    return shown


def prose(text: str) -> str:
    """What an answer says before its last fenced block."""
    before, fence, _ = text.rpartition("```")
    return before.rpartition("```")[0].strip() if fence else ""


def _judge(card: Card, questions: Questions) -> Body:
    step = card.step
    report = (card.end or {}).get("report") or {}
    results = report.get("results") or []
    shown = Body("run/body/judge.html")
    shown.more_tests = max(0, step.total - STRIP_LIMIT)
    shown.environment = report.get("environment") or {}
    shown.compiler_output = str(report.get("compiler_output") or "")[:SHOWN_TEXT]
    shown.slowest_s = max((float(result.get("cpu_s") or 0) for result in results), default=0.0)
    shown.peak_mb = max((float(result.get("memory_mb") or 0) for result in results), default=0.0)
    if (place := cases.first_failure(results)) is not None:
        shown.case = cases.case(results[place], place, questions.get((step.suite, place)))
    shown.tabs = [
        Tab("output", "Tests"),
        Tab("program", "Program", here=False),
        Tab("raw", "Raw", here=False),
    ]
    return shown


def wanted_questions(card: Card) -> list[tuple[str, int]]:
    """The tests whose texts this card's judge table needs from the problem."""
    if card.step.role != "judge" or card.step.state != StepState.DONE or not card.end:
        return []
    place = cases.first_failure((card.end.get("report") or {}).get("results") or [])
    return [] if place is None else [(card.step.suite, place)]


RENDERERS: dict[str, Callable[[Card], Body]] = {
    "retrieval": _retrieval,
    "planning": _planning,
    "confidence": _confidence,
    "coding": _coding,
    "debugging": _debugging,
    "supervisor": _supervisor,
}
