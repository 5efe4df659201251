"""Coding: a program after one plan."""

from __future__ import annotations

from solver.agents.answer_forms import FencedProgram
from solver.agents.brief import Brief
from solver.agents.fences import published_code as parse_strict
from solver.agents.fences import tolerant_code as parse_tolerant
from solver.agents.prompts import Prompt

__all__ = ["parse_strict", "parse_tolerant", "prompt"]


def prompt(brief: Brief, algorithm: str, plan: str) -> Prompt:
    return brief.prompt("coding", FencedProgram(brief.language.key), algorithm=algorithm, plan=plan)
