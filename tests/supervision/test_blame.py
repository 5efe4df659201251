"""Blame without an opinion: what redoing each agent shows, and what the rule suspects."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from solver import runs
from solver.engines.protocol import ChatRequest, EngineUnreachable, Role
from tests.runs.conftest import RIGHT, WRONG, Scripted
from tests.supervision.conftest import failed_run
from training import blame
from training.blame import Redone, most_gained
from trajectories.models import Blame, Problem, Run

pytestmark = pytest.mark.django_db(transaction=True)


def replay(run: Run, draws: int = 2) -> Blame:
    blame.start_replays(run, draws, publish_to_workers=False)
    assert blame.by_replay(run) is None
    for pk in Run.objects.filter(status="queued").values_list("pk", flat=True):
        assert runs.execute(pk, "test")
    assert blame.settle_replays() == 1 and blame.settle_replays() == 0
    return Blame.objects.get(run=run, source="replay")


def test_the_coder_is_blamed_where_drawing_the_program_again_is_enough(
    engine: Scripted, problem: Problem
) -> None:
    run = failed_run(engine, problem, t=0)
    engine.answers[Role.CODING] = RIGHT
    found = replay(run)
    assert (found.agent, found.step, found.flips, found.trials) == ("coding", 4, 2, 2)
    assert run.branches.count() == 6
    assert all(branch.branch["temperature"] == 0.7 for branch in run.branches.all())


def test_the_planner_is_blamed_where_only_another_plan_helps(engine: Scripted, problem: Problem) -> None:
    engine.answers[Role.PLANNING] = "1. Subtract."
    run = failed_run(engine, problem, t=0)
    engine.answers[Role.PLANNING] = "1. Add."

    def follow(request: ChatRequest) -> None:
        if request.role is Role.CODING:
            engine.answers[Role.CODING] = RIGHT if "1. Add." in request.messages[0].content else WRONG

    engine.before = follow
    assert replay(run).agent == "planning"


def test_a_replay_whose_engine_was_away_is_no_trial(engine: Scripted, problem: Problem) -> None:
    run = failed_run(engine, problem, t=0)
    engine.answers[Role.CODING] = RIGHT
    recalled: list[ChatRequest] = []

    def away_at_first(request: ChatRequest) -> None:
        if request.role is Role.RETRIEVAL:
            recalled.append(request)
            if len(recalled) == 1:
                raise EngineUnreachable("nobody answers")

    engine.before = away_at_first
    found = replay(run)
    assert (found.agent, found.flips, found.trials) == ("coding", 2, 2)
    told = {one.agent: (one.passed, one.trials) for one in blame.redone(run) or []}
    assert told == {"retrieval": (1, 1), "planning": (2, 2), "coding": (2, 2)}


def test_where_every_engine_was_away_nothing_is_known_and_nobody_named(
    engine: Scripted, problem: Problem
) -> None:
    run = failed_run(engine, problem, t=0)

    def away(request: ChatRequest) -> None:
        raise EngineUnreachable("nobody answers")

    engine.before = away
    blame.start_replays(run, 1, publish_to_workers=False)
    for pk in Run.objects.filter(status="queued").values_list("pk", flat=True):
        assert runs.execute(pk, "test")
    assert blame.settle_replays() == 0 and not Blame.objects.filter(run=run).exists()


def test_nobody_is_blamed_where_no_replay_passes(engine: Scripted, problem: Problem) -> None:
    found = replay(failed_run(engine, problem, t=0), draws=1)
    assert (found.agent, found.flips, found.trials) == ("none", 0, 3)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(0, 5), min_size=1, max_size=4))
def test_the_blamed_agent_is_one_whose_replays_passed_more_than_all_later_ones(passed: list[int]) -> None:
    told = [Redone(f"a{at}", at + 1, hits, 5) for at, hits in enumerate(passed)]
    found = most_gained(told)
    if not any(passed):
        assert found is None
        return
    assert found is not None and found.passed > max(
        (one.passed for one in told if one.step > found.step), default=0
    )


def test_the_rule_names_who_broke_the_format_first(engine: Scripted, problem: Problem) -> None:
    engine.answers[Role.RETRIEVAL] = "no xml at all"
    found = blame.rule(failed_run(engine, problem, t=0, retries=0))
    assert (found.agent, found.cause) == ("retrieval", "format_failure")


@pytest.mark.parametrize(
    ("plan", "program", "missing"),
    [
        ("1. Sort the list.\n2. Print the maximum.", "```python\na.sort()\nprint(a[-1])\n```", []),
        ("1. Sort the list.", "```python\nprint(a)\n```", ["sort"]),
        ("1. Add 7 to each.", "```python\na = [x + 5 for x in a]\n```", ["7"]),
        ("Count the even ones.", "```python\nprint(len([x for x in a if x % 2 == 0]))\n```", []),
    ],
)
def test_a_program_that_shows_no_trace_of_its_plan_is_noticed(
    plan: str, program: str, missing: list[str]
) -> None:
    assert blame.unplanned(plan, program) == missing


def test_the_rules_blame_is_recorded_beside_the_others(engine: Scripted, problem: Problem) -> None:
    run = failed_run(engine, problem, t=0)
    assert blame.by_rule(run) is not None and blame.by_rule(run) is None
    assert Blame.objects.get(run=run, source="rule").cause
