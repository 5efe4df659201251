"""A constrained run: every answer is asked for with the grammar of its form, whatever the strategy, and says so."""

from __future__ import annotations

from typing import Any

import pytest

from solver import branches, runs
from solver.change import Change
from solver.models import Engine
from solver.strategies.registry import STRATEGIES
from tests.runs.conftest import WRONG, Scripted
from trajectories import eventlog, events
from trajectories.models import Problem, Run, RunStatus


@pytest.fixture
def holding(engine: Scripted) -> Scripted:
    """An engine named `holding` that can be held to grammars; the scripted one answers for it."""
    _configure({"structured_output": True})
    return engine


def _configure(capabilities: dict[str, Any], **changes: Any) -> None:
    spec = {
        "name": "holding",
        "kind": "openai",
        "base_url": "http://127.0.0.1:9/v1",
        "allow_loopback": True,
        "models": {"default": "m"},
        "capabilities": capabilities,
        **changes,
    }
    Engine.objects.create(name="holding", spec=spec)


def solve(problem: Problem, **options: Any) -> Run:
    run = runs.start(problem, engine="holding", ask_anew=True, publish_to_workers=False, **options)
    assert runs.execute(run.pk, "test")
    run.refresh_from_db()
    return run


def grammars(run: Run) -> list[str]:
    logged = [events.parse(row.kind, row.payload) for row in eventlog.read_all(run.pk)]
    return [event.grammar for event in logged if isinstance(event, events.StepStarted)]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_question_of_every_strategy_carries_its_grammar_into_the_record(
    holding: Scripted, problem: Problem, strategy: str
) -> None:
    holding.answers = dict.fromkeys(holding.answers, WRONG)  # so that every kind of repair is asked for
    run = solve(problem, strategy=strategy, constrained=True)
    assert run.engine["constrained"] is True
    asked = [request.grammar for request in holding.asked]
    assert asked and all(asked)
    assert grammars(run) == asked


def test_a_run_is_free_unless_it_is_told_otherwise(holding: Scripted, problem: Problem) -> None:
    run = solve(problem, strategy="direct")
    assert "constrained" not in run.engine
    assert grammars(run) == [""] and holding.asked[0].grammar is None


def test_an_engine_that_cannot_is_refused_with_the_way_out(engine: Scripted, problem: Problem) -> None:
    with pytest.raises(runs.StartRefused, match="cannot hold its answers to a grammar") as refused:
        runs.start(problem, engine="scripted", constrained=True)
    assert refused.value.field == "constrained"
    _configure({"structured_output": False})
    with pytest.raises(runs.StartRefused, match="choose an engine that can"):
        runs.start(problem, engine="holding", constrained=True)


def test_a_form_that_the_token_limit_cannot_hold_ends_the_run_before_anybody_is_asked(
    engine: Scripted, problem: Problem
) -> None:
    _configure({"structured_output": True}, sampling={"max_tokens": 40})
    run = solve(problem, strategy="mapcoder", constrained=True)
    assert (run.status, run.reason) == (RunStatus.FAILED, "engine_refused")
    assert "needs max_tokens of at least" in run.message
    assert not engine.asked


def test_a_branch_stays_constrained_and_its_frozen_steps_are_not_asked_again(
    holding: Scripted, problem: Problem
) -> None:
    run = solve(problem, strategy="mapcoder", params={"k": 1, "t": 1}, constrained=True)
    before = len(holding.asked)
    branch = branches.start(run, Change(4, "again"), publish_to_workers=False)
    assert runs.execute(branch.pk, "test")
    branch.refresh_from_db()
    assert branch.status == RunStatus.FINISHED
    assert len(holding.asked) == before + 1 and holding.asked[-1].grammar
