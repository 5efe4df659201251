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

from solver.agents.debugging import first_response
from solver.agents.retrieval import Exemplar, Retrieval
from solver.strategies.profiles import Defect
from solver.strategies.protocol import BudgetExceeded, Outcome, Params, Workbench
from solver.strategies.team import NONE, AgentFailed, Candidate, Team, best_of, solved
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
    candidates: list[Candidate] = []
    try:
        return _solve(team, params.t, candidates)
    except AgentFailed as failure:
        bench.note("aborted", why=str(failure))
        return Outcome(None, str(failure))
    except BudgetExceeded as limit:
        if not candidates or Defect.LAST_CODE_FALLBACK in team.defects:
            raise
        return _best_so_far(team, candidates, f"out of budget ({limit})")


def call_bound(params: Params) -> int:
    """The most model calls a run makes, each of them possibly asked again."""
    return 1 + 2 * params.k + params.k * (1 + params.t)


def _solve(team: Team, t: int, candidates: list[Candidate]) -> Outcome:
    recalled = team.recall()
    if recalled is None:
        team.bench.note(
            "fallback", why="retrieval gave nothing usable", instead="one plan without an exemplar"
        )
        recalled = NOTHING_RECALLED
    plans = _ranked_plans(team, recalled)
    for attempt, plan in enumerate(plans, start=1):
        team.bench.note("plan_chosen", attempt=attempt, exemplar=plan.exemplar, confidence=plan.confidence)
        passed = _try_plan(team, recalled.algorithm, plan, attempt, t, candidates)
        if passed is not None:
            return solved(passed)
    if not candidates:
        return Outcome(None, "no agent gave a usable program" if plans else "no agent gave a usable plan")
    if Defect.LAST_CODE_FALLBACK in team.defects:
        last = candidates[-1]
        team.bench.note(
            "fallback", why="no plan passed", instead="the last program written", attempt=last.attempt
        )
        return last.outcome("no plan passed the samples; the last program written is submitted")
    return _best_so_far(team, candidates, "no plan passed the samples")


def _ranked_plans(team: Team, recalled: Retrieval) -> list[Plan]:
    """A plan after each exemplar, most confident first; ties keep the order of the exemplars."""
    plans = []
    for number, exemplar in enumerate(recalled.exemplars, start=1):
        text = team.plan(recalled.algorithm, exemplar, number)
        if text is None:
            team.bench.note("plan_dropped", exemplar=number, why="the planner's answer cannot be used")
            continue
        confidence = team.confidence(text, number)
        if confidence is None:
            team.bench.note("confidence_unknown", exemplar=number, instead=0)
        plans.append(Plan(text, confidence.score if confidence else 0, number))
    plans.sort(key=lambda plan: plan.confidence, reverse=True)
    order = [{"exemplar": plan.exemplar, "confidence": plan.confidence} for plan in plans]
    team.bench.note("plans_ranked", order=order)
    return plans


def _try_plan(
    team: Team, algorithm: str, plan: Plan, attempt: int, t: int, candidates: list[Candidate]
) -> Candidate | None:
    """Code the plan, then test and repair at most `t` times. The candidate that passed, or None."""
    code = team.write(algorithm, plan.text, attempt)
    if code is None:
        team.bench.note("plan_given_up", attempt=attempt, why="the coder's answer holds no program")
        return None
    response = first_response(team.brief, plan.text, code)
    for repairs in range(t + 1):
        if repairs == t and Defect.UNTESTED_LAST_REPAIR in team.defects:
            candidates.append(Candidate(code, attempt, plan.confidence))
            return None
        run = team.test(code, attempt)
        candidates.append(Candidate(code, attempt, plan.confidence, run))
        if run.ok:
            return candidates[-1]
        if repairs == t:
            return None
        repair = team.repair(algorithm, plan.text, response, run, attempt)
        if repair.parsed.value is None:
            team.bench.note("plan_given_up", attempt=attempt, why="the debugger's answer holds no program")
            return None
        code, response = repair.parsed.value, repair.text
    return None


def _best_so_far(team: Team, candidates: list[Candidate], why: str) -> Outcome:
    best = best_of(candidates)
    outcome = best.outcome(f"{why}; the program that passed most samples is submitted")
    team.bench.note(
        "fallback",
        why=why,
        instead="the program that passed most samples",
        attempt=best.attempt,
        samples_passed=outcome.samples_passed,
        samples_total=outcome.samples_total,
    )
    return outcome
