"""Planning: write a plan after one exemplar, then say how sure one is of it (two calls, one agent)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from solver.agents import xml_strict, xml_tolerant
from solver.agents.answer_forms import FreeText, XmlDocument
from solver.agents.answer_shapes import VERDICT_ON_PLAN, format_block
from solver.agents.answer_text import excerpt, refused_as_too_long, too_long, without_thinking
from solver.agents.brief import Brief
from solver.agents.formats import FormatFailure, Parsed
from solver.agents.prompts import Prompt
from solver.agents.retrieval import Exemplar


@dataclass(frozen=True, slots=True)
class Confidence:
    """How sure the planner is, 0 to 100, and why. The strict parser passes any integer, as published."""

    score: int
    explanation: str = ""


def plan_prompt(brief: Brief, algorithm: str, exemplar: Exemplar) -> Prompt:
    return brief.prompt(
        "planning",
        FreeText(),
        algorithm=algorithm,
        exemplar_description=exemplar.description,
        exemplar_planning=exemplar.planning,
    )


def confidence_prompt(brief: Brief, plan: str) -> Prompt:
    form = XmlDocument(VERDICT_ON_PLAN, inline=not brief.shows_format("confidence"))
    return brief.prompt("confidence", form, plan=plan, format=format_block(VERDICT_ON_PLAN))


def parse_plan_strict(text: str) -> Parsed[str]:
    """Any text is a plan, as published; an empty one is counted."""
    if too_long(text):
        return refused_as_too_long(text)
    if not text.strip():
        return Parsed(text, FormatFailure.EMPTY, "the answer is empty and was taken as the plan")
    return Parsed(text)


def parse_plan_tolerant(text: str) -> Parsed[str]:
    if too_long(text):
        return refused_as_too_long(text)
    plan = without_thinking(text).strip()
    return Parsed(plan) if plan else Parsed(None, FormatFailure.EMPTY, "the answer is empty")


def parse_confidence_strict(text: str) -> Parsed[Confidence]:
    """What the published code accepts: an element whose text `int()` can read (MapCoder section 1.3)."""
    if too_long(text):
        return refused_as_too_long(text)
    if not text.strip():
        return Parsed(None, FormatFailure.EMPTY, "the answer is empty")
    try:
        tree = xml_strict.read(text, VERDICT_ON_PLAN)
    except xml_strict.NotXml as error:
        return Parsed(None, error.code, str(error), error.where)
    if "confidence" not in tree:
        if "explanation" in tree:
            return Parsed(
                None,
                FormatFailure.MISSING_FIELD,
                "there is no <confidence> element",
                excerpt(text, len(text)),
            )
        return Parsed(
            None,
            FormatFailure.NO_ROOT,
            "text stands around the <root> element, or it is missing",
            excerpt(text, 0),
        )
    try:
        score = int(str(tree["confidence"]).strip())
    except ValueError:
        message = f"{excerpt(str(tree['confidence']).strip(), 0)!r} is not an integer"
        return Parsed(None, FormatFailure.BAD_CONFIDENCE, message, excerpt(text, text.find("<confidence>")))
    explanation = tree.get("explanation")
    return Parsed(Confidence(score, str(explanation or "").strip()))


def parse_confidence_tolerant(text: str) -> Parsed[Confidence]:
    """The strict reading clamped to 0..100, or else the number nearest to the word "confidence".

    The strict failure stays beside a rescued value; its message says what was made of the text.
    """
    strict = parse_confidence_strict(text)
    if strict.value is not None:
        return _clamped(strict.value)
    if strict.failure in (FormatFailure.TOO_LONG, FormatFailure.EMPTY):
        return strict
    found = xml_tolerant.pieces(text, VERDICT_ON_PLAN)
    written = xml_tolerant.last(found, "confidence") or _after_the_word(without_thinking(text))
    percent = _percent(written)
    if percent is None:
        message = (
            strict.message
            if strict.failure is FormatFailure.BAD_CONFIDENCE
            else "no confidence could be read"
        )
        return Parsed(None, strict.failure or FormatFailure.BAD_CONFIDENCE, message, strict.where)
    score = max(0, min(100, round(percent)))
    message = f"{strict.message}; {excerpt(written, 0)!r} was read as {score} of 100"
    return Parsed(
        Confidence(score, xml_tolerant.last(found, "explanation")), strict.failure, message, strict.where
    )


def _clamped(confidence: Confidence) -> Parsed[Confidence]:
    if 0 <= confidence.score <= 100:
        return Parsed(confidence)
    score = max(0, min(100, confidence.score))
    return Parsed(
        Confidence(score, confidence.explanation),
        FormatFailure.BAD_CONFIDENCE,
        f"{confidence.score} is outside 0 to 100 and was read as {score}",
    )


def _after_the_word(text: str) -> str:
    """The last number closely behind the word "confidence"; or the whole answer if it is but a number."""
    numbers = re.findall(r"(?i)confidence[^0-9\n]{0,40}(-?[0-9][^\n]{0,20})", text)
    if numbers:
        return str(numbers[-1])
    short = text.strip()
    return short if len(short) <= 12 else ""


_NUMBER = re.compile(
    r"[^0-9+-]{0,40}(?P<value>[-+]?[0-9]{1,9}(?:[.,][0-9]{1,9})?)\s{0,3}(?P<unit>%|/\s{0,3}[0-9]{1,4})?"
)


def _percent(written: str) -> float | None:
    """Out of 100: `95%`, `0.9` and `9/10` count as 95, 90 and 90; a bare `1` is one of a hundred."""
    match = _NUMBER.match(written)
    if match is None:
        return None
    value, unit = float(match["value"].replace(",", ".")), match["unit"] or ""
    if unit.startswith("/"):
        whole = int(unit[1:])
        return 100 * value / whole if whole else None
    if not unit and 0 <= value <= 1 and ("." in match["value"] or "," in match["value"]):
        return 100 * value
    return value
