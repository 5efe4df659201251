"""Invented runs read like real ones, and lists ask no more of the database when there are many."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.factories import make_run
from trajectories import scale
from trajectories.models import Run, Step, StepEvent

pytestmark = pytest.mark.django_db
LISTS = ("/runs/", "/runs/?verdict=WA", "/runs/?q=tag:dp+blame:planning", "/problems/")


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
    counts: dict[str, list[int]] = {path: [] for path in LISTS}
    for more in (5, 120):
        scale.fill(more, 4)
        for path in LISTS:
            with CaptureQueriesContext(connection) as queries:
                assert client.get(path).status_code == 200
            counts[path].append(len(queries))
    assert all(many <= few <= 8 for few, many in counts.values()), counts


def test_a_lab_with_real_runs_is_not_mixed_with_invented_ones() -> None:
    make_run()
    with pytest.raises(CommandError, match="holds real runs"):
        call_command("seed_scale", runs=1)
    assert Run.objects.count() == 1
