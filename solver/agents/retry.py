"""Asking once more after an unusable answer, with the error shown to the model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from solver.agents.brief import Brief
from solver.agents.formats import FormatFailure, Parsed
from solver.agents.prompts import Prompt, has_template
from solver.engines.protocol import Message

# An answer with one of these failures may be usable, but a second try is likely to be better.
INCOMPLETE = frozenset({FormatFailure.TOO_FEW_PROBLEMS, FormatFailure.MISSING_ALGORITHM})


def worth_another_try(parsed: Parsed[Any]) -> bool:
    return parsed.value is None or parsed.failure in INCOMPLETE


def again(brief: Brief, asked: Prompt, parsed: Parsed[Any]) -> Prompt | None:
    """The same question with what was wrong; None where the template set has no `retry` text.

    A set without one holds prompts of a model that knows only its exact training prompts.
    """
    if not has_template(brief.templates, "retry"):
        return None
    *before, last = asked.messages()
    told = brief.prompt(
        "retry",
        asked.form,
        prompt=last.content,
        message=parsed.message or str(parsed.failure),
        where=parsed.where,
    )
    if not asked.turns:
        return told
    return replace(told, text="", turns=(*before, Message(last.role, told.text)))
