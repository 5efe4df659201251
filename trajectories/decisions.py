"""A strategy's notes as sentences. A note of a kind this module does not know is spelled out field by field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trajectories import money

Detail = dict[str, Any]
UNUSED = "asked_ahead_unused"  # a note: answers that were paid for and not needed


def sentence(name: str, detail: Detail) -> str:
    known = SENTENCES.get(name)
    return known(detail) if known else _spelled_out(name, detail)


def _spelled_out(name: str, detail: Detail) -> str:
    """Every field but `text`, which is shown at its own length."""
    facts = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in detail.items() if key != "text")
    title = name.replace("_", " ").capitalize()
    return f"{title}: {facts}." if facts else f"{title}."


def _ranked(detail: Detail) -> str:
    order = [
        f"exemplar {plan.get('exemplar')} ({plan.get('confidence')})"
        for plan in detail.get("order") or []
        if isinstance(plan, dict)
    ]
    if not order:
        return "No plan could be used."
    return f"Plans in the order in which they are tried, by stated confidence: {', '.join(order)}."


def _fallback(detail: Detail) -> str:
    text = f"{str(detail.get('why', '')).capitalize()}; instead: {detail.get('instead', '')}"
    if detail.get("attempt"):
        text += f", from attempt {detail['attempt']}"
    if detail.get("samples_total"):
        text += f" ({detail.get('samples_passed')} of {detail['samples_total']} samples)"
    return f"{text}."


def _unused(detail: Detail) -> str:
    text = f"{detail.get('calls')} answers that were asked for ahead were not needed"
    text += f" ({detail.get('prompt_tokens')} tokens in, {detail.get('completion_tokens')} out"
    if cost := money.spent(detail):
        text += f", {cost.amount.normalize():f} {cost.currency}"
    return f"{text})."


SENTENCES: dict[str, Callable[[Detail], str]] = {
    "plans_ranked": _ranked,
    UNUSED: _unused,
    "fallback": _fallback,
    "plan_dropped": lambda d: f"The plan after exemplar {d.get('exemplar')} is dropped: {d.get('why')}.",
    "plan_given_up": lambda d: f"Attempt {d.get('attempt')} is given up: {d.get('why')}.",
    "confidence_unknown": lambda d: (
        f"No confidence could be read for the plan after exemplar {d.get('exemplar')}; it counts as {d.get('instead', 0)}."
    ),
    "not_retried": lambda d: f"Step {d.get('step')} is not asked again: {d.get('why')}.",
    "recorded_note": lambda d: f"A note was recorded after s{d.get('after_step')}.",
    "recorded_feedback": lambda d: (
        f"Feedback from running the program, recorded after s{d.get('after_step')}."
    ),
    "aborted": lambda d: f"The strategy stopped: {d.get('why')}.",
}
