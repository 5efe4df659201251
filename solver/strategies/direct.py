"""Direct: the problem, then the program. One call; the baseline of every table."""

from __future__ import annotations

from solver.engines.protocol import Role
from solver.strategies.candidates import Candidates
from solver.strategies.protocol import Outcome, Params, Workbench
from solver.strategies.team import Team
from trajectories.problem_schema import ProblemSpec


def direct(problem: ProblemSpec, bench: Workbench, params: Params) -> Outcome:
    return one_call(problem, bench, params, "direct", prose=False)


def call_bound(params: Params) -> int:
    return 1


def one_call(
    problem: ProblemSpec, bench: Workbench, params: Params, template: str, *, prose: bool
) -> Outcome:
    """Ask once, submit what comes, untested: samples decide nothing here. `prose`: words come before the program."""
    team = Team.of(problem, bench, params)
    written = Candidates(bench)

    def solve() -> Outcome:
        prompt = team.brief.prompt(template, team.form(prose=prose))
        code = team.ask(Role.CODING, prompt, team.program, attempt=1).parsed.value
        if code is None:
            return written.nothing("the answer holds no program")
        return Outcome(code, "the only program written", attempt=1)

    return written.guard(solve)
