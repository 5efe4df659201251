"""The home page teaches the loop: a count at every arrow that is what its link shows, and one next action."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from tests.factories import make_run
from tests.pages.markup import dangers
from tests.review.desk_runs import correction_of, failed_run, problem
from training import home
from training.desk import acceptance
from training.models import Example
from trajectories import review
from trajectories.models import Step

pytestmark = pytest.mark.django_db
MADE = home._made


def stages(client: Client) -> dict[str, tuple[int, str]]:
    html = client.get("/").content.decode()
    assert dangers(html) == []
    found = re.findall(r'id="stage-(\w+)".*?<a href="([^"]+)">.*?<b>([\d,]+)</b>', html)
    return {key: (int(count), unescape(href)) for key, href, count in found}


def next_action(client: Client) -> str:
    found = re.search(r"<h2>Next: ([^<]+)</h2>", client.get("/").content.decode())
    assert found
    return unescape(found[1])


def test_every_station_counts_what_its_link_shows(client: Client) -> None:
    runs = [failed_run(problem(n)) for n in range(3)]
    review.blame(runs[0], "planning", actor="supervisor@1", source="supervisor", step=2)
    review.blame(runs[0], "coding", actor="anna")
    review.blame(runs[1], "coding", actor="anna")
    correction_of(runs[0])
    done = correction_of(runs[1])
    acceptance.accept(done, Step.objects.get(run=done, number=3), actor="anna", confirmed=True)
    found = stages(client)
    counts = {key: count for key, (count, _) in found.items()}
    assert {key: counts[key] for key in ("problems", "runs", "failures", "blamed", "corrected", "review", "rows")} == {
        "problems": 3, "runs": 5, "failures": 3, "blamed": 2, "corrected": 2, "review": 1, "rows": 1,
    }  # fmt: skip
    for key, (count, href) in found.items():
        page = client.get(href)
        assert page.status_code == 200, href
        if href.startswith("/runs/"):
            shown = re.search(r'<span class="muted sm">([\d,]+), newest first', page.content.decode())
            assert shown and int(shown[1]) == count, key


def test_the_next_action_follows_the_loop(client: Client) -> None:
    assert next_action(client) == "Load some problems"
    about = problem(1)
    assert next_action(client) == f"Solve {about.title}"
    run = failed_run(about)
    assert next_action(client) == f"Find out why run {run.pk} failed on {about.title}"
    review.blame(run, "planning", actor="supervisor@1", source="supervisor", step=2)
    assert next_action(client) == "Confirm whom the supervisor blames in 1 run"
    review.blame(run, "planning", actor="anna")
    branch = correction_of(run)
    assert next_action(client) == "Review 1 correction that passes"
    acceptance.accept(branch, Step.objects.get(run=branch, number=3), actor="anna", confirmed=True)
    assert next_action(client) == f"Find out why run {run.pk} failed on {about.title}"
    Example.objects.bulk_create(
        Example(role="coding", way="human", state="accepted", messages=[], answer=str(n), digest=f"{n:064}")
        for n in range(19)
    )
    assert next_action(client) == "Freeze 20 accepted rows into a dataset version"


def test_who_blamed_is_said_only_of_failures_and_by_whom(client: Client) -> None:
    passed = make_run(status="finished", verdict="AC")
    review.blame(passed, "coding", actor="anna")

    def blamed() -> str:
        html = client.get("/").content.decode()
        return html[html.index('id="stage-blamed"') : html.index('id="stage-corrected"')]

    assert "<b>0</b>" in blamed() and "none yet" in blamed()
    review.blame(failed_run(problem(1)), "coding", actor="anna")
    assert "<b>1</b>" in blamed() and "by people or replays" in blamed()
    review.blame(failed_run(problem(2)), "coding", actor="supervisor@1", source="supervisor", step=2)
    assert "<b>2</b>" in blamed() and "none confirmed" in blamed()


def test_adapters_are_not_to_be_measured_by_hand_while_their_recipe_trains(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed_run()
    monkeypatch.setattr(home, "_made", lambda: {**MADE(), "unmeasured": 2, "training_now": 1})
    assert next_action(client) == "Watch 1 training run"
    monkeypatch.setattr(home, "_made", lambda: {**MADE(), "unmeasured": 2})
    assert next_action(client) == "Measure 2 new adapters against the base"


def test_the_action_leads_somewhere_and_its_station_is_marked(client: Client) -> None:
    correction_of(failed_run())
    html = client.get("/").content.decode()
    assert '<li id="stage-review" class="now"><i>next here</i>' in html
    link = re.search(r'<a class="btn primary" href="([^"]+)" aria-keyshortcuts="Enter">Start reviewing', html)
    assert link and client.get(unescape(link[1])).status_code == 200


def test_home_takes_at_most_eight_queries_signed_in_and_while_something_runs(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(4):
        correction_of(failed_run(problem(number)))
    make_run()
    client.force_login(get_user_model().objects.create_user("anna"))
    client.get("/")  # the first JSON function of a process asks SQLite once whether it knows JSON
    with django_assert_max_num_queries(8):
        client.get("/")
