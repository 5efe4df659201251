"""Acts on all runs of a list: counted before, done to what was counted, harmless when sent again."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from solver import many_runs
from tests.factories import claimed_run, make_problem, make_run
from tests.pages.markup import dangers
from trajectories.models import Run, RunStatus

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker listens here: the reaper's work is not what is tested."""
    monkeypatch.setattr("solver.runs.publish", lambda run_id: None)


def several() -> dict[str, Run]:
    problem = make_problem()
    return {
        "queued": make_run(problem, engine_name="small"),
        "running": claimed_run(problem, engine_name="small")[0],
        "failed": make_run(problem, engine_name="small", status=RunStatus.FAILED),
        "cancelled": make_run(problem, engine_name="large", status=RunStatus.CANCELLED),
        "finished": make_run(problem, engine_name="small", status=RunStatus.FINISHED, verdict="AC"),
    }


def statuses(made: dict[str, Run]) -> dict[str, str]:
    return {name: Run.objects.get(pk=run.pk).status for name, run in made.items()}


def newest() -> int:
    return Run.objects.order_by("-pk").values_list("pk", flat=True)[0]


def test_the_page_counts_what_each_act_is_about_before_anything_is_done(
    client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    made = several()
    with django_assert_max_num_queries(4):
        html = client.get("/runs/all/?q=engine:small").content.decode()
    assert dangers(html) == [] and "<h1>4 runs</h1>" in html and "<code>engine:small</code>" in html
    assert "Cancel 2 <kbd>" in html and "Try 1 again" in html and "Export 4 <kbd>" in html
    assert "/views/?path=/runs/%3Fq%3Dengine" in html.replace("%2F", "/")
    assert statuses(made)["queued"] == RunStatus.QUEUED
    listed = client.get("/runs/?q=engine:small").content.decode()
    assert re.search(r'href="/runs/all/\?q=engine(:|%3A)small" aria-keyshortcuts="Shift\+A"', listed)


def test_runs_under_way_are_cancelled_and_the_others_stay(client: Client) -> None:
    made = several()
    answer = client.post("/runs/all/cancel/", {"q": "engine:small", "newest": newest()}, follow=True)
    assert answer.redirect_chain[0][0] == "/runs/?q=engine%3Asmall"
    assert "2 runs asked to stop." in answer.content.decode()
    assert statuses(made) == {
        "queued": "cancelled", "running": "running", "failed": "failed", "cancelled": "cancelled",
        "finished": "finished",
    }  # fmt: skip
    assert Run.objects.get(pk=made["running"].pk).cancel_requested


def test_runs_that_broke_off_are_queued_again_once_however_often_it_is_sent(client: Client) -> None:
    made = several()
    form = {"newest": newest()}
    assert "2 runs queued again." in client.post("/runs/all/retry/", form, follow=True).content.decode()
    assert "0 runs queued again." in client.post("/runs/all/retry/", form, follow=True).content.decode()
    told = statuses(made)
    assert (told["failed"], told["cancelled"], told["finished"]) == ("queued", "queued", "finished")


def test_a_run_that_starts_after_the_count_is_left_alone(client: Client) -> None:
    several()
    counted = newest()
    later = make_run(make_problem(), engine_name="small")
    client.post("/runs/all/cancel/", {"newest": counted})
    assert Run.objects.get(pk=later.pk).status == RunStatus.QUEUED


def test_more_than_fit_in_a_request_are_done_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many_runs, "AT_ONCE", 2)
    problem = make_problem()
    made = [make_run(problem) for _ in range(5)]
    assert many_runs.act("cancel", {}, newest()) == many_runs.Done(2, 0, 3)
    assert [Run.objects.get(pk=run.pk).status for run in made] == ["cancelled"] * 2 + ["queued"] * 3
    assert many_runs.act("cancel", {}, newest()) == many_runs.Done(2, 0, 1)


def test_a_run_that_ends_meanwhile_is_told_of_and_left(monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(make_problem())
    monkeypatch.setitem(many_runs._DO, "cancel", lambda pk: False)
    assert many_runs.act("cancel", {}, newest()) == many_runs.Done(0, 1, 0)


def test_nonsense_does_nothing_and_says_so(client: Client) -> None:
    made = several()
    assert client.post("/runs/all/delete/", {"newest": newest()}).status_code == 404
    assert client.get("/runs/all/cancel/").status_code == 405
    for form, why in (({}, "incomplete"), ({"newest": newest(), "q": "nonsense:"}, "Nothing was done")):
        assert why in client.post("/runs/all/cancel/", form, follow=True).content.decode()
    assert client.get("/runs/all/?q=nonsense:").headers["Location"] == "/runs/?q=nonsense%3A"
    assert "No run matches" in client.get("/runs/all/?q=engine:none-such").content.decode()
    assert statuses(made)["queued"] == RunStatus.QUEUED
