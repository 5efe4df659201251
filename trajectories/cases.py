"""One judged test as a person reads it: input, expected, got, and the first token that differs. Clipped, never silently."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from trajectories.models import ProblemBody

CLIP = 2000  # characters of one pane on the run page
WHOLE = 64_000  # and on a test's own page; the rest is a download
_TOKEN = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Pane:
    """A text around one marked token; `cut_before` and `cut_after` count the characters left out."""

    before: str
    hit: str
    after: str
    cut_before: int = 0
    cut_after: int = 0
    size: int = 0

    @property
    def empty(self) -> bool:
        return self.size == 0


@dataclass(frozen=True, slots=True)
class Case:
    """`index` counts from 0 in the report, `number` from 1 for people. `expected` None: there is none to show."""

    index: int
    verdict: str
    reason: str
    cpu_s: float
    memory_mb: float
    input: Pane
    expected: Pane | None
    got: Pane
    stderr: Pane
    difference: str
    flags: tuple[str, ...]

    @property
    def number(self) -> int:
        return self.index + 1


@dataclass(frozen=True, slots=True)
class Question:
    """What a test asks, from the problem: its input (or call, or assertion) and an answer that is right."""

    input: str
    expected: str | None


def first_failure(results: list[dict[str, Any]]) -> int | None:
    return next((place for place, result in enumerate(results) if result.get("verdict") != "AC"), None)


def questions(problem_id: int, wanted: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Question]:
    """The tests (suite, index) of a problem. One query that takes these tests, not megabytes of others, out of its body."""
    keys = sorted(set(wanted))
    if not keys:
        return {}
    paths = [f"spec__{'samples' if suite == 'samples' else 'tests'}__{index}" for suite, index in keys]
    row = ProblemBody.objects.filter(pk=problem_id).values_list("spec__entry_point", *paths).first()
    if row is None:
        return {}
    entry_point, *tests = row
    return {
        key: _question(test, entry_point)
        for key, test in zip(keys, tests, strict=True)
        if isinstance(test, dict)
    }


def _question(test: dict[str, Any], entry_point: str | None) -> Question:
    kind = test.get("kind")
    if kind == "assert":
        return Question(str(test.get("code", "")), None)
    if kind == "call" and test.get("args") is not None:
        arguments = ", ".join(json.dumps(value, ensure_ascii=False) for value in test["args"])
        return Question(f"{entry_point}({arguments})", json.dumps(test.get("expected"), ensure_ascii=False))
    if kind is None and test.get("assert"):
        return Question(str(test["assert"]), str(test.get("output", "")))
    outputs = test.get("outputs") or [test.get("output", "")]
    return Question(str(test.get("input") or ""), str(outputs[0]))


def case(result: dict[str, Any], index: int, question: Question | None, size: int = CLIP) -> Case:
    """A view of one entry of a report. An accepted hidden test was stored without its output: it is the expected one."""
    difference = result.get("first_diff") or {}
    want, got, token = difference.get("want"), difference.get("got"), difference.get("index")
    expected = str(result.get("expected") or (question.expected if question else "") or "")
    stdout = str(result.get("stdout") or "")
    if result.get("verdict") == "AC" and not stdout:
        stdout = expected
    return Case(
        index=index,
        verdict=str(result.get("verdict", "")),
        reason=str(result.get("reason") or ""),
        cpu_s=float(result.get("cpu_s") or 0),
        memory_mb=float(result.get("memory_mb") or 0),
        input=_pane(question.input if question else "", size),
        expected=_pane(expected, size, token, want) if expected else None,
        got=_pane(stdout, size, token, got),
        stderr=_pane(str(result.get("stderr") or ""), size, from_end=True),
        difference=_sentence(
            token, want, got, "line" if "counts lines" in str(result.get("reason")) else "token"
        ),
        flags=tuple(str(flag) for flag in result.get("flags") or ()),
    )


def _sentence(place: int | None, want: str | None, got: str | None, unit: str) -> str:
    if place is None or (want is None and got is None):
        return ""
    if got is None:
        return f"The output ends before {unit} {place + 1}; {_short(want)} was expected there."
    if want is None:
        return f"The output goes on after its expected end: {unit} {place + 1} is {_short(got)}."
    return f"First difference: {unit} {place + 1}. Expected {_short(want)}, got {_short(got)}."


def _short(text: str | None) -> str:
    text = text or ""
    return text if len(text) <= 60 else f"{text[:57]}…"


def _pane(
    text: str, size: int, token: int | None = None, marked: str | None = None, *, from_end: bool = False
) -> Pane:
    start, end = _span(text, token, marked)
    if len(text) <= size:
        first, last = 0, len(text)
    elif from_end:
        first, last = len(text) - size, len(text)
    else:
        first = max(0, min(start - size // 2, len(text) - size))
        last = first + size
    start, end = max(first, start), max(first, min(end, last))
    return Pane(text[first:start], text[start:end], text[end:last], first, len(text) - last, len(text))


def _span(text: str, token: int | None, marked: str | None) -> tuple[int, int]:
    """Where the token stands; nowhere if the judge clipped the text before it."""
    if token is None or marked is None:
        return 0, 0
    for place, match in enumerate(_TOKEN.finditer(text)):
        if place == token:
            return match.span() if match[0].startswith(marked[:20]) else (0, 0)
    return 0, 0
