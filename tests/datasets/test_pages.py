"""The pool, a version and its files as a browser sees them."""

from __future__ import annotations

from io import BytesIO

import pytest
from django.test import Client

from tests.datasets.conftest import built, example, problems, story
from tests.factories import claimed_run, step_finished, step_started
from training.datasets.build import build
from training.models import DatasetVersion, Example, ExampleState, Way
from trajectories import eventlog
from trajectories.events import RunFinished
from trajectories.models import Judgement

pytestmark = pytest.mark.django_db(transaction=True)


def recorded() -> Example:
    [problem] = problems(1)
    run, fence = claimed_run(problem)
    ended = RunFinished(status="finished", reason="judged", verdict="AC")
    eventlog.append(run.pk, [step_started(1), step_finished(1), ended], fence=fence)
    return example(problem, story(1), run=run, step=1, way=Way.TEACHER, state=ExampleState.CANDIDATE)


def test_accepting_and_withdrawing_are_judgements_and_the_version_is_tainted_by_it(client: Client) -> None:
    one = recorded()
    client.post(f"/examples/{one.pk}/accept/")
    one.refresh_from_db()
    assert one.state == ExampleState.ACCEPTED and Judgement.objects.get().verb == "accept"
    version = built()
    client.post(f"/examples/{one.pk}/withdraw/")
    one.refresh_from_db()
    assert one.state == ExampleState.WITHDRAWN
    assert "tainted by 1" in client.get("/datasets/").content.decode()
    page = client.get(f"/datasets/coding/v{version.number}/").content.decode()
    assert "Rebuild without" in page and "1 row of this version was taken back" in page
    assert Judgement.objects.filter(verb="undo").count() == 1


def test_the_form_builds_a_version_once_however_often_it_is_pressed(client: Client) -> None:
    for number, problem in enumerate(problems(3)):
        example(problem, story(100 + number))
    data = {
        "do": "form",
        "role": "coding",
        "ways": ["imported"],
        "reviewed": "1",
        "near_duplicates": "0.9",
        "eval_share": "0.1",
        "request_id": "x",
    }
    addresses = {client.post("/datasets/new/", data).headers["Location"] for _ in range(2)}
    assert addresses == {"/datasets/coding/v1/"}
    assert "building" in client.get("/datasets/coding/v1/").content.decode()
    assert build(DatasetVersion.objects.get().pk, "test")
    page = client.get("/datasets/coding/v1/").content.decode()
    assert "3 rows" in page and f"/examples/{Example.objects.latest('pk').pk}/" in page
    for form in ("chat", "sharegpt", "alpaca", "parquet", "provenance"):
        answer = client.get(f"/datasets/coding/v1/export/{form}/")
        assert answer.status_code == 200 and len(b"".join(answer.streaming_content)) > 100  # type: ignore[attr-defined]
    assert client.get("/datasets/coding/v1/export/doc/").status_code == 404


def test_mistakes_are_listed_and_the_yaml_is_kept(client: Client) -> None:
    answer = client.post("/datasets/new/", {"yaml": "role: coding\nper_problm: 3"})
    text = answer.content.decode()
    assert answer.status_code == 422 and "per_problm" in text and "There is no such field" in text


def test_two_versions_are_compared_row_by_row(client: Client) -> None:
    rows = [example(problem, story(100 + number)) for number, problem in enumerate(problems(4))]
    before = built()
    Example.objects.filter(pk=rows[0].pk).move(ExampleState.WITHDRAWN)
    after = built()
    page = client.get(f"/datasets/diff/?a={before.pk}&b={after.pk}").content.decode()
    assert "3 rows in both, 0 came, 1 went" in page


def test_the_pool_is_filtered_and_an_example_tells_everything_it_came_from(client: Client) -> None:
    one = recorded()
    page = client.get("/examples/?role=coding&state=candidate").content.decode()
    assert f"/examples/{one.pk}/" in page and "candidate 1" in page
    assert f"/examples/{one.pk}/" not in client.get("/examples/?state=accepted").content.decode()
    page = client.get(f"/examples/{one.pk}/").content.decode()
    assert f"/runs/{one.run_id}/#s1" in page and "licence MIT" in page


def test_what_a_model_or_a_file_wrote_is_escaped(client: Client) -> None:
    [problem] = problems(1)
    one = example(
        problem, "<script>alert(1)</script>", refused="<img src=x onerror=alert(1)>", author="<b>x</b>"
    )
    for address in ("/examples/", f"/examples/{one.pk}/"):
        text = client.get(address).content
        assert b"<script>alert" not in text and b"<img src=x" not in text and b"<b>x</b>" not in text


def test_a_file_is_imported_with_its_licence_or_not_at_all(client: Client) -> None:
    line = b'{"instruction": "q", "input": "", "output": "a"}\nnonsense\n'
    data = {"role": "coding", "file": BytesIO(line)}
    assert client.post("/examples/import/", data).status_code == 422
    data = {"role": "coding", "file": BytesIO(line), "licence": "CC0-1.0"}
    page = client.post("/examples/import/", data).content.decode()
    assert "1 new, 0 already here, 1 unusable" in page and "line 2" in page
    one = Example.objects.get()
    client.post(f"/examples/{one.pk}/accept/")
    one.refresh_from_db()
    assert one.state == ExampleState.ACCEPTED


def test_rows_are_shown_as_the_tokens_of_a_base_with_the_mask_and_what_a_cut_would_cut(
    client: Client,
) -> None:
    for number, problem in enumerate(problems(3)):
        example(problem, f"<b>{story(100 + number, 5)}</b>")
    built()
    page = client.get("/datasets/coding/v1/tokens/?base=micro&length=10").content.decode()
    assert "3 of 3 rows counted" in page and "3 of 3 rows are longer than 10 tokens" in page
    assert "trained</span>" in page and "&lt;" in page
    refused = client.get("/datasets/coding/v1/tokens/?base=nobody").content.decode()
    assert "There is no engine &#x27;nobody&#x27; with its base model" in refused
