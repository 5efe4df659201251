"""What the adapters are worth: the ablation on held-out problems, paired, with intervals."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from micro import oracle
from micro.chain import Split
from micro.problem import MAX_TRANSFORMS, MicroProblem, complete, record
from micro.staff import students
from micro.trajectory import Trajectory
from micro.workbench import solve_all
from solver.agents.retrieval import parse_tolerant
from solver.benchmarks.interval import Estimate, wilson
from solver.benchmarks.mcnemar import mcnemar
from solver.engines.protocol import ChatModel
from solver.judge import Judge
from trajectories.agents import AGENTS

SHARED = "shared"
UNSUPERVISED = {"planning": "planning-unsupervised", "coding": "coding-unsupervised"}


@dataclass(frozen=True)
class Arm:
    """One row of the table: which agents have an adapter, and which; `constrained` holds answers to their forms."""

    name: str
    adapted: dict[str, str]
    constrained: bool = False

    @property
    def slug(self) -> str:
        return self.name.replace(" ", "_")


def arms(controls: bool) -> list[Arm]:
    def own(*agents: str) -> dict[str, str]:
        return {agent: agent for agent in agents}

    table = [
        Arm("base", {}),
        Arm("all four", own(*AGENTS)),
        Arm("+ retrieval", own("retrieval")),
        Arm("R+D", own("retrieval", "debugging")),
        Arm("R+D+P", own("retrieval", "debugging", "planning")),
        Arm("+ planning", own("planning")),
        Arm("+ coding", own("coding")),
        Arm("+ debugging", own("debugging")),
    ]
    if controls:
        table.append(Arm("base, constrained decoding", {}, constrained=True))
        table.append(Arm("one shared adapter", dict.fromkeys(AGENTS, SHARED)))
        table.append(Arm("all four, no supervisor", own(*AGENTS) | UNSUPERVISED))
    return table


def evaluation_problems(count: int, longest_chain: int = MAX_TRANSFORMS) -> list[MicroProblem]:
    """Held-out problems, as many with one transform as with two, and so on up to `longest_chain`."""
    rng = random.Random("micro evaluation problems")
    return [complete(rng, 1 + index % longest_chain, Split.TEST) for index in range(count)]


def evaluation_records(count: int, longest_chain: int = MAX_TRANSFORMS) -> list[dict[str, Any]]:
    """The same problems as a lab keeps them."""
    series = "evaluation" if longest_chain == MAX_TRANSFORMS else f"evaluation-of-{longest_chain}"
    return [
        record(problem, f"{series}-{number}", f"{series} {number}", {series: number})
        for number, problem in enumerate(evaluation_problems(count, longest_chain), 1)
    ]


def run_arm(
    arm: Arm,
    problems: Sequence[MicroProblem],
    engine: ChatModel,
    judge: Judge,
    tell: Callable[[int, int], None],
) -> list[Trajectory]:
    staff = students(engine, arm.adapted, arm.constrained)
    return solve_all(problems, lambda _: staff, judge, progress=tell)


def summary(arm: Arm, problems: Sequence[MicroProblem], runs: Sequence[Trajectory]) -> dict[str, Any]:
    """Shares are of problems, except where a name says otherwise. `solved` and `bits` hold one character a problem, in
    order; "-" where the question does not arise."""
    pairs = list(zip(problems, runs, strict=True))
    plans = [_plan_right(problem, run) for problem, run in pairs]
    failed = {agent: [agent in run.failed_formats for run in runs] for agent in AGENTS}
    measured: dict[str, list[bool | None]] = {
        "pass_at_1": [run.passed for run in runs],
        "strict_pass_at_1": [run.strictly_passed for run in runs],
        "before_repair": [run.first_passed for run in runs],
        "any_format_failure": [bool(run.failed_formats) for run in runs],
        **{f"{agent}_failure": list(bits) for agent, bits in failed.items()},
        "tags_right": [_tags_right(problem, run) for problem, run in pairs],
        "plan_right": list(plans),
        "code_right_given_plan": [
            run.first_passed if right else None for run, right in zip(runs, plans, strict=True)
        ],
    }
    shares = {name: share([bit for bit in bits if bit is not None]) for name, bits in measured.items()}
    return {
        "arm": arm.name,
        "adapted": sorted(arm.adapted),
        "n": len(runs),
        **{name: value for name, value in shares.items() if not name.endswith("_failure")},
        "any_format_failure": shares["any_format_failure"],
        "format_failures": {agent: shares[f"{agent}_failure"] for agent in AGENTS},
        "by_transforms": {
            str(length): share([run.passed for problem, run in pairs if problem.chain.transforms == length])
            for length in sorted({problem.chain.transforms for problem in problems})
        },
        "bits": {name: as_text(bits) for name, bits in measured.items()},
    }


def as_text(bits: Sequence[bool | None]) -> str:
    return "".join("-" if bit is None else "01"[bit] for bit in bits)


def _tags_right(problem: MicroProblem, run: Trajectory) -> bool:
    recalled = parse_tolerant(run.of("retrieval")[0].text, 1).value
    return recalled is not None and recalled.algorithm == ", ".join(problem.chain.tags)


def _plan_right(problem: MicroProblem, run: Trajectory) -> bool:
    plans = run.of("planning")
    return bool(plans) and plans[0].text.strip() == oracle.planning(problem.chain)


def share(bits: Sequence[bool]) -> dict[str, float | int]:
    """Percentage with its 95 % Wilson interval."""
    found = wilson([float(bit) for bit in bits])
    return {"k": sum(bits), "n": found.n, **percentages(found)}


def percentages(found: Estimate) -> dict[str, float]:
    return {
        "percent": round(100 * found.value, 1),
        "low": round(100 * found.low, 1),
        "high": round(100 * found.high, 1),
    }


def paired(first: str, second: str) -> dict[str, float | int]:
    """Exact two-sided McNemar test on two strings of bits of the same problems; `won` by the second."""
    lost = sum(a == "1" and b == "0" for a, b in zip(first, second, strict=True))
    won = sum(a == "0" and b == "1" for a, b in zip(first, second, strict=True))
    return {"won": won, "lost": lost, "p": mcnemar(won, lost).p}
