"""MapCoder (Islam, Ali, Parvez, ACL 2024): recall k exemplars, plan after each, code and repair in turn.

    retrieval                          1 call
    for each of k exemplars:
        plan, then confidence          2 calls
    for each plan, most confident first:
        code                           1 call
        test, repair, test, ...        at most t calls

One plan that passes the samples ends the run. At most 1 + 2k + k(1 + t) calls without retries: 25 for k=3,
t=5 and 41 for k=5, t=5. The `upstream` profile differs from `lab` by the defects of `profiles.Defect` and
nothing else. `attempt` counts the plans in the order tried, from 1; steps before that carry attempt 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from solver.agents.debugging import first_response
from solver.agents.retrieval import Exemplar, Retrieval
from solver.strategies.candidates import Candidates
from solver.strategies.profiles import Defect
from solver.strategies.protocol import Outcome, Params, Workbench
from solver.strategies.team import NONE, Team
from trajectories.problem_schema import ProblemSpec

NOTHING_RECALLED = Retrieval((Exemplar(NONE, NONE),), NONE)


@dataclass(frozen=True, slots=True)
class Plan:
    """`exemplar` is the number, from 1, of the exemplar that the plan was made after."""

    text: str
    confidence: int
    exemplar: int


def mapcoder(problem: ProblemSpec, bench: Workbench, params: Params) -> Outcome:
    team = Team.of(problem, bench, params)
    written = Candidates(bench)
    keep_best = Defect.LAST_CODE_FALLBACK not in team.defects
    return written.guard(lambda: _solve(team, params, written, keep_best), keep_best=keep_best)


def call_bound(params: Params) -> int:
    """The most model calls a run makes, each of them possibly asked again."""
    return 1 + 2 * params.k + params.k * (1 + params.t)


def _solve(team: Team, params: Params, written: Candidates, keep_best: bool) -> Outcome:
    recalled = team.recall()
    if recalled is None:
        team.bench.note(
            "no_exemplars", why="retrieval gave nothing usable", instead="one plan without an exemplar"
        )
        recalled = NOTHING_RECALLED
    plans = _ranked_plans(team, recalled, ahead=params.speculative != "off")
    if params.speculative == "programs":
        first = [partial(_write, recalled.algorithm, plan, n) for n, plan in enumerate(plans, start=1)]
        team.ahead(first, steps=None)
    for attempt, plan in enumerate(plans, start=1):
        team.bench.note("plan_chosen", attempt=attempt, exemplar=plan.exemplar, confidence=plan.confidence)
        passed = _try_plan(team, recalled.algorithm, plan, attempt, params.t, written)
        if passed is not None:
            return passed
    why = "no plan passed the samples" if written.all else "no agent gave a usable plan and program"
    return written.best(why) if keep_best else written.last(why)


def _ranked_plans(team: Team, recalled: Retrieval, *, ahead: bool) -> list[Plan]:
    """A plan after each exemplar, most confident first; ties keep the order of the exemplars."""
    numbered = enumerate(recalled.exemplars, start=1)
    ways = [partial(_plan, recalled.algorithm, exemplar, number) for number, exemplar in numbered]
    if ahead:
        team.ahead(ways, steps=2)
    plans = [plan for way in ways if (plan := way(team)) is not None]
    plans.sort(key=lambda plan: plan.confidence, reverse=True)
    order = [{"exemplar": plan.exemplar, "confidence": plan.confidence} for plan in plans]
    team.bench.note("plans_ranked", order=order)
    return plans


def _plan(algorithm: str, exemplar: Exemplar, number: int, team: Team) -> Plan | None:
    text = team.plan(algorithm, exemplar, number)
    if text is None:
        team.bench.note("plan_dropped", exemplar=number, why="the planner's answer cannot be used")
        return None
    confidence = team.confidence(text, number)
    if confidence is None:
        team.bench.note("confidence_unknown", exemplar=number, instead=0)
    return Plan(text, confidence.score if confidence else 0, number)


def _write(algorithm: str, plan: Plan, attempt: int, team: Team) -> str | None:
    return team.write(algorithm, plan.text, attempt)


def _try_plan(
    team: Team, algorithm: str, plan: Plan, attempt: int, t: int, written: Candidates
) -> Outcome | None:
    """Code the plan, then test and repair at most `t` times. An outcome once the samples pass."""
    code = team.write(algorithm, plan.text, attempt)
    if code is None:
        team.bench.note("plan_given_up", attempt=attempt, why="the coder's answer holds no program")
        return None
    response = first_response(team.brief, plan.text, code)
    for repairs_left in range(t, -1, -1):
        if not repairs_left and Defect.UNTESTED_LAST_REPAIR in team.defects:
            return written.add(code, attempt, confidence=plan.confidence)
        run = team.test(code, attempt)
        passed = written.add(code, attempt, run, plan.confidence)
        if passed is not None or not repairs_left:
            return passed
        repair = team.repair(algorithm, plan.text, response, run, attempt)
        if repair.parsed.value is None:
            team.bench.note("plan_given_up", attempt=attempt, why="the debugger's answer holds no program")
            return None
        code, response = repair.parsed.value, repair.text
    return None
