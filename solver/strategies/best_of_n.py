"""Best of n: n independent programs for the same prompt; the first that passes the samples, else the best.

The programs differ only if the engine samples: at temperature 0, or with one seed for every call, all n are equal.
A repeated program is noted and not tested again.
"""

from __future__ import annotations

from solver.engines.protocol import Role
from solver.strategies.candidates import Candidates
from solver.strategies.protocol import Outcome, Params, Workbench
from solver.strategies.team import Team
from trajectories.problem_schema import ProblemSpec

DEFAULT_N = 5


def best_of_n(problem: ProblemSpec, bench: Workbench, params: Params) -> Outcome:
    team = Team.of(problem, bench, params)
    written = Candidates(bench)
    return written.guard(lambda: _solve(team, call_bound(params), written))


def call_bound(params: Params) -> int:
    return int(params.extra.get("n", DEFAULT_N))


def _solve(team: Team, n: int, written: Candidates) -> Outcome:
    first_seen: dict[str, int] = {}
    prompt = team.brief.prompt("direct", team.form())
    for attempt in range(1, n + 1):
        answer = team.ask(
            Role.CODING, prompt, team.program, attempt=attempt, gist=f"sample {attempt}", sample=attempt
        )
        code = answer.parsed.value
        if code is None:
            continue
        if code in first_seen:
            team.bench.note("repeated_program", attempt=attempt, same_as=first_seen[code])
            continue
        first_seen[code] = attempt
        passed = written.add(code, attempt, team.test(code, attempt))
        if passed is not None:
            return passed
    return written.best("no program passed the samples")
