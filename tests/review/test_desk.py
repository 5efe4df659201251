"""The review desk as a browser without script uses it, and as its script does: queues, judging, undo, meetings."""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils.timezone import now

from tests.pages.markup import dangers
from tests.review.desk_runs import correction_of, failed_run, problem
from training.desk import rows
from training.models import Example, ExampleState, Way
from trajectories import review
from trajectories.desk import hands, history, presets, queues
from trajectories.desk.models import ReviewLease, ReviewQueue
from trajectories.models import Blame, Decision, Judgement, Run, Step, StepEvent

pytestmark = pytest.mark.django_db


def say(client: Client, saying: str, run: Run, step: int, **more: Any) -> dict[str, Any]:
    body = {"say": saying, "run": run.pk, "step": step, "key": uuid.uuid4().hex, "queue": "failed", **more}
    answer = client.post("/review/say/", json.dumps(body), content_type="application/json")
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def queue(slug: str) -> queues.Queue:
    presets.rows()
    return queues.stored(ReviewQueue.objects.get(slug=slug))


def waiting(slug: str, actor: str = "anna") -> list[str]:
    return [item.key for item in queues.items(queue(slug), actor)]


def signed_in(name: str) -> Client:
    client = Client()
    client.force_login(User.objects.get_or_create(username=name)[0])
    return client


