"""Many runs in one file, written by a worker: whole, once, and not after somebody has cancelled it."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError
from django.test import Client
from django.utils.timezone import now

from tests.factories import make_problem
from tests.pages.telling import whole_run
from trajectories.exporters import bulk
from trajectories.exporters.formats import FORMATS
from trajectories.models import BulkExport, Run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def here(settings: Any, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path


@pytest.fixture
def runs() -> list[Run]:
    problem = make_problem()
    return [whole_run(problem) for _ in range(3)]


def started(format: str = "jsonl", **chosen: str) -> BulkExport:
    return bulk.start(chosen, format, request_id=uuid.uuid4().hex, actor="anna")


def archive(pk: int) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(bulk.path(pk).read_bytes()))


@pytest.mark.parametrize("format", FORMATS)
def test_every_run_of_the_filters_is_in_the_file_as_it_is_exported_alone(
    runs: list[Run], format: str
) -> None:
    export = started(format, verdict="AC", q="Sum")
    whole_run(make_problem())  # a run that came later is not in it
    assert bulk.waiting() == [export.pk] and bulk.work(export.pk, "worker")
    export.refresh_from_db()
    assert (export.status, export.done, export.total) == ("ready", 3, 3)
    assert export.size == bulk.path(export.pk).stat().st_size
    known = FORMATS[format]
    with archive(export.pk) as file:
        told = {name: file.read(name).decode() for name in file.namelist()}
    assert told == {known.filename(run): known.export(run) for run in runs}
    assert bulk.waiting() == [] and not bulk.work(export.pk, "another")


def test_a_dead_workers_export_is_begun_anew_and_a_living_ones_is_left(runs: list[Run]) -> None:
    export = started()
    held = BulkExport.objects.filter(pk=export.pk)
    held.update(status="running", holder="dead", held_until=now() + timedelta(seconds=30))
    bulk.path(1).parent.mkdir()
    bulk.path(export.pk).with_suffix(".dead.part").write_bytes(b"half")
    assert not bulk.work(export.pk, "second") and bulk.waiting() == []
    held.update(held_until=now() - timedelta(seconds=1))
    assert bulk.waiting() == [export.pk] and bulk.work(export.pk, "second")
    assert [file.name for file in bulk.path(1).parent.iterdir()] == [bulk.path(export.pk).name]
    assert json.loads(archive(export.pk).read(archive(export.pk).namelist()[0]).splitlines()[0])["format"]


def test_a_cancelled_export_leaves_no_file(runs: list[Run], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "TOLD_EVERY_S", 0)
    export = started()
    tell = bulk._tell

    def cancelled_on_the_way(pk: int, holder: str, done: int) -> bool:
        bulk.cancel(pk)
        return tell(pk, holder, done)

    monkeypatch.setattr(bulk, "_tell", cancelled_on_the_way)
    assert not bulk.work(export.pk, "worker")
    export.refresh_from_db()
    assert export.status == "cancelled" and list((bulk.path(1).parent).iterdir()) == []


def test_a_full_disk_is_a_sentence_on_the_page(
    runs: list[Run], client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = started()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    assert not bulk.work(export.pk, "worker")
    assert "No space left on device. Free some disk" in client.get("/exports/").content.decode()


def test_a_run_that_cannot_be_written_is_named_and_a_database_that_is_away_is_not_its_fault(
    runs: list[Run], client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(run: Run) -> str:
        raise error

    monkeypatch.setitem(FORMATS, "md", replace(FORMATS["md"], export=broken))
    export = started("md")
    error: Exception = DatabaseError("the server closed the connection")
    with pytest.raises(DatabaseError):
        bulk.work(export.pk, "worker")
    export.refresh_from_db()
    assert export.status == "running", "its lease runs out, and another worker begins anew"
    BulkExport.objects.update(held_until=now() - timedelta(seconds=1))
    error = KeyError("plan")
    assert not bulk.work(export.pk, "worker")
    told = client.get("/exports/").content.decode()
    assert f"Run {runs[0].pk} cannot be written as md (KeyError" in told and f"-run:{runs[0].pk}" in told


def test_an_export_that_is_deleted_while_its_file_is_put_in_place_leaves_none(
    runs: list[Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    export, write = started("md"), bulk._write

    def deleted_then(*given: Any) -> bool:
        whole = write(*given)
        bulk.delete(export.pk)
        return whole

    monkeypatch.setattr(bulk, "_write", deleted_then)
    assert not bulk.work(export.pk, "worker")
    assert not list(bulk.path(export.pk).parent.glob(f"runs-{export.pk}.*"))


def test_from_the_list_of_runs_to_the_file_and_away_again(runs: list[Run], client: Client) -> None:
    page = client.get("/runs/?verdict=AC").content.decode()
    assert "Export 3 runs" in page
    form = {"format": "md", "verdict": "AC", "request_id": "once"}
    for _ in range(2):
        assert "0 of 3" in client.post("/exports/new/", form, follow=True).content.decode()
    export = BulkExport.objects.get()
    assert client.get(f"/exports/{export.pk}/runs.zip").status_code == 404, "not before it is whole"
    bulk.work(export.pk, "worker")
    answer = client.get(f"/exports/{export.pk}/runs.zip")
    assert b"".join(answer) == bulk.path(export.pk).read_bytes()
    client.post(f"/exports/{export.pk}/delete/")
    assert not bulk.path(export.pk).exists() and not BulkExport.objects.exists()
    assert client.post("/exports/1/eat/").status_code == 404


@pytest.mark.parametrize(
    "form, told",
    [
        ({"verdict": "TLE"}, "No run matches"),
        ({"format": "docx"}, "no export format"),
        ({"q": "blame:"}, "blame: needs a value after it."),
        ({"request_id": ""}, "incomplete"),
    ],
)
def test_what_cannot_be_exported_is_a_sentence(
    runs: list[Run], client: Client, form: dict[str, str], told: str
) -> None:
    sent = {"format": "jsonl", "request_id": "x", **form}
    assert told in client.post("/exports/new/", sent, follow=True).content.decode()
    assert not BulkExport.objects.exists()
