"""Reflexion: write, test, put into words what went wrong, write again with those words in mind.

At most t further programs after the first. The last three reflections are kept, as in the published system.
"""

from __future__ import annotations

from solver.agents.answer_forms import FreeText
from solver.agents.planning import parse_plan_tolerant
from solver.agents.sample_report import sample_report
from solver.engines.protocol import Role
from solver.strategies.candidates import Candidates
from solver.strategies.protocol import Outcome, Params, TestRun, Workbench
from solver.strategies.team import Team
from trajectories.problem_schema import ProblemSpec

REMEMBERED = 3


def reflexion(problem: ProblemSpec, bench: Workbench, params: Params) -> Outcome:
    team = Team.of(problem, bench, params)
    written = Candidates(bench)
    return written.guard(lambda: _solve(team, params.t, written))


def call_bound(params: Params) -> int:
    return 1 + 2 * params.t


def _solve(team: Team, t: int, written: Candidates) -> Outcome:
    first = team.brief.prompt("direct", team.form())
    code = team.ask(Role.CODING, first, team.program, attempt=1).parsed.value
    reflections: list[str] = []
    for attempt in range(1, t + 2):
        if code is None:
            return written.best("an answer holds no program")
        run = team.test(code, attempt)
        passed = written.add(code, attempt, run)
        if passed is not None:
            return passed
        if attempt > t:
            break
        reflections = [*reflections, _reflection(team, code, run, attempt)][-REMEMBERED:]
        code = _next_program(team, code, run, reflections, attempt + 1)
    return written.best("no program passed the samples")


def _reflection(team: Team, code: str, run: TestRun, attempt: int) -> str:
    prompt = team.brief.prompt(
        "reflexion_reflection", FreeText(), code=code.strip(), test_report=sample_report(run)
    )
    reflection = team.ask(
        Role.DEBUGGING, prompt, parse_plan_tolerant, attempt=attempt, gist="reflection"
    ).parsed.value
    return reflection or "(no reflection was given)"


def _next_program(team: Team, code: str, run: TestRun, reflections: list[str], attempt: int) -> str | None:
    prompt = team.brief.prompt(
        "reflexion_coding",
        team.form(),
        code=code.strip(),
        test_report=sample_report(run),
        reflections="\n\n".join(f"{number}. {text}" for number, text in enumerate(reflections, start=1)),
    )
    return team.ask(Role.CODING, prompt, team.program, attempt=attempt).parsed.value
