"""Chain of thought: reason in numbered steps first, then write the program, all in one call."""

from __future__ import annotations

from solver.strategies.direct import call_bound, one_call
from solver.strategies.protocol import Outcome, Params, Workbench
from trajectories.problem_schema import ProblemSpec

__all__ = ["call_bound", "cot"]


def cot(problem: ProblemSpec, bench: Workbench, params: Params) -> Outcome:
    return one_call(problem, bench, params, "cot", prose=True)
