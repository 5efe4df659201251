"""Two steps beside each other, blind: what waits, on which side each stands, what is said, and what it adds up to."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from tests.pages.markup import dangers
from tests.pages.telling import FIRST, MENDED
from tests.review.desk_runs import correction_of, failed_run, problem
from tests.review.test_desk import queue, signed_in, waiting
from training.desk import acceptance, preferences
from training.desk.rows import row
from training.models import DatasetRow, DatasetVersion, Example
from trajectories import eventlog, events
from trajectories.desk import pairs
from trajectories.desk.models import Choice, Preference, ReviewQueue
from trajectories.desk.pairs import Pair
from trajectories.models import Judgement, Run, RunStatus, Step

pytestmark = pytest.mark.django_db


def say(client: Client, saying: str, run: Run, step: int, other: str, **more: Any) -> dict[str, Any]:
    body = {
        "say": saying, "run": run.pk, "step": step, "other": other, "key": uuid.uuid4().hex, "queue": "a-or-b", **more,
    }  # fmt: skip
    answer = client.post("/review/say/", json.dumps(body), content_type="application/json")
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def pair(branch: Run, at: int = 3) -> Pair:
    assert branch.branch_of is not None
    this = Step.objects.select_related("run__problem").get(run=branch, number=at)
    return Pair(this, Step.objects.select_related("run__problem").get(run=branch.branch_of, number=at))


def prefer(branch: Run, choice: Choice, actor: str = "anna", at: int = 3) -> None:
    pairs.prefer(pair(branch, at), choice, actor=actor)


def test_a_changed_step_waits_beside_the_original_until_somebody_prefers_one(client: Client) -> None:
    parent = failed_run()
    branch = correction_of(parent)
    assert waiting("a-or-b") == [f"{branch.pk}-3"]
    html = client.get("/review/?queue=a-or-b").content.decode()
    assert dangers(html) == [] and "What both were asked" in html and 'aria-keyshortcuts="ArrowLeft"' in html
    answer = say(client, "prefer:left", branch, 3, f"{parent.pk}-3")
    assert (answer["sentence"], answer["left"], answer["done"]) == ("Left preferred", 0, 1)
    said = Preference.objects.get()
    assert (said.run, said.other, said.step, said.other_step) == (branch, parent, 3, 3)
    assert (said.actor, said.role, said.name, said.other_name) == (
        "reviewer", "coding", "edited answer", "original",
    )  # fmt: skip
    about = pair(branch)
    assert said.choice == (Choice.THIS if about.on_left else Choice.OTHER) and said.on_left == about.on_left
    assert said.judgement.value["other"] == {"run": parent.request_id, "step": 3}


def test_nothing_on_the_page_says_which_side_is_which_before_the_reader_has_chosen(client: Client) -> None:
    parent = failed_run()
    branch = correction_of(parent)
    address = f"/review/items/{branch.pk}/3/?queue=a-or-b"
    blind = client.get(address).content.decode()
    shown = blind.split('<section class="panel">', 1)[1]
    for telling in ("edited answer", "original", "Original", "Wrong answer", "Accepted", "/runs/", "anna"):
        assert telling not in shown
    say(client, "prefer:equal", branch, 3, f"{parent.pk}-3")
    told = client.get(address).content.decode()
    assert "edited answer" in told and f"/runs/{parent.pk}/#s3" in told and f"/runs/{branch.pk}/#s3" in told
    assert 'value="prefer:equal" aria-keyshortcuts="=" aria-pressed="true"' in told


def test_the_sides_are_drawn_once_for_each_pair_and_both_happen() -> None:
    parent = failed_run()
    drawn = [pair(correction_of(parent)).on_left for _ in range(24)]
    assert {True, False} == set(drawn)
    branch = correction_of(parent)
    assert len({pair(branch).on_left for _ in range(5)}) == 1
    about = pair(branch)
    assert {about.left, about.right} == {about.this, about.other}
    assert {about.choice("left"), about.choice("right")} == {Choice.THIS, Choice.OTHER}


def test_a_skipped_pair_leaves_the_readers_queue_and_no_one_elses() -> None:
    branch = correction_of(failed_run())
    prefer(branch, Choice.SKIP, "anna")
    assert waiting("a-or-b", "anna") == [] and waiting("a-or-b", "ben") == [f"{branch.pk}-3"]
    prefer(branch, Choice.OTHER, "ben")
    assert waiting("a-or-b", "carl") == []


def test_a_preference_is_taken_back_and_brought_back_as_everything_else_is() -> None:
    parent = failed_run()
    branch = correction_of(parent)
    client = signed_in("anna")
    say(client, "prefer:right", branch, 3, f"{parent.pk}-3")
    answer = say(client, "undo", branch, 3, "")
    assert answer["item"] == f"{branch.pk}-3" and "Took back the preference" in answer["sentence"]
    assert not Preference.objects.exists() and waiting("a-or-b") == [f"{branch.pk}-3"]
    say(client, "redo", branch, 3, "")
    assert Preference.objects.get().actor == "anna"
    assert [row.verb for row in Judgement.objects.order_by("seq")] == ["prefer", "undo", "undo"]


def test_a_second_word_on_a_pair_replaces_the_first_and_the_same_word_says_nothing() -> None:
    branch = correction_of(failed_run())
    prefer(branch, Choice.THIS)
    prefer(branch, Choice.THIS)
    prefer(branch, Choice.EQUAL)
    assert Judgement.objects.count() == 2 and Preference.objects.get().choice == Choice.EQUAL


def test_two_reviewers_of_a_pair_both_stand_and_hear_of_each_other_but_not_what_was_said() -> None:
    parent = failed_run()
    branch = correction_of(parent)
    say(signed_in("anna"), "prefer:left", branch, 3, f"{parent.pk}-3")
    answer = say(signed_in("ben"), "prefer:right", branch, 3, f"{parent.pk}-3")
    assert answer["met"] == "anna has judged this pair too: both stand"
    assert Preference.objects.count() == 2


def test_two_runs_of_one_problem_are_compared_by_their_last_programs() -> None:
    about = problem()
    first = failed_run(about, engine_name="small")
    second = failed_run(about, "print('<script>alert(2)</script>')", engine_name="large")
    failed_run(problem(2))  # its problem was solved once, so it has nothing beside it
    client = signed_in("anna")
    assert waiting("a-or-b-runs") == [f"{second.pk}-3"]
    html = client.get("/review/?queue=a-or-b-runs").content.decode()
    assert "alert(2)" in html and "What both were asked" not in html and dangers(html) == []
    say(client, "prefer:equal", second, 3, f"{first.pk}-3", queue="a-or-b-runs")
    said = Preference.objects.get()
    assert (said.name, said.other_name) == ("test-model, large", "test-model, small")
    assert waiting("a-or-b-runs") == []


def test_an_agent_of_choice_is_compared_alone() -> None:
    about = problem()
    failed_run(about)
    second = failed_run(about)
    client = signed_in("anna")
    html = client.get("/review/?filter=&pick=runs&agent=planning").content.decode()
    assert f'data-key="{second.pk}-2"' in html and "word for word" in html


def test_what_cannot_be_compared_is_refused_with_a_sentence(client: Client) -> None:
    parent = failed_run()
    branch, stranger = correction_of(parent), failed_run(problem(2))
    for other, why in (
        (f"{branch.pk}-3", "cannot be compared with itself"),
        (f"{stranger.pk}-3", "different problems"),
        (f"{parent.pk}-77", "has no step 77"),
        ("", "has no step 0"),
    ):
        body = {"say": "prefer:left", "run": branch.pk, "step": 3, "other": other}
        answer = client.post("/review/say/", json.dumps(body), content_type="application/json")
        assert answer.status_code == 400 and why in answer.json()["error"]
    body = {"say": "prefer:both", "run": branch.pk, "step": 3, "other": f"{parent.pk}-3"}
    assert "is one of left, right" in client.post("/review/say/", body).content.decode()
    assert client.get(f"/review/items/{parent.pk}/3/?queue=a-or-b").status_code == 404
    assert not Judgement.objects.exists()


def test_a_preference_over_a_run_that_is_not_here_stays_in_the_log_alone() -> None:
    run = failed_run()
    value = {
        "choice": "this", "other": {"run": "elsewhere", "step": 3}, "left": "this", "role": "coding",
        "names": ["edited answer", "original"],
    }  # fmt: skip
    said = events.Judged(key="k", step=3, verb="prefer", source="human", actor="anna", value=value)
    eventlog.append_unowned(run.pk, said, when=[RunStatus.FINISHED])
    assert Judgement.objects.get().verb == "prefer" and not Preference.objects.exists()
    with pytest.raises(ValueError, match="choice"):
        events.parse("judged", said.model_dump() | {"value": value | {"choice": "best"}})


def test_the_report_counts_each_pair_once_with_an_interval_and_an_exact_p(client: Client) -> None:
    assert "No pair has been judged" in client.get("/review/preferences/").content.decode()
    parent = failed_run()
    for _ in range(6):
        prefer(correction_of(parent), Choice.THIS)
    branch = correction_of(parent)
    prefer(branch, Choice.THIS, "anna")
    prefer(branch, Choice.OTHER, "ben")  # even: a tie
    prefer(correction_of(parent), Choice.SKIP)
    (row,) = preferences.report().rows
    assert (row.role, row.first, row.second) == ("coding", "edited answer", "original")
    assert (row.wins, row.ties, row.losses, row.n, len(row.problems)) == (6, 1, 0, 7, 1)
    assert row.p == pytest.approx(2 / 2**6) and 0.60 < row.share.low < 0.62
    html = client.get("/review/preferences/").content.decode()
    assert "8 judgements by 2 people, 1 skipped" in html and "0.031" in html and "of 6" in html
    assert dangers(html) == []


def test_the_same_two_sides_are_one_row_whichever_ran_first() -> None:
    about = problem()
    runs = [failed_run(about, engine_name=name) for name in ("small", "large", "small")]
    for this, other in ((runs[1], runs[0]), (runs[2], runs[1])):
        newer, older = (
            Step.objects.select_related("run__problem").get(run=run, number=3) for run in (this, other)
        )
        pairs.prefer(Pair(newer, older), Choice.THIS, actor="anna")
    (row,) = preferences.report().rows
    assert (row.wins, row.losses) == (1, 1) and row.p == 1.0


def refused(run: Run) -> str:
    return row(run, Step.objects.get(run=run, number=3)).refused


def test_a_blind_preference_decides_which_half_of_a_training_pair_is_refused() -> None:
    parent = failed_run()
    branch = correction_of(parent)
    original, changed = (f"```python\n{code}\n```" for code in (FIRST, MENDED))
    assert (refused(branch), refused(parent)) == (original, "")
    prefer(branch, Choice.THIS, "anna")
    assert (refused(branch), refused(parent)) == (original, "")
    prefer(branch, Choice.OTHER, "anna")
    assert (refused(branch), refused(parent)) == ("", changed)
    prefer(branch, Choice.THIS, "ben")  # even
    assert (refused(branch), refused(parent)) == ("", "")
    prefer(branch, Choice.SKIP, "anna")
    assert (refused(branch), refused(parent)) == (original, "")


def test_of_several_changes_that_lost_the_newest_is_the_refused_half() -> None:
    parent = failed_run()
    older, newer = correction_of(parent), correction_of(parent, verdict="WA")
    for branch in (newer, older):
        prefer(branch, Choice.OTHER)
    assert MENDED not in refused(parent) and refused(parent).strip().startswith("```python")


def test_accepting_the_preferred_original_makes_the_pair_and_a_frozen_row_keeps_its_own() -> None:
    parent = failed_run()
    branch = correction_of(parent)
    step = Step.objects.select_related("run__problem").get(run=parent, number=3)
    acceptance.accept(parent, step, actor="anna", confirmed=True)
    assert Example.objects.get().refused == ""
    prefer(branch, Choice.OTHER)
    acceptance.accept(parent, step, actor="ben", confirmed=True)
    made = Example.objects.get()
    assert "a + b" in made.refused and "a - b" in made.answer
    version = DatasetVersion.objects.create(role="coding", number=1, request_id="v1")
    DatasetRow.objects.create(version=version, position=0, example=made, split="train")
    prefer(branch, Choice.EQUAL)
    acceptance.accept(parent, step, actor="carl", confirmed=True)
    assert Example.objects.get().refused == made.refused


@given(st.lists(st.sampled_from([Choice.THIS, Choice.OTHER, Choice.EQUAL]), min_size=1, max_size=7))
def test_the_word_of_most_reviewers_counts_and_turning_the_pair_turns_it(said: list[Choice]) -> None:
    turned = {Choice.THIS: Choice.OTHER, Choice.OTHER: Choice.THIS, Choice.EQUAL: Choice.EQUAL}
    one = preferences.majority([Preference(choice=choice) for choice in said])
    other = preferences.majority([Preference(choice=turned[choice]) for choice in said])
    assert one == -other
    if said.count(Choice.THIS) > len(said) / 2:
        assert one == preferences.WINS


def test_a_lab_has_both_queues_of_pairs() -> None:
    assert queue("a-or-b").pick.paired and queue("a-or-b-runs").pick.paired
    assert ReviewQueue.objects.filter(blind=True, slug__startswith="a-or-b").count() == 2
