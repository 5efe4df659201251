"""Right answers of the micro family as training rows: what a distilled dataset would hold."""

from __future__ import annotations

import random
from functools import cache

from micro import oracle
from micro.chain import Split
from micro.corpus import failed_attempt, sample_outcome
from micro.problem import MicroProblem, complete
from micro.prompting import Prompter
from training.rows_file import Row

ROLES = ("retrieval", "planning", "coding", "debugging")


@cache
def problems(count: int) -> list[MicroProblem]:
    rng = random.Random("training tests")
    return [complete(rng, rng.choice((1, 2, 2)), Split.TRAIN, 4) for _ in range(count)]


def pairs(role: str, count: int) -> list[tuple[str, str]]:
    """Prompt and right answer; planning holds confidence replies too."""
    rng = random.Random(f"training tests {role}")
    told: list[tuple[str, str]] = []
    for problem in problems(count):
        told += _of(role, problem, rng)
    return told[:count]


def _of(role: str, problem: MicroProblem, rng: random.Random) -> list[tuple[str, str]]:
    chain, ask = problem.chain, Prompter(problem)
    if role == "retrieval":
        return [(ask.retrieval(), oracle.retrieval(chain))]
    if role == "planning":
        similar = oracle.exemplar(chain)
        plan = oracle.planning(chain)
        return [
            (ask.planning(", ".join(chain.tags), similar.description, similar.planning), plan),
            (ask.confidence(plan), oracle.confidence(chain, plan)),
        ]
    if role == "coding":
        return [(ask.coding(oracle.planning(chain)), oracle.coding(chain))]
    plan, code = failed_attempt(rng, problem)
    verdict, got, reason = sample_outcome(code, problem)
    return [(ask.debugging(plan, code, verdict, got, reason), oracle.debugging(chain))]


def rows(role: str, count: int, held_out: int = 4) -> list[Row]:
    told = pairs(role, count)
    return [
        Row(
            place,
            "eval" if place >= len(told) - held_out else "train",
            [{"role": "user", "content": prompt}],
            answer,
            title=f"problem {place}",
        )
        for place, (prompt, answer) in enumerate(told)
    ]
