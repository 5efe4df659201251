"""The demo's problem list, `micro/problems.jsonl`: drawn at random, put in order by what the shipped model does with them.

    python -m micro.shown_problems

The first ones are those that the base fails and the four adapters mend, so that a newcomer who opens the first problem
sees what the adapters are for. All others follow in the order of their drawing, the failures of all four among them: the
list as a whole is no selection. Each record says in its provenance where it stands and why.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from micro import engine_spec
from micro.problem import MicroProblem, drawn, record
from micro.recipe import one_thread
from micro.staff import students
from micro.student import student
from micro.workbench import solve_all
from solver.engines.protocol import ChatModel
from solver.judge import Judge
from trajectories.agents import AGENTS

SEED = 7
COUNT = 60
SHOWN_FIRST = 12
MENDED = "measured: without adapters it fails, with all four it passes"
AS_DRAWN = "as drawn"


def order(base: Sequence[bool], four: Sequence[bool]) -> list[int]:
    """Indexes of the problems in the order of the list: `SHOWN_FIRST` mended ones, then the rest as drawn."""
    mended = [i for i, (before, after) in enumerate(zip(base, four, strict=True)) if after and not before]
    first = mended[:SHOWN_FIRST]
    return first + [i for i in range(len(base)) if i not in first]


def records(
    problems: Sequence[MicroProblem], ordered: Sequence[int], mended: int
) -> Iterator[dict[str, Any]]:
    """`mended`: how many at the head of `ordered` are there because the adapters mend them."""
    for place, index in enumerate(ordered):
        origin = {"seed": SEED, "index": index, "place": MENDED if place < mended else AS_DRAWN}
        yield record(problems[index], f"{place + 1:02d}", f"{SEED}-{index}", origin)


def measure(problems: Sequence[MicroProblem]) -> tuple[list[bool], list[bool]]:
    """Which problems the shipped base, and the shipped four, solve."""
    shipped = engine_spec.artefact()
    with student(shipped.base, shipped.adapters) as engine, Judge() as judge:
        base = _solved(problems, engine, {}, judge)
        return base, _solved(problems, engine, {agent: agent for agent in AGENTS}, judge)


def _solved(
    problems: Sequence[MicroProblem], engine: ChatModel, adapted: Mapping[str, str], judge: Judge
) -> list[bool]:
    staff = students(engine, adapted)
    return [run.passed for run in solve_all(problems, lambda _: staff, judge)]


def main() -> None:
    one_thread()
    problems = [drawn(SEED, index) for index in range(COUNT)]
    base, four = measure(problems)
    ordered = order(base, four)
    mended = sum(four[i] and not base[i] for i in ordered[:SHOWN_FIRST])
    lines = [json.dumps(made, separators=(",", ":")) for made in records(problems, ordered, mended)]
    engine_spec.PROBLEMS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(
        f"of {COUNT}: base solves {sum(base)}, all four {sum(four)}; {mended} mended ones stand first, "
        f"{sum(b and not f for b, f in zip(base, four, strict=True))} are lost by the adapters"
    )


if __name__ == "__main__":
    main()
