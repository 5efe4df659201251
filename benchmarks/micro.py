"""The micro model on this machine: loading, one problem through the pipeline, many at once.

python -m benchmarks.micro [--problems 60] [--json FILE]
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from typing import Any

from benchmarks.figures import Bar, report
from micro import engine_spec
from micro.evaluation import evaluation_problems
from micro.problem import MicroProblem
from micro.staff import students
from micro.workbench import solve, solve_all
from solver.engines.spec import EngineSpec
from solver.judge import Judge
from trajectories.agents import AGENTS

ALL_FOUR = {agent: agent for agent in AGENTS}


def measure(problems: list[MicroProblem]) -> tuple[list[Bar], list[dict[str, Any]]]:
    from solver.engines.transformers_engine import (
        TransformersEngine,  # torch: not part of the engine's loading
    )

    began = time.monotonic()
    engine = TransformersEngine(EngineSpec.parse(engine_spec.engine_entry()))
    loaded = time.monotonic() - began
    staff = students(engine, ALL_FOUR)
    try:
        with Judge() as judge:
            solve(0, problems[0], staff, judge)  # the first run starts the sandboxes
            alone: list[float] = []
            for index, problem in enumerate(problems[:20]):
                began = time.monotonic()
                solve(index, problem, staff, judge)
                alone.append(time.monotonic() - began)
            before = engine.stats()["new_tokens"]
            began = time.monotonic()
            runs = solve_all(problems, lambda _: staff, judge)
            seconds = time.monotonic() - began
            tokens = engine.stats()["new_tokens"] - before
    finally:
        engine.close()
    bars = [
        Bar("engine loads", loaded, "s", 3.0, "max", 1),
        Bar("one problem, median", statistics.median(alone), "s", 3.0, "max", len(alone)),
        Bar("tokens batched", tokens / seconds, "tokens/s", 300.0, "min", tokens),
    ]
    row = {
        "problems": len(runs),
        "passed": sum(run.passed for run in runs),
        "seconds": seconds,
        "slowest alone, s": max(alone),
        "calls": sum(len(run.calls) for run in runs),
    }
    return bars, [row]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--problems", type=int, default=60)
    parser.add_argument("--json", type=Path, default=None)
    given = parser.parse_args()
    bars, rows = measure(evaluation_problems(given.problems))
    report("micro", bars, rows, given.json)


if __name__ == "__main__":
    main()