def test_a_step_let_go_just_as_another_asks_for_it_is_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reviewer judges, which frees the step, between the look at their lease and the answer to the next reviewer."""
    run = failed_run()
    assert hands.take(run.pk, 3, "anna").mine
    create = hands._create

    def let_go_first(*asked: Any) -> bool:
        made = create(*asked)
        hands.release(run.pk, 3, "anna")
        return made

    monkeypatch.setattr(hands, "_create", let_go_first)
    held = hands.take(run.pk, 3, "ben")
    assert held.mine and held.holder == "ben" and not held.rival


def test_an_empty_lab_says_what_fills_each_queue(client: Client) -> None:
    for row in presets.rows():
        html = client.get(f"/review/?queue={row.slug}").content.decode()
        assert "Nothing waits" in html and "Start a run" in html and dangers(html) == []


def test_a_failed_run_waits_at_its_last_program_until_somebody_blames(client: Client) -> None:
    run = failed_run()
    assert waiting("failed") == [f"{run.pk}-3"]
    html = client.get("/review/").content.decode()
    assert "Desk problem 1" in html and 'data-key="' in html and dangers(html) == []
    answer = say(client, "blame:planning", run, 3)
    assert (answer["left"], answer["sentence"], answer["done"]) == (0, "Blamed planning", 1)
    assert waiting("failed") == []
    assert Blame.objects.get(run=run).agent == "planning"


def test_a_queue_shows_the_step_that_the_supervisor_blames(client: Client) -> None:
    run = failed_run()
    review.blame(
        run, "planning", actor="supervisor@1", source="supervisor", step=2, cause="constraint", confidence=0.86,
        reason="The plan forgets it [plan:2]; see [nowhere:3].",
    )  # fmt: skip
    assert waiting("unconfirmed") == [f"{run.pk}-2"]
    html = client.get("/review/?queue=unconfirmed").content.decode()
    assert "constraint 0.86" in html
    assert f'<a class="cite" data-agent="planning" href="/runs/{run.pk}/#s2-L2">plan:2</a>' in html
    assert '<span class="cite bad" title="There is no such step">nowhere:3</span>' in html
    assert "blame guess" in html


def test_an_accepted_correction_becomes_a_pair_with_the_agents_own_prompt(client: Client) -> None:
    parent = failed_run()
    branch = correction_of(parent)
    assert waiting("corrections") == [f"{branch.pk}-3"]
    answer = say(client, "accept", branch, 3, queue="corrections")
    assert not answer["held"] and "Accepted, row" in answer["sentence"]
    example = Example.objects.get()
    assert (example.state, example.way, example.role) == (ExampleState.ACCEPTED, Way.HUMAN, "coding")
    assert (example.run, example.step, example.origin_run, example.origin_step) == (branch, 3, parent, 3)
    assert "a + b" in example.answer and "a - b" in example.refused
    assert example.messages == [{"role": "user", "content": "Write the program."}]
    assert waiting("corrections") == []


def test_no_word_of_a_supervisor_is_in_a_row_whichever_branch_of_a_revision_it_is_accepted_from() -> None:
    """A revision by feedback whose answer a person mends on, at the same step or at a later one."""
    parent = failed_run()
    revision = correction_of(parent, kind="feedback", verdict="WA")
    mended, later = correction_of(revision), correction_of(revision, at=4)
    asked = [
        {
            "role": "user",
            "content": "Write the program.\n\n## Review of your earlier answer\nAdd, do not subtract.",
        }
    ]
    for run in (revision, later):  # the one asked so, the other holds a copy of it
        started = StepEvent.objects.get(run=run, step=3, kind="step.started")
        started.payload["messages"] = asked
        started.save()
    for run, way in ((revision, Way.SUPERVISOR), (mended, Way.HUMAN), (later, Way.SUPERVISOR)):
        made = rows.row(run, Step.objects.get(run=run, number=3))
        assert made.messages == [{"role": "user", "content": "Write the program."}]
        assert (made.way, made.origin_run, made.origin_step) == (way, parent, 3)
    plan = rows.row(parent, Step.objects.get(run=parent, number=2))
    assert (plan.way, plan.origin_run) == (Way.TEACHER, None)


def test_a_red_flag_holds_the_accept_open_until_it_is_asked_for_again(client: Client) -> None:
    kept = problem(2, split="test", licence="CC BY-NC 4.0")
    run = failed_run(kept)
    answer = say(client, "accept", run, 3)
    assert answer["held"] and not Example.objects.exists() and not Decision.objects.exists()
    for words in ("test split", "licence may forbid", "does not pass"):
        assert words in answer["toast"], words
    assert not say(client, "accept", run, 3, confirmed=True)["held"]
    assert Example.objects.get().state == ExampleState.ACCEPTED


def test_a_near_duplicate_is_flagged_with_the_row_it_is_like(client: Client) -> None:
    for number in (1, 2):
        parent = failed_run(problem(number))
        branch = correction_of(parent)
        answer = say(client, "accept", branch, 3, queue="corrections")
        if number == 1:
            assert not answer["held"]
        else:
            assert answer["held"] and "Word for word row" in answer["toast"]


def test_undo_and_redo_go_across_steps_and_take_the_rows_along(client: Client) -> None:
    first, second = correction_of(failed_run(problem(1))), failed_run(problem(2))
    say(client, "accept", first, 3)
    say(client, "blame:coding", second, 3)
    assert say(client, "undo", second, 3)["item"] == f"{second.pk}-3"
    assert not Blame.objects.exists()
    assert say(client, "undo", second, 3)["item"] == f"{first.pk}-3"
    assert Example.objects.get().state == ExampleState.WITHDRAWN and not Decision.objects.exists()
    assert say(client, "undo", second, 3)["sentence"] == "Nothing to undo"
    assert say(client, "redo", second, 3)["item"] == f"{first.pk}-3"
    assert Example.objects.get().state == ExampleState.ACCEPTED
    assert say(client, "redo", second, 3)["item"] == f"{second.pk}-3"
    assert Blame.objects.get().agent == "coding"
    assert say(client, "redo", second, 3)["sentence"] == "Nothing to redo"


def test_something_new_ends_what_can_be_brought_back(client: Client) -> None:
    run, other = failed_run(problem(1)), failed_run(problem(2))
    say(client, "blame:coding", run, 3)
    say(client, "undo", run, 3)
    say(client, "blame:planning", other, 3)
    assert say(client, "redo", run, 3)["sentence"] == "Nothing to redo"


def test_the_same_key_twice_says_and_undoes_nothing_twice(client: Client) -> None:
    run, other = failed_run(problem(1)), failed_run(problem(2))
    say(client, "blame:coding", other, 3)
    for _ in range(2):
        say(client, "blame:planning", run, 3, key="k-blame")
    for _ in range(2):
        say(client, "undo", run, 3, key="k-undo")
    assert not Blame.objects.filter(run=run).exists() and Blame.objects.filter(run=other).exists()


def test_what_was_said_by_somebody_else_than_who_is_signed_in_now_is_not_stored(client: Client) -> None:
    """The page waits with it until that person is back; nothing is refused for good, as a 400 would be."""
    body = {"say": "blame:planning", "run": failed_run().pk, "step": 3, "key": "k", "actor": "anna"}
    answer = client.post("/review/say/", json.dumps(body), content_type="application/json")
    assert answer.status_code == 403 and "reviewer, who is signed in now" in answer.json()["error"]
    assert not Judgement.objects.exists()
    body["actor"] = "reviewer"
    assert client.post("/review/say/", json.dumps(body), content_type="application/json").status_code == 200


def test_a_rejection_needs_a_reason_code(client: Client) -> None:
    run = failed_run()
    body = {"say": "reject", "run": run.pk, "step": 3, "key": "k"}
    refused = client.post("/review/say/", json.dumps(body), content_type="application/json")
    assert refused.status_code == 400 and "needs a reason" in refused.json()["error"]
    assert say(client, "reject:format", run, 3)["sentence"] == "Rejected: not in the agent's format"
    assert Decision.objects.get().code == "format"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("{", "no JSON"),
        ("[]", "JSON object"),
        ('{"say": "praise"}', "no verb"),
        ('{"say": "accept", "run": "x"}', "should be a number"),
        ('{"say": "accept", "run": 1, "step": 99}', "has no step"),
        ('{"say": "blame:chance", "run": 1, "step": 3}', "no agent"),
        ('{"say": "comment", "run": 1, "step": 3, "text": "a", "lines": [0]}', "first and the last line"),
        ('{"say": "rerun", "run": 1, "step": 3}', "no correction"),
        ('{"say": "accept", "run": 1, "step": 4}', "not trained on"),
    ],
)
def test_what_cannot_be_stored_is_refused_in_one_sentence(client: Client, body: str, sentence: str) -> None:
    run = failed_run()
    answer = client.post(
        "/review/say/", body.replace('"run": 1', f'"run": {run.pk}'), content_type="application/json"
    )
    assert answer.status_code == 400 and sentence in answer.json()["error"]
    assert not Judgement.objects.exists()


def test_the_desk_works_without_a_script(client: Client) -> None:
    run = failed_run()
    answer = client.post("/review/say/", {"say": "blame:coding", "run": run.pk, "step": 3, "queue": "failed"})
    assert answer.headers["Location"] == "/review/?queue=failed"
    held = client.post("/review/say/", {"say": "accept", "run": run.pk, "step": 3, "queue": "failed"})
    assert f"at={run.pk}-3&held=1" in held.headers["Location"]
    page = client.get(held.headers["Location"]).content.decode()
    assert 'name="confirmed" value="1"' in page and "does not pass" in page
    client.post("/review/say/", {"say": "accept", "run": run.pk, "step": 3, "confirmed": "1"})
    assert Example.objects.count() == 1


def test_a_correction_is_shown_against_the_original_and_can_be_accepted(client: Client) -> None:
    run = failed_run()
    say(client, "correct", run, 2, text="1. Read both.\n2. Print a + b.")
    html = client.get(f"/review/items/{run.pk}/2/?queue=failed").content.decode()
    assert "Correction" in html and "corrected by reviewer" in html and "Accept correction" in html
    assert "Nobody has run this correction" in say(client, "accept", run, 2)["toast"]
    say(client, "accept", run, 2, confirmed=True)
    example = Example.objects.get()
    assert (example.answer, example.refused) == (
        "1. Read both.\n2. Print a + b.",
        "1. Read both numbers.\n2. Print their sum.",
    )


def test_a_correction_is_shown_by_a_branch_of_its_own_run_alone(client: Client) -> None:
    """The numbers of runs that came from another lab are that lab's."""
    run, other = failed_run(problem(1)), failed_run(problem(2))
    stranger = correction_of(other)
    review.correct(run, 3, "print(3)", actor="anna", branch=stranger.pk)
    assert "Nobody has run this correction" in say(client, "accept", run, 3)["toast"]


