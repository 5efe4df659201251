"""Replays of a change say how often it flips the verdict, once, and that is evidence of blame."""

from __future__ import annotations

import pytest
from django.test import Client

from solver import replays, runs
from solver.branches import BranchRefused
from solver.change import Change
from tests.pages.markup import dangers
from tests.runs.conftest import RIGHT, WRONG, Scripted
from tests.runs.test_branches import failed_run, step_of
from trajectories.models import Blame, Judgement, Problem, Run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def unpublished(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("solver.runs.publish", lambda run: None)


def execute(started: list[Run]) -> None:
    for run in started:
        assert runs.execute(run.pk, "test")
        replays.run_ended(run.pk)


def test_the_share_of_flips_is_stored_once_when_the_last_replay_has_ended(
    engine: Scripted, problem: Problem
) -> None:
    parent = failed_run(engine, problem)
    at = step_of(parent, "coding")
    started = replays.start(parent, Change(at, "edit", RIGHT, actor="anna"), 3)
    execute(started[:2])
    assert not Blame.objects.exists()
    execute(started[2:])
    stands = Blame.objects.get(run=parent)
    assert (stands.source, stands.agent, stands.step, stands.flips, stands.trials) == (
        "replay",
        "coding",
        at,
        3,
        3,
    )
    assert replays.settle(parent) == 0
    assert Judgement.objects.filter(run=parent).count() == 1


def test_replays_that_never_flip_clear_the_agent(engine: Scripted, problem: Problem) -> None:
    parent = failed_run(engine, problem)
    execute(replays.start(parent, Change(step_of(parent, "coding"), "edit", WRONG), 2))
    stands = Blame.objects.get(run=parent)
    assert (stands.agent, stands.flips, stands.trials) == ("none", 0, 2)


def test_another_change_is_evidence_of_its_own(engine: Scripted, problem: Problem) -> None:
    parent = failed_run(engine, problem)
    execute(replays.start(parent, Change(step_of(parent, "coding"), "edit", RIGHT), 1))
    execute(replays.start(parent, Change(step_of(parent, "debugging"), "edit", WRONG), 1))
    assert sorted(Blame.objects.values_list("agent", flat=True)) == ["coding", "none"]


def test_a_settlement_that_a_killed_worker_owed_is_made_up(engine: Scripted, problem: Problem) -> None:
    parent = failed_run(engine, problem)
    (branch,) = replays.start(parent, Change(step_of(parent, "coding"), "edit", RIGHT), 1)
    assert runs.execute(branch.pk, "test")
    replays.settle_missed()
    assert Blame.objects.filter(run=parent, flips=1).exists()


def test_how_often_is_bounded(engine: Scripted, problem: Problem) -> None:
    parent = failed_run(engine, problem)
    for times in (0, 21):
        with pytest.raises(BranchRefused, match="1 to 20 times"):
            replays.start(parent, Change(step_of(parent, "coding"), "edit", RIGHT), times)


def test_the_form_starts_replays_once_and_the_page_shows_what_they_lead_to(
    client: Client, engine: Scripted, problem: Problem
) -> None:
    parent = failed_run(engine, problem)
    at = step_of(parent, "coding")
    url = f"/runs/{parent.pk}/steps/{at}/replays/"
    assert "return" in client.get(url).content.decode() or "print" in client.get(url).content.decode()
    form = {"kind": "edit", "text": RIGHT, "times": "2", "key": "k" * 32}
    for _ in range(2):
        assert client.post(url, form).status_code == 302
    assert parent.branches.count() == 2
    execute(list(parent.branches.order_by("pk")))
    html = client.get(url).content.decode()
    assert "2 of 2 flip, 95 % interval" in html and "flips the verdict in 2 of 2" in html
    assert "data-busy" not in html and dangers(html) == []
    run_page = client.get(f"/runs/{parent.pk}/").content.decode()
    assert "2 replays, 2 flip" in run_page
    branch = parent.branches.first()
    assert branch is not None
    own = client.get(f"/runs/{branch.pk}/").content.decode()
    assert "It flips the verdict." in own and f"/runs/{parent.pk}/#s{at}" in own


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"kind": "edit", "text": " "}, "The change is empty"),
        ({"kind": "models"}, "Name the model of at least one agent"),
        ({"kind": "engine"}, "Name the engine"),
        ({"kind": "engine", "engine": "nowhere"}, "nowhere"),
        ({"kind": "edit", "text": "x", "times": "99"}, "1 to 20 times"),
        ({"kind": "edit", "text": "x", "times": "many"}, "should be a number"),
        ({"kind": "magic"}, "no change of the kind"),
    ],
)
def test_a_senseless_form_is_refused_in_a_sentence_and_keeps_what_was_typed(
    client: Client, engine: Scripted, problem: Problem, form: dict[str, str], sentence: str
) -> None:
    parent = failed_run(engine, problem)
    answer = client.post(f"/runs/{parent.pk}/steps/{step_of(parent, 'coding')}/replays/", form)
    assert answer.status_code == 422 and sentence in answer.content.decode()
    assert not parent.branches.exists()


def test_a_run_that_cannot_be_replayed_says_why(client: Client, engine: Scripted, problem: Problem) -> None:
    parent = failed_run(engine, problem)
    judge = client.get(f"/runs/{parent.pk}/steps/{step_of(parent, 'judge')}/replays/").content.decode()
    assert "the judge&#x27;s" in judge and "<textarea" not in judge
