"""The supervisor: reads a failed trajectory whole, names the responsible agent and tells it what to mend.

MapCoder-Lite section 3.2, figure 5: global feedback, one primary agent, role-specific advice. The exchange itself is not
published; this is a reconstruction with structured output. Hidden tests are told by their count alone, so that neither
a diagnosis nor a feedback can pass an expectation on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from solver.agents.answer_text import excerpt, refused_as_too_long, too_long, without_thinking
from solver.agents.formats import FormatFailure, Parsed
from solver.agents.problem_text import clip, problem_text, samples_text
from solver.agents.prompts import Prompt, render
from trajectories.agents import AGENTS
from trajectories.problem_schema import ProblemSpec

SHOWN_CHARS = 8000  # of one step's answer
FEEDBACK_CHARS = 2000
_FENCE = re.compile(r"^\s*```[a-z]*\s*|\s*```\s*$")
_CODE_LINE = re.compile(
    r"^\s*(?:(?:def|for|while|if|elif|return|import|from|class|print)\b.*[:()]|[A-Za-z_]\w*(?:\[.*\])?\s*[-+*/]?=\s*\S)"
)


@dataclass(frozen=True, slots=True)
class ShownStep:
    """A step as the supervisor reads it. `role` is an agent's role or `judge`; `title` says what it was."""

    number: int
    role: str
    title: str
    text: str

    @property
    def lines(self) -> list[str]:
        return clip(self.text.strip("\n"), SHOWN_CHARS).split("\n")


@dataclass(frozen=True, slots=True)
class Citation:
    """Words of a step. `known`: the step, the lines and the quote are really there."""

    step: int
    lines: tuple[int, int] | None
    quote: str
    known: bool = False

    def to_json(self) -> dict[str, Any]:
        lines = {} if self.lines is None else {"lines": list(self.lines)}
        return {"step": self.step, **lines, "quote": self.quote, "known": self.known}


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a supervisor says. `confidence` is 0 to 1; `step` None where it names none."""

    agent: str
    step: int | None
    others: tuple[str, ...]
    confidence: float | None
    diagnosis: str
    feedback: str
    evidence: tuple[Citation, ...]

    @property
    def ranking(self) -> tuple[str, ...]:
        """Every agent it names, most responsible first."""
        return (self.agent, *self.others)


def prompt(problem: ProblemSpec, steps: Sequence[ShownStep]) -> Prompt:
    return render(
        "lab",
        "supervisor",
        problem=problem_text(problem),
        samples=samples_text(problem),
        trajectory="\n\n".join(_shown(step) for step in steps),
    )


def _shown(step: ShownStep) -> str:
    numbered = "\n".join(f"{number}| {line}" for number, line in enumerate(step.lines, 1))
    return f"[step {step.number}] {step.role}: {step.title}\n{numbered}"


def parse(text: str) -> Parsed[Opinion]:
    """The object in the answer. One that has other text around it is used, and counted as a format failure."""
    if too_long(text):
        return refused_as_too_long(text)
    answer = without_thinking(text).strip()
    if not answer:
        return Parsed(None, FormatFailure.EMPTY, "the answer is empty")
    bare = _FENCE.sub("", answer)
    start = bare.find("{")
    if start < 0:
        return Parsed(
            None, FormatFailure.BAD_JSON, "there is no JSON object in the answer", excerpt(answer, 0)
        )
    try:
        data, end = json.JSONDecoder().raw_decode(bare, start)
    except (ValueError, RecursionError) as error:
        return Parsed(
            None,
            FormatFailure.BAD_JSON,
            f"the JSON object cannot be read: {error}"[:300],
            excerpt(bare, start),
        )
    opinion, missing = _opinion(data)
    if opinion is None:
        return Parsed(None, FormatFailure.MISSING_FIELD, missing, excerpt(bare, start))
    if start or bare[end:].strip():
        return Parsed(
            opinion, FormatFailure.BAD_JSON, "there is text around the JSON object", excerpt(bare, end)
        )
    return Parsed(opinion)


def _opinion(data: Any) -> tuple[Opinion | None, str]:
    if not isinstance(data, dict):
        return None, "the answer is no JSON object"
    agent = _agent(data.get("responsible_agent"))
    if agent is None:
        return None, f"responsible_agent is none of {', '.join(AGENTS)}"
    feedback = str(data.get("feedback") or "").strip()
    if not feedback:
        return None, "there is no feedback for the responsible agent"
    others = [found for name in _items(data.get("others")) if (found := _agent(name)) and found != agent]
    opinion = Opinion(
        agent,
        _whole(data.get("step")),
        tuple(dict.fromkeys(others)),
        _share(data.get("confidence")),
        str(data.get("diagnosis") or "").strip()[:FEEDBACK_CHARS],
        feedback[:FEEDBACK_CHARS],
        tuple(_citations(_items(data.get("evidence")))),
    )
    return opinion, ""


def _agent(name: Any) -> str | None:
    word = str(name).strip().lower()
    word = "planning" if word == "confidence" else word
    return word if word in AGENTS else None


def _items(value: Any) -> list[Any]:
    return value[:50] if isinstance(value, list) else []


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31 else None


def _share(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return min(100, max(0, value)) / 100  # in this order: an integer may be beyond every float


def _citations(items: Iterable[Any]) -> Iterable[Citation]:
    for item in items:
        if isinstance(item, Mapping) and (step := _whole(item.get("step"))) is not None:
            lines = [_whole(line) for line in _items(item.get("lines"))[:2]]
            first = lines[0] if lines else None
            last = lines[-1] if lines else None
            span = (first, last) if first is not None and last is not None else None
            yield Citation(step, span, str(item.get("quote") or "")[:500])


def checked(evidence: Sequence[Citation], steps: Sequence[ShownStep]) -> list[Citation]:
    """Each citation held against the steps that were shown."""
    by_number = {step.number: step for step in steps}
    return [
        Citation(one.step, one.lines, one.quote, _is_there(one, by_number.get(one.step))) for one in evidence
    ]


def _is_there(one: Citation, step: ShownStep | None) -> bool:
    if step is None:
        return False
    lines = step.lines
    if one.lines is not None:
        first, last = one.lines
        if not 1 <= first <= last <= len(lines):
            return False
        lines = lines[first - 1 : last]
    return " ".join(one.quote.split()) in " ".join("\n".join(lines).split())


def holds_code(feedback: str) -> bool:
    """Whether advice writes the solution out: a fence, or three lines of program."""
    return "```" in feedback or sum(bool(_CODE_LINE.match(line)) for line in feedback.split("\n")) >= 3


def to_json(opinion: Opinion, evidence: Sequence[Citation]) -> dict[str, Any]:
    """For the log: the opinion with its citations checked."""
    return {
        "agent": opinion.agent,
        "step": opinion.step,
        "others": list(opinion.others),
        "confidence": opinion.confidence,
        "diagnosis": opinion.diagnosis,
        "feedback": opinion.feedback,
        "evidence": [citation.to_json() for citation in evidence],
    }