def test_comments_stand_with_their_lines(client: Client) -> None:
    run = failed_run()
    say(client, "comment", run, 3, text="<b>minus?</b>", lines=[2, 1])
    html = client.get(f"/review/items/{run.pk}/3/?queue=failed").content.decode()
    assert "line 1–2" in html and "&lt;b&gt;minus?&lt;/b&gt;" in html


def test_two_reviewers_at_one_step_are_both_told() -> None:
    run = failed_run()
    anna, ben = signed_in("anna"), signed_in("ben")
    assert "yours until" in anna.get(f"/review/?queue=failed&at={run.pk}-3").content.decode()
    assert "anna reads this until" in ben.get(f"/review/?queue=failed&at={run.pk}-3").content.decode()
    renewed = anna.post(f"/review/items/{run.pk}/3/hold/").json()
    assert renewed["mine"] and "ben has opened it too" in renewed["html"]
    say(anna, "blame:planning", run, 3)
    assert "anna blames planning here: both stand" in say(ben, "blame:coding", run, 3)["met"]
    assert Blame.objects.filter(run=run).count() == 2


def test_a_lease_is_taken_once_and_free_again_after_it_ran_out() -> None:
    run = failed_run()
    assert hands.take(run.pk, 3, "anna").mine
    assert not hands.take(run.pk, 3, "ben").mine
    ReviewLease.objects.update(expires_at=now())
    taken = hands.take(run.pk, 3, "ben")
    assert taken.mine and taken.rival == ""
    assert not hands.take(run.pk, 3, "anna").mine


