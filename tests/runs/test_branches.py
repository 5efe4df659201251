"""A branch is its parent up to a step: nothing before it is asked or paid again, everything after it is done anew."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from solver import branches, runs
from solver.change import Change
from solver.engines.digests import adapter_digest
from solver.engines.prices import Price
from solver.engines.protocol import Role
from solver.engines.spec import EngineSpec
from solver.models import Engine, ServedAdapter
from solver.prices.models import PriceRow
from tests.runs.conftest import RIGHT, WRONG, Scripted
from trajectories import eventlog
from trajectories.models import Problem, Run, Step

pytestmark = pytest.mark.django_db(transaction=True)


def failed_run(engine: Scripted, problem: Problem) -> Run:
    engine.answers[Role.CODING] = engine.answers[Role.DEBUGGING] = WRONG
    run = runs.start(problem, engine="scripted", params={"k": 1, "t": 1}, publish_to_workers=False)
    assert runs.execute(run.pk, "test")
    run.refresh_from_db()
    assert run.verdict == "WA"
    return run


def step_of(run: Run, role: str) -> int:
    return Step.objects.filter(run=run, role=role).values_list("number", flat=True)[0]


def replay(run: Run, change: Change, **options: str) -> Run:
    branch = branches.start(run, change, publish_to_workers=False, **options)
    assert runs.execute(branch.pk, "test")
    branch.refresh_from_db()
    return branch


def test_an_edited_program_is_judged_without_asking_anybody(engine: Scripted, problem: Problem) -> None:
    parent = failed_run(engine, problem)
    engine.asked.clear()
    branch = replay(parent, Change(step_of(parent, "coding"), "edit", RIGHT, actor="anna"))
    assert (branch.verdict, branch.branch_of_id, engine.asked) == ("AC", parent.pk, [])
    parent.refresh_from_db()
    assert parent.verdict == "WA"
    finished = [e.payload for e in eventlog.read_all(branch.pk) if e.kind == "step.finished"]
    assert finished[-1]["model"] == "edited by anna" and finished[-1]["parse"]["usable"]


def test_feedback_reaches_the_blamed_agent_alone_and_what_follows_is_done_again(
    engine: Scripted, problem: Problem
) -> None:
    parent = failed_run(engine, problem)
    engine.asked.clear()
    engine.answers[Role.CODING] = RIGHT
    at = step_of(parent, "planning")
    branch = replay(
        parent, Change(at, "feedback", "Add the numbers, do not subtract them.", actor="supervisor")
    )
    assert branch.verdict == "AC"
    assert [request.role for request in engine.asked] == [Role.PLANNING, Role.CONFIDENCE, Role.CODING]
    assert "do not subtract" in engine.asked[0].messages[0].content
    assert all("do not subtract" not in r.messages[0].content for r in engine.asked[1:])


def test_models_change_from_the_step_on_and_not_before(engine: Scripted, problem: Problem) -> None:
    parent = failed_run(engine, problem)
    engine.asked.clear()
    replay(parent, Change(step_of(parent, "coding"), "models", models={"coding": "other"}))
    assert (engine.asked[0].role, engine.asked[0].model) == (Role.CODING, "other")


def test_a_branch_changes_to_an_adapter_that_was_promoted_since_or_retired(
    engine: Scripted, problem: Problem, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    parent = failed_run(engine, problem)
    (tmp_path / "adapter_model.safetensors").write_bytes(b"weights")
    digest = str(adapter_digest(tmp_path))
    name = f"coding@{digest[:12]}"
    ServedAdapter.objects.create(
        engine="scripted", role="coding", name=name, folder=str(tmp_path), digest=digest
    )
    opened: list[EngineSpec] = []

    def open_engine(spec: EngineSpec) -> Scripted:
        opened.append(spec)
        return engine

    monkeypatch.setattr(runs, "open_engine", open_engine)
    replay(parent, Change(step_of(parent, "coding"), "models", models={"coding": name}))
    assert opened[0].adapters == {name: str(tmp_path)}
    replay(parent, Change(step_of(parent, "coding"), "again"))
    assert opened[1].adapters == {}


def test_a_branch_counts_only_what_it_asked_itself(engine: Scripted, problem: Problem) -> None:
    parent = failed_run(engine, problem)
    branch = replay(parent, Change(step_of(parent, "coding"), "edit", RIGHT))
    assert (parent.calls, branch.calls, branch.prompt_tokens) == (5, 1, 0)
    seqs = [event.seq for event in eventlog.read_all(branch.pk)]
    assert seqs == list(range(1, branch.last_seq + 1))


def test_a_branch_costs_only_what_it_asked_itself(engine: Scripted, problem: Problem) -> None:
    price = Price.parse({"input": "1", "output": "2"})
    PriceRow.objects.create(table="scripted", **price.model_dump())
    parent = failed_run(engine, problem)
    call = Decimal("0.00002")
    assert (parent.cost, parent.currency) == (5 * call, "USD")
    edited = replay(parent, Change(step_of(parent, "debugging"), "edit", RIGHT))
    assert (edited.calls, edited.cost, edited.saved) == (1, Decimal(0), Decimal(0))
    asked = replay(parent, Change(step_of(parent, "coding"), "again"))
    assert (asked.calls, asked.cost) == (2, 2 * call)


def test_the_same_request_starts_one_branch(engine: Scripted, problem: Problem) -> None:
    parent = failed_run(engine, problem)
    change = Change(step_of(parent, "coding"), "edit", RIGHT)
    first = branches.start(parent, change, request_id="once", publish_to_workers=False)
    again = branches.start(parent, change, request_id="once", publish_to_workers=False)
    assert first.pk == again.pk and parent.branches.count() == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (Change(99, "edit", "x"), "has no step 99"),
        (Change(4, "edit", "  "), "The change is empty"),
        (Change(5, "edit", "x"), "is the judge's"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused_with_a_sentence(
    engine: Scripted, problem: Problem, change: Change, sentence: str
) -> None:
    parent = failed_run(engine, problem)
    with pytest.raises(branches.BranchRefused, match=sentence):
        branches.start(parent, change)
    assert parent.branches.count() == 0


def test_another_engine_answers_one_step_and_the_rest_is_the_runs_own(
    engine: Scripted, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent = failed_run(engine, problem)
    spec = {"name": "teacher", "kind": "recorded", "label": "Teacher", "recordings": ["none.jsonl"]}
    Engine.objects.create(name="teacher", spec=spec)
    teacher = Scripted()
    teacher.answers[Role.PLANNING] = "1. A better plan."
    both = {"scripted": engine, "teacher": teacher}
    monkeypatch.setattr(runs, "open_engine", lambda spec: both[spec.name])
    asked = len(engine.asked)
    branch = branches.start(parent, Change(2, "engine", engine="teacher"), publish_to_workers=False)
    assert runs.execute(branch.pk, "test")
    assert [request.role for request in teacher.asked] == [Role.PLANNING]
    assert Role.PLANNING not in {request.role for request in engine.asked[asked:]}
    assert "A better plan." in engine.asked[-1].messages[0].content
    assert branch.engine["guest"]["name"] == "teacher"


def test_a_step_is_drawn_again_without_any_other_change(engine: Scripted, problem: Problem) -> None:
    parent = failed_run(engine, problem)
    first = next(request for request in engine.asked if request.role is Role.PLANNING)
    branch = branches.start(parent, Change(2, "again", temperature=0.7, draw=3), publish_to_workers=False)
    asked = len(engine.asked)
    assert runs.execute(branch.pk, "test")
    again = engine.asked[asked]
    assert again.messages == first.messages
    assert again.sampling.temperature == 0.7 and again.sampling.seed != first.sampling.seed


def test_an_engine_that_is_not_there_is_refused(engine: Scripted, problem: Problem) -> None:
    parent = failed_run(engine, problem)
    with pytest.raises(branches.BranchRefused, match="there is no engine 'nobody'"):
        branches.start(parent, Change(2, "engine", engine="nobody"))
