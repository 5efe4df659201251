"""Judgements are append-only, said once, and undone by name; what stands is a projection of them."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import claimed_run, step_finished, step_started
from trajectories import eventlog, review
from trajectories.events import RunFinished
from trajectories.models import Blame, Decision, Judgement, Run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run(transactional_db: None) -> Run:
    run, fence = claimed_run()
    ended = RunFinished(status="finished", reason="judged", verdict="WA")
    eventlog.append(run.pk, [step_started(1), step_finished(1), ended], fence=fence)
    run.refresh_from_db()
    return run


def blamed(run: Run, actor: str = "anna") -> str | None:
    found = Blame.objects.filter(run=run, actor=actor).first()
    return found.agent if found else None


def test_a_blame_is_an_event_of_the_run_and_stands_until_another_one(run: Run) -> None:
    review.blame(run, "planning", actor="anna", cause="missing constraint", step=1)
    review.blame(run, "coding", actor="anna", step=1)
    assert blamed(run) == "coding"
    said = list(Judgement.objects.filter(run=run))
    assert [j.value["agent"] for j in said] == ["planning", "coding"]
    assert said[1].before == said[0].value
    kinds = [event.kind for event in eventlog.read_all(run.pk)]
    assert kinds[-2:] == ["judged", "judged"]


def test_saying_what_already_stands_stores_nothing(run: Run) -> None:
    assert review.blame(run, "coding", actor="anna") is not None
    assert review.blame(run, "coding", actor="anna") is None
    assert review.accept(run, 1, actor="anna") is not None
    assert review.accept(run, 1, actor="anna") is None
    assert Judgement.objects.filter(run=run).count() == 2


def test_the_same_key_twice_is_one_judgement(run: Run) -> None:
    first = review.accept(run, 1, actor="anna", key="k1")
    again = review.reject(run, 1, actor="anna", code="format", key="k1")
    assert first is not None and again is not None and first.pk == again.pk
    assert Decision.objects.get(run=run).accepted


def test_undo_brings_back_what_stood_before_and_redo_the_judgement(run: Run) -> None:
    review.accept(run, 1, actor="anna")
    rejected = review.reject(run, 1, actor="anna", code="wrong plan")
    assert rejected is not None and not Decision.objects.get(run=run).accepted
    undone = review.undo(rejected, actor="anna")
    assert undone is not None and Decision.objects.get(run=run).accepted
    review.undo(undone, actor="anna")
    assert not Decision.objects.get(run=run).accepted
    assert review.undo(Judgement.objects.get(pk=undone.pk), actor="anna") is None


def test_two_reviewers_and_a_supervisor_stand_side_by_side(run: Run) -> None:
    review.blame(run, "coding", actor="anna")
    review.blame(run, "planning", actor="ravi")
    review.blame(run, "planning", actor="judge-model", source="supervisor", confidence=0.8)
    assert {(b.source, b.actor, b.agent) for b in Blame.objects.filter(run=run)} == {
        ("human", "anna", "coding"),
        ("human", "ravi", "planning"),
        ("supervisor", "judge-model", "planning"),
    }


def test_an_unknown_agent_or_step_is_refused_with_a_sentence(run: Run) -> None:
    with pytest.raises(review.Refused, match="There is no agent 'judge'"):
        review.blame(run, "judge", actor="anna")
    with pytest.raises(review.Refused, match="has no step 9"):
        review.accept(run, 9, actor="anna")
    with pytest.raises(review.Refused, match="needs some text"):
        review.comment(run, 1, "  ", actor="anna")
    assert not Judgement.objects.filter(run=run).exists()


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.sampled_from(["accept", "reject", "undo"]), max_size=8))
def test_undoing_everything_that_stands_leaves_no_decision(run: Run, verbs: list[str]) -> None:
    for verb in verbs:
        if verb == "accept":
            review.accept(run, 1, actor="anna")
        elif verb == "reject":
            review.reject(run, 1, actor="anna", code="x")
        elif last := Judgement.objects.filter(run=run).order_by("seq").last():
            review.undo(last, actor="anna")
    for judgement in Judgement.objects.filter(run=run, undone=False, verb__in=["accept", "reject"]):
        review.undo(judgement, actor="anna")
    assert not Decision.objects.filter(run=run).exists()
    seqs = [event.seq for event in eventlog.read_all(run.pk)]
    assert seqs == list(range(1, len(seqs) + 1))
