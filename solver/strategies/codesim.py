"""After CodeSIM (Islam et al., NAACL 2025 Findings): plan, simulate the plan, mend it, code, debug by simulation.

    for each of k plans:
        plan, knowing the plans that failed      1 call
        simulate it on the samples               1 call
        mend it if the simulation fails          at most 1 call
        code                                     1 call
        test, simulate and repair, test, ...     at most t calls

No retrieval. Ours, not the paper's: a new plan is told which earlier plans failed, so that greedy decoding does not
write the same one again.
"""

from __future__ import annotations

from solver.agents import simulation
from solver.agents.answer_forms import FreeText
from solver.agents.planning import parse_plan_tolerant
from solver.agents.sample_report import sample_report
from solver.engines.protocol import Role
from solver.strategies.candidates import Candidates
from solver.strategies.protocol import Outcome, Params, Workbench
from solver.strategies.team import NONE, Team
from trajectories.problem_schema import ProblemSpec


def codesim(problem: ProblemSpec, bench: Workbench, params: Params) -> Outcome:
    team = Team.of(problem, bench, params)
    written = Candidates(bench)
    return written.guard(lambda: _solve(team, params, written))


def call_bound(params: Params) -> int:
    return params.k * (4 + params.t)


def _solve(team: Team, params: Params, written: Candidates) -> Outcome:
    failed: list[str] = []
    for attempt in range(1, params.k + 1):
        plan = _simulated_plan(team, failed, attempt)
        if plan is None:
            team.bench.note("plan_dropped", attempt=attempt, why="the planner's answer cannot be used")
            continue
        passed = _code_and_debug(team, plan, attempt, params.t, written)
        if passed is not None:
            return passed
        failed.append(plan)
    return written.best(
        "no plan passed the samples" if written.all else "no agent gave a usable plan and program"
    )


def _simulated_plan(team: Team, failed: list[str], attempt: int) -> str | None:
    tried = "\n\n".join(f"### Plan {number}\n{plan}" for number, plan in enumerate(failed, start=1))
    prompt = team.brief.prompt("codesim_planning", FreeText(), tried=tried or NONE)
    plan = team.ask(Role.PLANNING, prompt, parse_plan_tolerant, attempt=attempt).parsed.value
    if plan is None:
        return None
    question = simulation.prompt(team.brief, plan)
    seen = team.ask(
        Role.CONFIDENCE, question, simulation.parse, attempt=attempt, gist="simulation"
    ).parsed.value
    if seen is None or seen.holds:
        team.bench.note("plan_kept", attempt=attempt, simulated=seen is not None)
        return plan
    prompt = team.brief.prompt("codesim_refinement", FreeText(), plan=plan, simulation=seen.text)
    mended = team.ask(
        Role.PLANNING, prompt, parse_plan_tolerant, attempt=attempt, gist="mended plan"
    ).parsed.value
    team.bench.note("plan_mended" if mended else "plan_kept", attempt=attempt, simulated=True)
    return mended or plan


def _code_and_debug(team: Team, plan: str, attempt: int, t: int, written: Candidates) -> Outcome | None:
    code = team.write(NONE, plan, attempt)
    for repairs_left in range(t, -1, -1):
        if code is None:
            team.bench.note("plan_given_up", attempt=attempt, why="an answer holds no program")
            return None
        run = team.test(code, attempt)
        passed = written.add(code, attempt, run)
        if passed is not None or not repairs_left:
            return passed
        prompt = team.brief.prompt(
            "codesim_debugging",
            team.form(prose=True),
            plan=plan,
            code=code.strip(),
            test_report=sample_report(run),
        )
        code = team.ask(Role.DEBUGGING, prompt, team.program, attempt=attempt).parsed.value
    return None
