"""Debugging: mend a program that fails samples, from the report of its tests."""

from __future__ import annotations

from solver.agents.answer_forms import FencedProgram
from solver.agents.brief import Brief
from solver.agents.fences import published_code as parse_strict
from solver.agents.fences import tolerant_code as parse_tolerant
from solver.agents.prompts import Prompt

__all__ = ["first_response", "parse_strict", "parse_tolerant", "prompt"]


def prompt(brief: Brief, algorithm: str, plan: str, response: str, test_report: str) -> Prompt:
    """`response` is `first_response` in round one and the debugger's own last answer, whole, afterwards."""
    return brief.prompt(
        "debugging",
        FencedProgram(brief.language.key, prose=True),
        algorithm=algorithm,
        plan=plan,
        response=response,
        test_report=test_report,
    )


def first_response(brief: Brief, plan: str, code: str) -> str:
    """What the debugger reads in round one: the plan and the program made from it."""
    return f"## Planning\n{plan}\n## Code\n```{brief.language.key}\n{code.strip()}\n```"
