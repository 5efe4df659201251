"""What the adapters are worth: the ablation on held-out problems, paired, with intervals."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from micro import oracle
from micro.chain import Split
from micro.problem import MAX_TRANSFORMS, MicroProblem, complete
from micro.staff import AGENTS, students
from micro.trajectory import Trajectory
from micro.workbench import solve_all
from solver.agents.retrieval import parse_tolerant
from solver.engines.protocol import ChatModel
from solver.judge import Judge

SHARED = "shared"


@dataclass(frozen=True)
class Arm:
    """One row of the table: which agents have an adapter, and which."""

    name: str
    adapted: dict[str, str]


def arms(with_shared: bool) -> list[Arm]:
    def own(*agents: str) -> dict[str, str]:
        return {agent: agent for agent in agents}

    table = [
        Arm("base", {}),
        Arm("all four", own(*AGENTS)),
        Arm("+ retrieval", own("retrieval")),
        Arm("+ planning", own("planning")),
        Arm("+ coding", own("coding")),
        Arm("+ debugging", own("debugging")),
        Arm("R+D", own("retrieval", "debugging")),
        Arm("R+D+P", own("retrieval", "debugging", "planning")),
    ]
    if with_shared:
        table.append(Arm("one shared adapter", dict.fromkeys(AGENTS, SHARED)))
    return table


def evaluation_problems(count: int) -> list[MicroProblem]:
    """Held-out problems, a third each with one, two and three transforms."""
    rng = random.Random("micro evaluation problems")
    return [complete(rng, 1 + index % MAX_TRANSFORMS, Split.TEST) for index in range(count)]


def run_arm(
    arm: Arm,
    problems: Sequence[MicroProblem],
    engine: ChatModel,
    judge: Judge,
    tell: Callable[[int, int], None],
) -> list[Trajectory]:
    staff = students(engine, arm.adapted)
    return solve_all(problems, lambda _: staff, judge, progress=tell)


def summary(arm: Arm, problems: Sequence[MicroProblem], runs: Sequence[Trajectory]) -> dict[str, Any]:
    """Shares are of problems, except where a name says otherwise; `solved` is one bit a problem, in order."""
    tags, plans, codes = [], [], []
    for problem, run in zip(problems, runs, strict=True):
        tags.append(_tags_right(problem, run))
        right = _plan_right(problem, run)
        plans.append(right)
        if right:
            codes.append(run.first_passed)
    by_length = {
        length: [
            run.passed
            for problem, run in zip(problems, runs, strict=True)
            if problem.chain.transforms == length
        ]
        for length in range(1, MAX_TRANSFORMS + 1)
    }
    return {
        "arm": arm.name,
        "adapted": sorted(arm.adapted),
        "n": len(runs),
        "pass_at_1": share([run.passed for run in runs]),
        "strict_pass_at_1": share([run.strictly_passed for run in runs]),
        "before_repair": share([run.first_passed for run in runs]),
        "any_format_failure": share([bool(run.failed_formats) for run in runs]),
        "format_failures": {agent: share([agent in run.failed_formats for run in runs]) for agent in AGENTS},
        "tags_right": share(tags),
        "plan_right": share(plans),
        "code_right_given_plan": share(codes),
        "by_transforms": {str(length): share(bits) for length, bits in by_length.items()},
        "solved": "".join("1" if run.passed else "0" for run in runs),
        "strictly_solved": "".join("1" if run.strictly_passed else "0" for run in runs),
    }


def _tags_right(problem: MicroProblem, run: Trajectory) -> bool:
    recalled = parse_tolerant(run.of("retrieval")[0].text, 1).value
    return recalled is not None and recalled.algorithm == ", ".join(problem.chain.tags)


def _plan_right(problem: MicroProblem, run: Trajectory) -> bool:
    plans = run.of("planning")
    return bool(plans) and plans[0].text.strip() == oracle.planning(problem.chain)


def share(bits: Sequence[bool]) -> dict[str, float | int]:
    """Percentage with its 95 % Wilson interval."""
    n, k = len(bits), sum(bits)
    low, high = wilson(k, n)
    value = 100 * k / n if n else 0.0
    return {
        "k": k,
        "n": n,
        "percent": round(value, 1),
        "low": round(100 * low, 1),
        "high": round(100 * high, 1),
    }


def wilson(k: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Wilson's score interval for k of n (E. B. Wilson, 1927)."""
    if n == 0:
        return 0.0, 1.0
    p = k / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def mcnemar(first: str, second: str) -> dict[str, float | int]:
    """Exact two-sided McNemar test on two strings of bits of the same problems."""
    lost = sum(a == "1" and b == "0" for a, b in zip(first, second, strict=True))
    won = sum(a == "0" and b == "1" for a, b in zip(first, second, strict=True))
    n = lost + won
    tail = sum(math.comb(n, i) for i in range(min(lost, won) + 1)) / 2**n if n else 1.0
    return {"won": won, "lost": lost, "p": min(1.0, 2 * tail)}
