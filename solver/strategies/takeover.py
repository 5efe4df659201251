"""Going on from a step of a run whose strategy the lab does not have: an imported trajectory, changed at that step.

What was recorded before the step stays as it was and is neither asked nor judged. The step itself is asked as it was
recorded; what follows is MapCoder's way from there on: recall -> plan -> program -> samples -> repair, at most t times.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from solver.agents import planning, retrieval
from solver.agents.debugging import first_response
from solver.agents.prompts import Prompt
from solver.engines.protocol import Message, Role
from solver.strategies.candidates import Candidates
from solver.strategies.mapcoder import NOTHING_RECALLED
from solver.strategies.protocol import Outcome, Params, Workbench
from solver.strategies.team import NONE, Team
from trajectories.problem_schema import ProblemSpec

NAME = "takeover"
ROLES = (Role.RETRIEVAL, Role.PLANNING, Role.CODING, Role.DEBUGGING)
RECORDED = "recorded"  # the template of a prompt that another system made
UNSEEN = "(the plan was not recorded)"


def takeover(problem: ProblemSpec, bench: Workbench, params: Params) -> Outcome:
    """`params.extra` holds `role`, `attempt` and `messages` of the step that is asked first."""
    team = Team.of(problem, bench, params)
    written = Candidates(bench)
    role = Role(params.extra["role"])
    return written.guard(partial(_go_on, team, params, role, _recorded(params.extra["messages"]), written))


def call_bound(params: Params) -> int:
    """The step, a plan and a program where it was an earlier one, and the repairs."""
    return 3 + params.t


def _recorded(messages: list[dict[str, Any]]) -> Prompt:
    turns = tuple(Message(str(turn["role"]), str(turn["content"])) for turn in messages)
    return Prompt("", RECORDED, "", turns=turns)


def _go_on(team: Team, params: Params, role: Role, prompt: Prompt, written: Candidates) -> Outcome:
    attempt = int(params.extra["attempt"])
    algorithm, plan, code = NONE, UNSEEN, None
    if role in (Role.CODING, Role.DEBUGGING):
        code = team.ask(role, prompt, team.program, attempt=attempt).parsed.value
    else:
        algorithm, found = _planned(team, role, prompt, attempt)
        if found is None:
            return written.nothing("the planner's answer cannot be used")
        plan, code = found, team.write(algorithm, found, attempt)
    if code is None:
        return written.nothing("the answer holds no program")
    return _repaired(team, params.t, algorithm, plan, code, attempt, written)


def _planned(team: Team, role: Role, prompt: Prompt, attempt: int) -> tuple[str, str | None]:
    """The algorithm and the plan, after the recorded question for either."""
    if role is Role.PLANNING:
        return NONE, team.ask(role, prompt, planning.parse_plan_tolerant, attempt=attempt).parsed.value
    parse = partial(retrieval.parse_tolerant, k=1)
    recalled = team.ask(role, prompt, parse, attempt=attempt).parsed.value or NOTHING_RECALLED
    return recalled.algorithm or NONE, team.plan(recalled.algorithm, recalled.exemplars[0], 1)


def _repaired(
    team: Team, t: int, algorithm: str, plan: str, code: str, attempt: int, written: Candidates
) -> Outcome:
    response = first_response(team.brief, plan, code)
    for repairs_left in range(t, -1, -1):
        run = team.test(code, attempt)
        if (passed := written.add(code, attempt, run)) is not None:
            return passed
        if not repairs_left:
            break
        repair = team.repair(algorithm, plan, response, run, attempt)
        if repair.parsed.value is None:
            return written.best("the debugger's answer holds no program")
        code, response = repair.parsed.value, repair.text
    return written.best("no program passed the samples")
