"""The words that headers, outlines and lists share: roles, gists, verdicts."""

from __future__ import annotations

import re
from typing import Any

from trajectories.models import Judgement, Step, StepState
from trajectories.verdicts import FAMILY, WORD

TITLES = {
    "retrieval": "Retrieval",
    "planning": "Planning",
    "confidence": "Confidence",
    "coding": "Coding",
    "debugging": "Debugging",
    "supervisor": "Supervisor",
    "judge": "Judge",
}
# What the outline says when the strategy gave no gist.
SHORT = {
    "retrieval": "Exemplars",
    "planning": "Plan",
    "confidence": "Confidence",
    "coding": "Program",
    "debugging": "Repair",
}
LANGUAGE_TITLES = {
    "python": "Python",
    "cpp": "C++",
    "c": "C",
    "csharp": "C#",
    "javascript": "JavaScript",
    "php": "PHP",
}
_OF_EXEMPLAR = re.compile(r"after exemplar (\d+)$")


def gist(step: Step) -> str:
    """What an outline row says: the strategy's words, or the role's own."""
    if step.role == "judge":
        return "Hidden tests" if step.suite == "hidden" else "Samples"
    if step.state == StepState.FAILED:  # its gist is the error's sentence, which the card tells
        return SHORT.get(step.role, step.role)
    if step.role in ("planning", "confidence") and (match := _OF_EXEMPLAR.search(step.gist)):
        return f"{SHORT[step.role]} {match[1]}"
    return step.gist[:1].upper() + step.gist[1:] or SHORT.get(step.role, step.role)


def verdict_words(step: Step) -> str:
    """`11 of 24 passed, first failure at test 7`."""
    if step.total == 0:
        return "no tests"
    first = next((place for place, letter in enumerate(step.strip, start=1) if letter != "a"), None)
    if first is None:
        return f"{step.passed} of {step.total} passed"
    return f"{step.passed} of {step.total} passed, first failure at test {first}"


def family(verdict: str) -> str:
    return FAMILY.get(verdict, "skip")


def word(verdict: str) -> str:
    return WORD.get(verdict, verdict)


def judgement(said: Judgement) -> str:
    """What was said in a few words, with what it replaced."""
    value, before = said.value, said.before
    reason = f": {said.reason}" if said.reason else ""
    match said.verb:
        case "blame":
            old = f"{_blamed(before)} → " if before else ""
            return f"blame: {old}{_blamed(value)}{reason}"
        case "accept":
            return f"accepted{_before(before)}{reason}"
        case "reject":
            return f"rejected, {value.get('code', '')}{_before(before)}{reason}"
        case "correct":
            lines = str(value.get("text", "")).count("\n") + 1
            return f"corrected, {lines} line{'' if lines == 1 else 's'}{reason}"
        case "comment":
            return f"commented: {str(value.get('text', ''))[:120]}"
        case "prefer":
            return _preferred(value)
        case _:
            return said.verb


def _preferred(value: dict[str, Any]) -> str:
    mine, other = value["names"]
    match value["choice"]:
        case "this":
            return f"preferred ({mine}) to {other}, shown blind"
        case "other":
            return f"preferred {other} to this ({mine}), shown blind"
        case "equal":
            return f"no better and no worse ({mine}) than {other}, shown blind"
        case _:
            return f"skipped beside {other}, shown blind"


def _blamed(value: dict[str, object]) -> str:
    who = str(value.get("agent") or "nobody").replace("none", "nobody")
    cause = f", {value['cause']}" if value.get("cause") else ""
    tally = f" ({value['flips']} of {value['trials']} flip)" if value.get("trials") else ""
    return f"{who}{cause}{tally}"


def _before(before: dict[str, object]) -> str:
    return f", was {before['verb']}ed" if before.get("verb") else ""
