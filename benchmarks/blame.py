"""Who broke it? Fault injection: in runs of the micro model that pass, one agent's answer is spoilt in a known way; each
source of blame then says whose it was.

    python -m benchmarks.blame [--problems 40] [--draws 5] [--votes 5] [--errors 0.35] [--json FILE]

The answers are the micro model's own, judged by the lab's judge; the spoilt answer is what the oracle says of a near miss
of the problem (another constant, another operation, a step left out), in the right format. Replays redo each agent with
the micro model at temperature 0.7. The supervisor is a program whose share of wrong calls is set (--errors): its
accuracy is an assumption and is shown for the paired comparison alone. Runs in a temporary SQLite database.
"""

from __future__ import annotations

import argparse
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.figures import Bar, report
from benchmarks.lab import empty_lab
from trajectories.agents import AGENTS

if TYPE_CHECKING:
    from trajectories.models import Run

PUBLISHED = 53.5  # % of agents named rightly by the best method on Who&When, arXiv:2505.00212
SOURCES = ("single call", "vote", "replay", "rule")


@dataclass
class Case:
    """A passing run, spoilt at one agent; `said` is what each source answered."""

    agent: str
    run: Run
    said: dict[str, str] = field(default_factory=dict)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--problems", type=int, default=40)
    parser.add_argument("--draws", type=int, default=5, help="replays of each agent")
    parser.add_argument("--votes", type=int, default=5)
    parser.add_argument(
        "--errors", type=float, default=0.35, help="share of wrong calls of the simulated supervisor"
    )
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--json", type=Path, default=None)
    given = parser.parse_args()
    with empty_lab():
        bars, rows = measure(given)
    report("blame", bars, rows, given.json)


def measure(given: argparse.Namespace) -> tuple[list[Bar], list[dict[str, Any]]]:
    cases = list(_cases(given))
    _replay(cases, given)
    _supervise(cases, given)
    _rule(cases)
    return _figures(cases), _rows(cases)


# -- the cases


def _cases(given: argparse.Namespace) -> Iterator[Case]:
    from micro.chain import Split
    from micro.problem import problem_spec
    from solver import runs
    from trajectories.importers.normalised import convert
    from trajectories.importers.row import Row
    from trajectories.models import Run
    from trajectories.problems import store

    problems = [
        store(convert(Row(problem_spec(given.seed, index, Split.TRAIN))))[0]
        for index in range(given.problems)
    ]
    for t in (0, 2):  # without repairs for the first three agents: a repair would mend what was spoilt
        for problem in problems:
            runs.start(problem, engine="micro", params={"k": 1, "t": t}, publish_to_workers=False)
    work(given.threads)
    passed = Run.objects.filter(verdict="AC", branch_of=None).order_by("pk")
    spoilt = [one for run in passed for one in _spoil(run, given.seed)]
    work(given.threads)
    for agent, run in spoilt:
        run.refresh_from_db()
        if run.verdict and run.verdict != "AC":
            yield Case(agent, run)


def _spoil(run: Run, seed: int) -> list[tuple[str, Run]]:
    """Branches of the run with one agent's answer replaced by the oracle's answer to a near miss of the problem."""
    from micro import oracle
    from micro.corpus import wrong_chain
    from micro.statement import parse
    from solver import branches
    from solver.change import Change
    from training.supervision.steps import Path as Trail

    chain = parse(run.problem.spec().statement)
    assert chain is not None
    wrong = wrong_chain(random.Random(f"{seed} {run.pk}"), chain)
    answers = {
        "retrieval": oracle.retrieval(wrong),
        "planning": oracle.planning(wrong),
        "coding": oracle.coding(wrong),
        "debugging": oracle.debugging(wrong),
    }
    trail = Trail(run)
    wanted = ["debugging"] if run.params["t"] else ["retrieval", "planning", "coding"]
    made = []
    for agent in wanted:
        if agent in trail.agents and (at := trail.step_of(agent)) is not None:
            change = Change(at, "edit", answers[agent], actor="fault injection")
            made.append((agent, branches.start(run, change, publish_to_workers=False)))
    return made


def work(threads: int) -> None:
    """Execute everything that is queued, as workers would."""
    from django.db import connection

    from solver import runs
    from trajectories.models import Run

    def one(pk: int) -> None:
        try:
            runs.execute(pk, f"benchmark-{threading.get_ident()}")
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(one, Run.objects.filter(status="queued").values_list("pk", flat=True)))


# -- the sources


def _replay(cases: list[Case], given: argparse.Namespace) -> None:
    from training import blame
    from trajectories.models import Blame

    for case in cases:
        blame.start_replays(case.run, given.draws, publish_to_workers=False)
    work(given.threads)
    for case in cases:
        blame.by_replay(case.run)
        case.said["replay"] = Blame.objects.get(run=case.run, source="replay", actor=blame.ACTOR).agent


def _supervise(cases: list[Case], given: argparse.Namespace) -> None:
    """The votes of a simulated supervisor, asked with the lab's own prompt and read by its own parser and ranking."""
    from micro.oracle_server import reply_to
    from solver.agents import supervisor
    from training.supervision import steps
    from training.supervision.asking import Vote
    from training.supervision.work import rank

    for case in cases:
        problem = case.run.problem.spec()
        prompt = supervisor.prompt(problem, steps.shown(case.run, problem)).text
        votes = [
            Vote(0, supervisor.parse(reply_to(prompt, blame_errors=given.errors, draw=draw)).value)
            for draw in range(given.votes)
        ]
        case.said["single call"] = rank(votes[:1])[0]
        case.said["vote"] = rank(votes)[0]


def _rule(cases: list[Case]) -> None:
    from training import blame

    for case in cases:
        case.said["rule"] = blame.rule(case.run).agent


# -- figures


def _right(cases: list[Case], source: str) -> int:
    return sum(case.said[source] == case.agent for case in cases)


def _figures(cases: list[Case]) -> list[Bar]:
    from solver.benchmarks.mcnemar import mcnemar

    n = len(cases)
    bars = [
        Bar("replay names the spoilt agent", 100 * _right(cases, "replay") / n, "%", 90.0, "min", n),
        Bar(
            "vote names the spoilt agent (simulated)",
            100 * _right(cases, "vote") / n,
            "%",
            PUBLISHED,
            "min",
            n,
        ),
    ]
    pairs = [(case.said["replay"] == case.agent, case.said["single call"] == case.agent) for case in cases]
    won = sum(one and not other for one, other in pairs)
    lost = sum(other and not one for one, other in pairs)
    found = mcnemar(won, lost)
    bars.append(Bar("replay against one supervisor call, McNemar p", found.p, "", 0.05, "max", won + lost))
    return bars


def _rows(cases: list[Case]) -> list[dict[str, Any]]:
    from trajectories.wilson import share

    rows = []
    for source in SOURCES:
        row: dict[str, Any] = {"source": source}
        for agent in AGENTS:
            mine = [case for case in cases if case.agent == agent]
            row[agent] = f"{_right(mine, source)} of {len(mine)}"
        whole = share(_right(cases, source), len(cases))
        row["all"] = f"{whole.hits} of {whole.n}"
        row["95 %"] = f"{whole.low:.1%} to {whole.high:.1%}"
        rows.append(row)
    return rows


if __name__ == "__main__":
    main()
