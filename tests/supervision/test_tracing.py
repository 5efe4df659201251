"""From a row of a version to the step that it was learnt from, and back: one click and one query each way."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.runs.conftest import Scripted
from tests.supervision.conftest import failed_run, go_on, start
from training.datasets import lifecycle
from training.datasets.build import build
from training.datasets.spec import DatasetSpec
from training.models import DatasetRow, DatasetVersion, Example
from trajectories.models import Problem

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def version(listening: Scripted, problem: Problem) -> DatasetVersion:
    """Of a correction: its answer is a branch's step, its question the failed run's."""
    go_on(start(failed_run(listening, problem)))
    made = lifecycle.start(DatasetSpec(role="coding", reviewed=False))
    assert build(made.pk, "test")
    made.refresh_from_db()
    return made


def test_a_row_leads_to_its_step_by_one_query_and_the_step_to_its_rows_by_another(
    version: DatasetVersion,
) -> None:
    with CaptureQueriesContext(connection) as asked:
        row = DatasetRow.objects.select_related("example__run", "example__origin_run").get(version=version)
        example = row.example
        where = (example.run, example.step, example.origin_run, example.origin_step)
    assert len(asked) == 1 and None not in where
    for run, step in ((example.run_id, example.step), (example.origin_run_id, example.origin_step)):
        assert run is not None and step is not None
        with CaptureQueriesContext(connection) as asked:
            found = list(DatasetRow.objects.filter(example__in=Example.objects.all().of_step(run, step)))
        assert len(asked) == 1 and found == [row]


def test_every_row_links_to_its_step_and_every_step_to_its_rows(
    version: DatasetVersion, client: Client
) -> None:
    page = client.get(f"/datasets/coding/v{version.number}/").content.decode()
    row = version.rows.get()
    assert f'href="/runs/{row.example.run_id}/#s{row.example.step}"' in page
    for run, step in (
        (row.example.run_id, row.example.step),
        (row.example.origin_run_id, row.example.origin_step),
    ):
        told = client.get(f"/runs/{run}/").content.decode()
        address = re.search(rf'href="(/examples/\?run={run}&amp;step={step})"', told)
        assert address is not None
        rows = client.get(address[1].replace("&amp;", "&")).content.decode()
        assert f'href="/examples/{row.example_id}/"' in rows
    nothing = client.get(f"/examples/?run={run}&step=1").content.decode()
    assert "was made from step 1 of" in nothing