def test_a_blind_second_pass_hides_what_others_said_until_one_has_judged() -> None:
    run = failed_run()
    review.blame(
        run,
        "planning",
        actor="supervisor@1",
        source="supervisor",
        step=2,
        confidence=0.9,
        reason="Secret reason",
    )
    review.blame(run, "planning", actor="anna", step=2)
    ben = signed_in("ben")
    assert waiting("second-pass", "anna") == [] and waiting("second-pass", "ben") == [f"{run.pk}-2"]
    html = ben.get("/review/?queue=second-pass").content.decode()
    assert "Hidden until you have judged" in html
    assert "Secret reason" not in html and "anna" not in html and "0.90" not in html
    say(ben, "blame:coding", run, 2, queue="second-pass")
    shown = ben.get(f"/review/items/{run.pk}/2/?queue=second-pass").content.decode()
    assert "Secret reason" in shown and "<b>anna</b> blames planning" in shown
    assert waiting("second-pass", "ben") == waiting("second-pass", "carla") == []


def test_a_blind_second_pass_hides_corrections_and_replays_too() -> None:
    """Whoever sees the repaired program, or that repairing it flips the verdict, does not judge for themselves."""
    run = failed_run()
    review.blame(run, "coding", actor="anna", step=3)
    review.correct(run, 3, "```python\nprint('mended by anna')\n```", actor="anna")
    correction_of(run)
    review.blame(run, "coding", actor="replay", source="replay", step=3, flips=3, trials=3)
    ben, address = signed_in("ben"), f"/review/items/{run.pk}/3/?queue=second-pass"
    for page in (ben.get("/review/?queue=second-pass"), ben.get(address)):
        html = page.content.decode()
        assert "mended by anna" not in html and "corrected by" not in html
        assert "flips 3/3" not in html and "1 of 1 flip" not in html
    assert "Somebody has corrected this answer" in html
    say(ben, "blame:coding", run, 3, queue="second-pass")
    shown = ben.get(address).content.decode()
    assert "mended by anna" in shown and "corrected by anna" in shown and "1 of 1 flip" in shown


def test_a_filter_is_a_queue_and_can_be_kept(client: Client) -> None:
    run = failed_run()
    html = client.get("/review/?filter=is:failed tag:dp&pick=every&agent=planning").content.decode()
    assert f'data-key="{run.pk}-2"' in html and f'data-key="{run.pk}-3"' not in html
    kept = client.post(
        "/review/queues/",
        {"filter": "is:failed tag:dp", "pick": "every", "agent": "planning", "title": "Plans of dp"},
    )
    assert kept.headers["Location"] == "/review/?queue=plans-of-dp"
    assert [item.step.role for item in queues.items(queue("plans-of-dp"), "anna")] == ["planning"]
    bad = client.post("/review/queues/", {"filter": "tga:dp", "title": "x"})
    assert bad.status_code == 400 and "did you mean tag" in bad.content.decode()
    assert "did you mean tag" in client.get("/review/?filter=tga:dp").content.decode()


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """What the desk takes for now, with which no day ends while a test runs."""
    moment = now().replace(hour=12)
    monkeypatch.setattr(history, "now", lambda: moment)
    return moment


def test_a_day_is_counted_in_steps_and_its_pace_in_a_median(client: Client, noon: datetime) -> None:
    runs = [failed_run(problem(n)) for n in range(5)]
    for run in runs:
        say(client, "blame:coding", run, 3)
    for place, row in enumerate(Judgement.objects.order_by("-pk")):
        pause = 3600 if place == 4 else 0
        Judgement.objects.filter(pk=row.pk).update(created_at=noon - timedelta(seconds=20 * place + pause))
    assert history.median_seconds("reviewer") == 20
    assert history.done_today("reviewer") == 5
    Judgement.objects.filter(pk=row.pk).update(created_at=noon - timedelta(hours=13))
    assert history.done_today("reviewer") == 4


def test_what_one_press_accepted_in_bulk_is_nobodys_pace(client: Client, noon: datetime) -> None:
    runs = [failed_run(problem(n)) for n in range(6)]
    for run in runs[:5]:
        review.accept(run, 3, actor="reviewer", key=f"batch:{run.pk}")
    assert history.median_seconds("reviewer") is None and history.done_today("reviewer") == 0
    say(client, "blame:coding", runs[5], 3)
    assert history.done_today("reviewer") == 1


def test_the_desk_takes_a_bounded_number_of_queries(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        failed_run(problem(number))
    presets.rows()
    with django_assert_max_num_queries(42):
        client.get("/review/")
