"""The examples of docs/how-to/extend.md do what the page says of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from django.conf import settings

from solver.engines.protocol import Role
from solver.strategies.registry import StrategyInfo
from tests.strategies.bench import ScriptedBench, program, sum_problem
from trajectories.importers.bounds import Bounds
from trajectories.importers.fault import Place
from trajectories.importers.row import Row
from trajectories.importers.source import Log
from trajectories.importers.source import Source as ProblemSource
from trajectories.traces.source import Source as TraceSource
from trajectories.traces.trajectory import StepKind

PAGE = Path(settings.BASE_DIR, "docs/how-to/extend.md").read_text(encoding="utf-8")
PLACE = Place("example.jsonl")


def example(named: str) -> dict[str, Any]:
    """The names that the example of this file defines."""
    for before, block in re.findall(r"`([^`]+)`:\n\n   ```python\n(.*?)\n   ```", PAGE, re.DOTALL):
        if before == named:
            names: dict[str, Any] = {"__name__": "example"}
            exec(compile(re.sub(r"^   ", "", block, flags=re.MULTILINE), named, "exec"), names)
            return names
    raise AssertionError(f"the page has no example {named}")


def test_the_strategy_repairs_until_the_samples_pass_and_no_longer() -> None:
    strategy = example("solver/strategies/draft_and_repair.py")
    answers = {Role.CODING: [program("a")], Role.DEBUGGING: [program("b"), program("c")]}
    bench = ScriptedBench(answers, passes=lambda code: 2 if "b" in code else 0)
    info = StrategyInfo(
        "draft_and_repair",
        "",
        "",
        strategy["draft_and_repair"],
        strategy["call_bound"],
        ("direct", "debugging"),
    )
    outcome = info.run(sum_problem(), bench, info.params({"t": 5}))
    assert (outcome.code, outcome.samples_passed) == ("# b\n", 2)
    assert bench.roles() == ["coding", "debugging"]
    assert info.missing_templates("lab") == []


def test_the_strategy_keeps_to_its_bound_and_submits_its_best_program() -> None:
    strategy = example("solver/strategies/draft_and_repair.py")
    answers = {Role.CODING: [program("a")], Role.DEBUGGING: [program("good"), program("b"), program("never")]}
    bench = ScriptedBench(answers, passes=lambda code: int("good" in code))
    info = StrategyInfo("draft_and_repair", "", "", strategy["draft_and_repair"], strategy["call_bound"], ())
    params = info.params({"t": 2, "retries": 0})
    assert info.run(sum_problem(), bench, params).code == "# good\n"
    assert len(bench.asked) == info.call_bound(params) == 3


def test_the_importer_reads_its_rows_and_names_what_is_wrong_with_others() -> None:
    form = example("trajectories/importers/ourcontest.py")["FORMAT"]
    good = {"number": 7, "title": "Sum", "task": "Add.", "cases": [{"in": "1 2", "out": "3"}], "by": "us"}
    assert form.of_row(Row(good))
    log = Log([], Bounds())

    class File:
        def rows(self, complain: object) -> Any:
            return iter([(PLACE, Row(good)), (PLACE, Row({**good, "cases": []}))])

    ((_, spec),) = form.read(ProblemSource(log, PLACE, file=File()))  # type: ignore[arg-type]
    assert (spec.id, spec.samples[0].output, spec.extra) == ("ourcontest/7", "3", {"by": "us"})
    assert [(fault.field, fault.mend) for fault in log.faults] == [("cases", "give at least one {in, out}")]


def test_the_trace_format_loses_nothing_of_its_row() -> None:
    form = example("trajectories/traces/ourlog.py")["FORMAT"]
    turns = [
        {"who": "planner", "prompt": "Plan.", "text": "Add.", "mood": 1},
        {"who": "critic", "text": "Fine."},
    ]
    row = Row({"task": "7", "turns": turns, "program": "print(3)", "cost": 0.5})
    assert form.of_row(row)
    log = Log([], Bounds())
    ((_, trace),) = form.read(TraceSource(log, PLACE, rows=[(PLACE, row)]))
    assert [(step.kind, step.role, step.text) for step in trace.steps] == [
        (StepKind.ANSWER, "planning", "Add."),
        (StepKind.ANSWER, "agent", "Fine."),
    ]
    assert (trace.final_code, trace.extra, trace.steps[0].extra) == ("print(3)", {"cost": 0.5}, {"mood": 1})
    assert log.faults == []
