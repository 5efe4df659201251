"""Replays of a change say how often it flips the verdict, once, and that is evidence of blame."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.test import Client

from solver import branches, replays, runs
from solver.branches import BranchRefused
from solver.change import Change
from solver.engines.protocol import Role
from tests.pages.markup import dangers
from tests.runs.conftest import RIGHT, WRONG, Scripted
from tests.runs.test_branches import failed_run, step_of
from trajectories import opinions
from trajectories.models import Blame, Judgement, Problem, Run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def unpublished(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("solver.runs.publish", lambda run: None)


def execute(started: list[Run]) -> None:
    for run in started:
        assert runs.execute(run.pk, "test")
        replays.run_ended(run.pk)


def mended_plan(engine: Scripted, parent: Run) -> Change:
    """A change after which the coder is asked, and writes what passes."""
    engine.answers[Role.CODING] = RIGHT
    return Change(step_of(parent, "planning"), "edit", "1. Add both.", actor="anna")


def test_the_share_of_flips_is_stored_once_when_the_last_replay_has_ended(
    engine: Scripted, problem: Problem
) -> None:
    parent = failed_run(engine, problem)
    change = mended_plan(engine, parent)
    started = replays.start(parent, change, 3)
    execute(started[:2])
    assert not Blame.objects.exists()
    execute(started[2:])
    stands = Blame.objects.get(run=parent)
    assert (stands.source, stands.agent, stands.step, stands.flips, stands.trials) == (
        "replay",
        "planning",
        change.at,
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


def draws(parent: Run) -> list[tuple[float | None, int]]:
    return [(run.branch["temperature"], run.branch["draw"]) for run in parent.branches.order_by("pk")]


def test_further_replays_of_a_change_draw_what_none_has_drawn(engine: Scripted, problem: Problem) -> None:
    """The same seeds again would give the same answers, and an interval over them would be too narrow."""
    parent = failed_run(engine, problem)
    edit = Change(step_of(parent, "coding"), "edit", RIGHT)
    for times in (1, 2, 1):
        execute(replays.start(parent, edit, times))
    assert draws(parent) == [(None, 0), (0.7, 1), (0.7, 2), (0.7, 3)]
    Run.objects.filter(pk=parent.branches.get(branch__draw=2).pk).update(verdict="IE")
    (again,) = replays.start(parent, edit, 1)
    assert again.branch["draw"] == 2, "the judge was away: nothing was learnt from this draw"
    (other,) = replays.start(parent, Change(step_of(parent, "coding"), "edit", WRONG), 1)
    assert other.branch["draw"] == 0, "of another change nothing was drawn yet"


def test_the_same_request_again_draws_nothing(engine: Scripted, problem: Problem) -> None:
    parent = failed_run(engine, problem)
    edit = Change(step_of(parent, "coding"), "edit", RIGHT)
    for times in (1, 3):
        first = replays.start(parent, edit, times, request_id=f"form-{times}")
        assert replays.start(parent, edit, times, request_id=f"form-{times}") == first
    assert len(draws(parent)) == 4


def test_drawing_again_begins_with_a_draw(engine: Scripted, problem: Problem) -> None:
    parent = failed_run(engine, problem)
    replays.start(parent, Change(step_of(parent, "coding"), "again"), 2)
    assert draws(parent) == [(0.7, 1), (0.7, 2)]


def test_a_draw_is_one_trial_however_many_branches_have_it(engine: Scripted, problem: Problem) -> None:
    parent = failed_run(engine, problem)
    edit = mended_plan(engine, parent)
    execute([branches.start(parent, edit) for _ in range(3)])
    execute([branches.start(parent, replace(edit, temperature=0.7, draw=1))])
    (found,) = opinions.group(parent, opinions.branches(parent.pk))
    assert (len(found.branches), len(found.ended), found.flips, found.repeated) == (4, 2, 2, 2)
    assert (Blame.objects.get(run=parent).flips, Blame.objects.get(run=parent).trials) == (2, 2)
    page = Client().get(f"/runs/{parent.pk}/steps/{edit.at}/replays/").content.decode()
    assert "2 of 2 flip" in page and "2 not counted, for they could only say the same again" in page


def test_replays_in_which_nobody_is_asked_are_one_trial(engine: Scripted, problem: Problem) -> None:
    """The corrected program itself is judged in each of them, and nothing about it is chance."""
    parent = failed_run(engine, problem)
    execute(replays.start(parent, Change(step_of(parent, "coding"), "edit", RIGHT), 4))
    stands = Blame.objects.get(run=parent)
    assert (stands.agent, stands.flips, stands.trials) == ("coding", 1, 1)


def test_a_replay_whose_judge_failed_is_no_trial(engine: Scripted, problem: Problem) -> None:
    parent = failed_run(engine, problem)
    first, second = replays.start(parent, mended_plan(engine, parent), 2)
    execute([first])
    Run.objects.filter(pk=second.pk).update(status="finished", verdict="IE")
    replays.run_ended(second.pk)
    stands = Blame.objects.get(run=parent)
    assert (stands.flips, stands.trials) == (1, 1)


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
    assert "1 of 1 flip, 95 % interval" in html and "flips the verdict in 1 of 1" in html
    assert "1 not counted, for it could only say the same again" in html
    assert "data-busy" not in html and dangers(html) == []
    run_page = client.get(f"/runs/{parent.pk}/").content.decode()
    assert "2 replays, 1 flip" in run_page
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
