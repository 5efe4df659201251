"""From a failed run's page to its supervision, as a browser posts it."""

from __future__ import annotations

import pytest
from django.test import Client

from solver.models import Engine
from tests.runs.conftest import Scripted
from tests.supervision.conftest import failed_run, go_on, opinion, start
from training.models import Supervision
from trajectories.models import Problem

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_failed_run_offers_supervision_and_one_press_starts_it(
    listening: Scripted, problem: Problem, client: Client
) -> None:
    run = failed_run(listening, problem)
    address = f"/supervision/new/?run={run.pk}"
    assert address in client.get(f"/runs/{run.pk}/").content.decode()
    form = client.get(address).content.decode()
    assert f'value="{run.pk}"' in form
    data = {
        "name": "One",
        "run": run.pk,
        "supervisor": "scripted",
        "votes": 1,
        "rounds": 2,
        "reviser": "student",
        "request_id": "r1",
    }
    answers = [client.post("/supervision/new/", data) for _ in range(2)]
    job = Supervision.objects.get()
    assert {answer.headers["Location"] for answer in answers} == {f"/supervision/{job.pk}/"}


def test_the_page_tells_votes_revisions_yield_and_tokens_with_their_intervals(
    listening: Scripted, problem: Problem, client: Client
) -> None:
    run = failed_run(listening, problem)
    job = start(run)
    go_on(job)
    page = client.get(f"/supervision/{job.pk}/").content.decode()
    assert "1 of 1 failed runs" in page and "1 corrected" in page
    assert f"/runs/{run.pk}/" in page and f"#s{run.step_count + 1}" in page
    assert "[21 %, 100 %]" in page and "n 1" in page
    assert "Brier score <b>0.090</b> [0.090, 0.090], n 1 run, 1 vote." in page  # it was 70 % sure, and right
    assert client.get(f"/supervision/{job.pk}/progress/").status_code == 200
    assert "1 of 1" in client.get("/distillation/").content.decode()
    told = client.get(f"/runs/{run.pk}/").content.decode()
    assert "Supervisor" in told and "blames coding" in told.lower()


def test_what_a_supervisor_wrote_is_escaped(listening: Scripted, problem: Problem, client: Client) -> None:
    run = failed_run(listening, problem)
    from solver.engines.protocol import Role

    listening.answers[Role.SUPERVISOR] = opinion(feedback="<script>alert(1)</script>", diagnosis="<b>x</b>")
    job = start(run)
    go_on(job)
    for address in (f"/supervision/{job.pk}/", f"/runs/{run.pk}/"):
        assert b"<script>alert(1)" not in client.get(address).content


def test_a_form_with_mistakes_keeps_what_was_written_and_says_what_is_wrong(
    listening: Scripted, client: Client
) -> None:
    answer = client.post("/supervision/new/", {"name": "Mine", "run": "77", "supervisor": "nobody"})
    text = answer.content.decode()
    assert answer.status_code == 422 and "Mine" in text and "Run 77" in text and "there is no engine" in text


@pytest.mark.parametrize("verb", ["pause", "resume", "cancel"])
def test_the_buttons_do_what_they_say(
    listening: Scripted, problem: Problem, client: Client, verb: str
) -> None:
    job = start(failed_run(listening, problem))
    client.post(f"/supervision/{job.pk}/{verb}/")
    job.refresh_from_db()
    assert job.status == {"pause": "paused", "resume": "running", "cancel": "cancelled"}[verb]
    assert client.post(f"/supervision/{job.pk}/explode/").status_code == 404


def test_engines_with_an_address_are_offered_as_supervisors_and_a_teams_own_is_chosen(client: Client) -> None:
    form = client.get("/supervision/new/").content.decode()
    assert '<option value="micro-teacher" selected>' in form, "the shipped stand-in, where a team has none"
    assert '<option value="micro"' not in form, "weights without an address supervise nobody"
    spec = {
        "name": "strong",
        "kind": "openai",
        "base_url": "https://models.test/v1",
        "models": {"default": "x"},
    }
    Engine.objects.create(name="strong", spec=spec)
    assert '<option value="strong" selected>' in client.get("/supervision/new/").content.decode()
