"""Simulation: walk a plan through the sample tests by hand and say whether it holds (CodeSIM's check of a plan)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from solver.agents.answer_forms import Judged
from solver.agents.answer_text import excerpt, refused_as_too_long, too_long, without_thinking
from solver.agents.brief import Brief
from solver.agents.formats import FormatFailure, Parsed
from solver.agents.prompts import Prompt

VERDICTS = ("Verdict: holds", "Verdict: fails")
_VERDICT = re.compile(r"verdict\b[\s:*_`\"]{0,10}(?P<word>holds|fails)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Simulation:
    """`holds`: the plan needs no change. `text`: the walk-through, which the planner reads if it does not."""

    holds: bool
    text: str


def prompt(brief: Brief, plan: str) -> Prompt:
    return brief.prompt("codesim_simulation", Judged(VERDICTS), plan=plan)


def parse(text: str) -> Parsed[Simulation]:
    """The last "Verdict: holds" or "Verdict: fails" of the answer decides."""
    if too_long(text):
        return refused_as_too_long(text)
    answer = without_thinking(text).strip()
    if not answer:
        return Parsed(None, FormatFailure.EMPTY, "the answer is empty")
    words = _VERDICT.findall(answer)
    if not words:
        message = 'there is no line "Verdict: holds" or "Verdict: fails"'
        return Parsed(None, FormatFailure.MISSING_FIELD, message, excerpt(answer, len(answer)))
    return Parsed(Simulation(words[-1].lower() == "holds", answer))
