"""Invented runs read like real ones, and lists ask no more of the database when there are many."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.factories import make_run
from trajectories import scale
from trajectories.models import Run, Step, StepEvent

pytestmark = pytest.mark.django_db
LISTS = (
    *(
        "/",
        "/problems/",
        "/problems/?tag=dp",
        "/runs/",
        "/runs/?verdict=WA",
        "/runs/?status=finished&after=60",
    ),
    *("/runs/?q=tag:dp+blame:planning", "/runs/?q=is:failed+is:blamed", "/runs/?q=invented", "/runs/?tag=dp"),
    *("/campaigns/", "/compare/", "/datasets/", "/examples/", "/review/agreement/"),
)
DESK = ("/review/", "/review/?queue=candidates", "/review/?queue=corrections", "/review/?queue=unconfirmed")


def test_counts_are_those_of_the_rows() -> None:
    made = scale.fill(30, 20)
    assert (made.runs, made.events, made.steps) == (30, StepEvent.objects.count(), Step.objects.count())
    run = Run.objects.order_by("-pk")[0]
    assert list(run.events.values_list("seq", flat=True)) == list(range(1, 21)) and run.last_seq == 20
    assert run.steps.count() == run.step_count == 9


def test_an_invented_run_has_a_page_short_or_long(client: Client) -> None:
    scale.fill(1, 20)
    run = Run.objects.get()
    assert client.get(f"/runs/{run.pk}/").status_code == 200
    long = scale.long_run(600)
    html = client.get(f"/runs/{long.pk}/").content.decode()
    assert html.count('class="step bare"') == 400 and 'id="o600"' in html and 'id="s300"' not in html
    assert html.count('class="stretch"') == 2 and 'href="?from=201#s201"' in html


def test_lists_take_at_most_eight_queries_however_many_runs_there_are(client: Client) -> None:
    client.force_login(get_user_model().objects.create_user("anna"))
    scale.fill(1, 4)
    client.get("/")  # the first JSON function of a process asks SQLite once whether it knows JSON
    counts: dict[str, list[int]] = {path: [] for path in LISTS}
    for more in (5, 120):
        scale.fill(more, 4)
        for path in LISTS:
            with CaptureQueriesContext(connection) as queries:
                assert client.get(path).status_code == 200
            counts[path].append(len(queries))
    wrong = {path: pair for path, pair in counts.items() if not pair[1] <= pair[0] <= 8}
    assert not wrong


def test_the_review_desk_asks_as_often_however_many_runs_there_are(client: Client) -> None:
    client.get("/review/")
    counts: dict[str, list[int]] = {path: [] for path in DESK}
    for more in (60, 120):
        scale.fill(more, 6)
        for path in DESK:
            with CaptureQueriesContext(connection) as queries:
                assert client.get(path).status_code == 200
            counts[path].append(len(queries))
    assert all(abs(many - few) <= 1 and many <= 42 for few, many in counts.values()), counts


def test_a_lab_with_real_runs_is_not_mixed_with_invented_ones() -> None:
    make_run()
    with pytest.raises(CommandError, match="holds real runs"):
        call_command("seed_scale", runs=1)
    assert Run.objects.count() == 1
