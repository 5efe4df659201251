"""Import in the browser: first what would happen, then the import; a bad row is named and loses nothing."""

from __future__ import annotations

import json
import os
import time

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.factories import problem_spec
from trajectories import upload
from trajectories.models import Problem

pytestmark = pytest.mark.django_db


def lines(*rows: object) -> SimpleUploadedFile:
    text = "\n".join(json.dumps(row) for row in rows) + "\n"
    return SimpleUploadedFile("two.jsonl", text.encode())


def good(number: int) -> dict[str, object]:
    return problem_spec(id=f"up/{number}", title=f"Problem {number}").model_dump(mode="json", by_alias=True)


def test_an_upload_is_shown_first_and_stored_only_on_the_second_click(client: Client) -> None:
    shown = client.post("/problems/import/", {"file": lines(good(1), good(2))})
    assert shown.status_code == 200 and not Problem.objects.exists()
    assert b"Import 2" in shown.content
    kept = {**shown.context["shown"], "do": "import", "all_or_nothing": ""}
    assert client.post("/problems/import/", kept).status_code == 302
    assert Problem.objects.count() == 2


def test_a_bad_row_is_named_with_its_line_and_the_good_ones_can_still_be_stored(client: Client) -> None:
    bad = {**good(2), "tests": []}
    shown = client.post("/problems/import/", {"file": lines(good(1), bad)})
    assert b"line 2" in shown.content and b"tests" in shown.content
    refused = client.post(
        "/problems/import/", {**shown.context["shown"], "do": "import", "all_or_nothing": "on"}
    )
    assert refused.status_code == 200 and not Problem.objects.exists()
    client.post("/problems/import/", {**shown.context["shown"], "do": "import", "all_or_nothing": ""})
    assert list(Problem.objects.values_list("external_id", flat=True)) == ["up/1"]


@pytest.mark.parametrize("kept", ["../lab.sqlite3", "/etc/passwd", "secret-key", "a" * 64, ""])
def test_no_file_of_the_server_can_be_read_through_the_second_step(client: Client, kept: str) -> None:
    response = client.post("/problems/import/", {"kept": kept, "name": "x", "do": "import"})
    assert response.status_code == 400
    assert b"root:" not in response.content


def test_a_file_of_another_kind_is_refused_with_a_sentence(client: Client) -> None:
    response = client.post("/problems/import/", {"file": SimpleUploadedFile("model.pkl", b"\x80\x04.")})
    assert response.status_code == 400
    assert b"Choose a .jsonl" in response.content


def test_an_upload_that_nobody_confirmed_is_gone_after_a_day(client: Client) -> None:
    def confirm(of: dict[str, object]) -> int:
        return client.post("/problems/import/", {**of, "do": "import", "all_or_nothing": ""}).status_code

    old = client.post("/problems/import/", {"file": lines(good(1))}).context["shown"]
    fresh = client.post("/problems/import/", {"file": lines(good(2))}).context["shown"]
    before = time.time() - upload.KEPT_S - 1
    os.utime(settings.VAR_DIR / "uploads" / old["kept"], (before, before))
    client.post("/problems/import/", {"file": lines(good(3))})
    assert (confirm(old), confirm(fresh)) == (400, 302)
