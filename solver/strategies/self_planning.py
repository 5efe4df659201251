"""Self-planning: a plan after the pattern of worked plans, then the program from the plan. Two calls."""

from __future__ import annotations

from solver.agents.answer_forms import FreeText
from solver.agents.planning import parse_plan_tolerant
from solver.engines.protocol import Role
from solver.strategies.candidates import Candidates
from solver.strategies.protocol import Outcome, Params, Workbench
from solver.strategies.team import NONE, Team
from trajectories.problem_schema import ProblemSpec


def self_planning(problem: ProblemSpec, bench: Workbench, params: Params) -> Outcome:
    team = Team.of(problem, bench, params)
    written = Candidates(bench)

    def solve() -> Outcome:
        prompt = team.brief.prompt("self_planning", FreeText())
        plan = team.ask(Role.PLANNING, prompt, parse_plan_tolerant, attempt=1).parsed.value
        if plan is None:
            return written.nothing("the plan is empty")
        code = team.write(NONE, plan, attempt=1)
        if code is None:
            return written.nothing("the coder's answer holds no program")
        return Outcome(code, "the only program written", attempt=1)

    return written.guard(solve)


def call_bound(params: Params) -> int:
    return 2
