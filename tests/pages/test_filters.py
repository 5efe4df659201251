"""Filters of lists: what each field means, mistakes shown with their place, completion, few queries, named views."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from solver.campaigns.models import Campaign
from tests.factories import make_problem, make_run
from tests.pages.markup import dangers
from tests.review.desk_runs import correction_of, failed_run, problem
from tests.training.versions import micro_version, quick_spec
from training import training_runs
from training.models import Adapter
from trajectories import filters, queries, review
from trajectories.completion import suggestions
from trajectories.desk.models import StarredView
from trajectories.expressions import parse
from trajectories.models import Problem, Run

pytestmark = pytest.mark.django_db


def found(text: str) -> set[int]:
    return set(filters.runs(Run.objects.all(), parse(text, filters.RUN_FIELDS)).values_list("pk", flat=True))


def test_every_field_of_runs_narrows_to_what_it_says() -> None:
    failed = failed_run(problem(1, title="Night Ferry", split="train"))
    mended = correction_of(failed)
    other = make_run(problem(2, tags=["math"], difficulty="hard"), engine_name="micro", created_by="ben")
    review.blame(failed, "planning", actor="supervisor@1", source="supervisor", cause="off by one", step=2)
    review.accept(mended, 3, actor="anna")
    everything = {failed.pk, mended.pk, other.pk}
    assert found("") == everything
    for text, expected in {
        "ferry": {failed.pk, mended.pk},
        '"night ferry" -is:branch': {failed.pk},
        "tag:math": {other.pk},
        "tag:math,dp": everything,
        "-tag:dp": {other.pk},
        "level:hard": {other.pk},
        "split:train": {failed.pk, mended.pk},
        "verdict:WA": {failed.pk},
        "verdict:none": {other.pk},
        "is:failed": {failed.pk},
        "is:solved,live": {mended.pk, other.pk},
        "is:correction": {mended.pk},
        "blame:planning": {failed.pk},
        "supervisor:planning -human:planning": {failed.pk},
        "blame:coding": set(),
        'cause:"off by one"': {failed.pk},
        "is:blamed -is:confirmed": {failed.pk},
        "accepted:coding": {mended.pk},
        "engine:micro by:ben": {other.pk},
        "calls>=3 tests:3": {failed.pk, mended.pk},
        "calls<1": {other.pk},
        "calls:2.5,0": {other.pk},
        "calls:2.5": set(),
        f"run:{failed.pk},{other.pk}": {failed.pk, other.pk},
    }.items():
        assert found(text) == expected, text


def test_every_field_of_the_vocabularies_can_be_asked() -> None:
    for name, field in filters.RUN_FIELDS.items():
        value = field.values[0] if field.values else "1"
        assert filters.runs(Run.objects.all(), parse(f"{name}:{value}", filters.RUN_FIELDS)).count() == 0
    for name, field in filters.PROBLEM_FIELDS.items():
        value = field.values[0] if field.values else "1"
        filters.problems(Problem.objects.current(), parse(f"{name}:{value}", filters.PROBLEM_FIELDS)).count()


def test_problems_are_found_by_how_often_they_were_run() -> None:
    failed_run(problem(1))
    problem(2)
    for text, titles in {
        "runs>=1": ["Desk problem 1"],
        "runs:0": ["Desk problem 2"],
        "solved>0": [],
        "tag:dp runs<5": ["Desk problem 1", "Desk problem 2"],
    }.items():
        assert [row.title for row in queries.problems({"q": text}).rows] == titles, text


def test_facets_of_runs_count_what_choosing_them_would_show() -> None:
    for number in range(3):
        run = failed_run(problem(number))
        review.blame(run, "planning" if number else "coding", actor="anna")
    make_run(problem(9, tags=["math"]))
    for facet in queries.runs({}).facets:
        assert facet.choices, facet.name
        for choice in facet.choices:
            assert queries.runs({facet.name: choice.value}).total == choice.count, (facet.name, choice.value)


def test_another_choice_of_a_facet_counts_what_it_would_show_instead_of_the_present_one() -> None:
    """Choosing replaces: of a second tag the runs that have it are counted, not those that have both."""
    both, one, unflipped = (
        failed_run(problem(n, tags=["dp", *more])) for n, more in enumerate((["math"], [], []))
    )
    make_run(problem(9, tags=["math"]))
    review.blame(both, "planning", actor="anna")
    review.blame(both, "coding", actor="supervisor@1", source="supervisor")
    review.blame(one, "coding", actor="anna")
    review.blame(unflipped, "coding", actor="replay", source="replay", flips=0, trials=3)
    for chosen in (
        {"tag": "dp"},
        {"blame": "planning"},
        {"blame": "planning", "tag": "math", "verdict": "WA"},
    ):
        for facet in queries.runs(chosen).facets:
            for choice in facet.choices:
                total = queries.runs({**chosen, facet.name: choice.value}).total
                assert total == choice.count, (chosen, facet.name, choice.value)
    for facet in queries.problems({"tag": "dp"}).facets:
        for choice in facet.choices:
            total = queries.problems({"tag": "dp", facet.name: choice.value}).total
            assert total == choice.count, (facet.name, choice.value)


@pytest.mark.parametrize(
    ("path", "mistake"), [("/runs/", "did you mean tag"), ("/problems/", "did you mean tag")]
)
def test_a_mistake_in_a_filter_is_shown_where_it_is(client: Client, path: str, mistake: str) -> None:
    failed_run()
    html = client.get(f"{path}?q=ferry+tga%3Adp").content.decode()
    assert mistake in html and 'ferry <mark class="hit got">tga</mark>:dp' in html
    assert 'value="ferry tga:dp"' in html and dangers(html) == []


def test_a_filter_is_completed_with_fields_and_with_the_labs_own_values(client: Client) -> None:
    failed_run(problem(1, tags=["dp", "dynamic graphs"]))
    assert [one.text for one in suggestions("runs", "x ver")] == ["verdict:"]
    assert [one.text for one in suggestions("runs", "cal")] == ["calls>"]
    assert [one.text for one in suggestions("runs", "-tag:d")] == ["dp ", '"dynamic graphs" ']
    assert [one.text for one in suggestions("runs", "verdict:WA,t")] == ["TLE "]
    answer = client.get("/complete/problems/?text=level:e").json()["suggestions"]
    assert answer == [{"start": 6, "text": "easy ", "title": "Difficulty"}]
    assert client.get("/complete/nothing/").status_code == 404


@pytest.mark.parametrize("path", ["/runs/?q=tag:dp+is:failed&verdict=WA", "/problems/?q=runs>0&tag=dp"])
def test_a_page_of_a_list_takes_at_most_eight_queries_of_somebody_signed_in(
    client: Client, path: str, django_assert_max_num_queries: Any
) -> None:
    for number in range(30):
        failed_run(problem(number)) if number < 8 else make_run(problem(number))
    client.force_login(User.objects.create_user("anna"))
    with django_assert_max_num_queries(8):
        assert client.get(path).status_code == 200


def test_a_view_is_named_found_and_removed_by_its_reader_alone(client: Client) -> None:
    client.force_login(User.objects.create_user("anna"))
    path = "/runs/?q=tag%3Adp"
    client.post("/views/star/", {"name": "My dp", "path": path})
    assert "My dp" in client.get("/views/").content.decode()
    assert client.get("/places/?q=my").json()["places"] == [
        {"title": "My dp", "kind": "starred", "href": path}
    ]
    assert "My dp" not in Client().get("/views/").content.decode()
    Client().post(f"/views/{StarredView.objects.get().pk}/unstar/")
    assert StarredView.objects.exists()
    client.post(f"/views/{StarredView.objects.get().pk}/unstar/")
    assert not StarredView.objects.exists()


@pytest.mark.parametrize(
    "path", ["https://elsewhere.example/", "//elsewhere.example/", "javascript:alert(1)", "/nowhere/"]
)
def test_only_pages_of_the_lab_can_be_starred(client: Client, path: str) -> None:
    answer = client.post("/views/star/", {"name": "x", "path": path})
    assert answer.status_code == 422 and not StarredView.objects.exists()


def test_the_palette_goes_to_runs_steps_problems_and_queues(client: Client) -> None:
    run = failed_run(problem(1, title="Night Ferry"))
    client.get("/review/")

    def hrefs(text: str) -> list[str]:
        return [place["href"] for place in client.get("/places/", {"q": text}).json()["places"]]

    assert hrefs(str(run.pk)) == [f"/runs/{run.pk}/"]
    assert hrefs(f"run {run.pk} s2") == [f"/runs/{run.pk}/#s2"]
    assert hrefs("ferry") == [f"/problems/{run.problem_id}/"]
    assert hrefs("desk/1") == [f"/problems/{run.problem_id}/"]
    assert hrefs("calibration") == ["/review/?queue=second-pass"]
    assert hrefs("nothing of that name") == []


def test_the_palette_finds_campaigns_dataset_versions_training_runs_and_adapters(client: Client) -> None:
    version = micro_version("coding")
    training = training_runs.start(quick_spec(version), publish_to_workers=False)
    campaign = Campaign.objects.create(
        name="Where it fails", spec={}, spec_digest="0", request_id="r", status="finished"
    )
    facts: dict[str, Any] = {"engine": "micro", "base": "b", "rank": 8, "parameters": 1, "size": 1}
    adapter = Adapter.objects.create(role="coding", number=3, digest="ab" * 32, **facts)

    def hrefs(text: str) -> list[str]:
        return [place["href"] for place in client.get("/places/", {"q": text}).json()["places"]]

    assert hrefs("fails where") == [f"/campaigns/{campaign.pk}/"]
    assert hrefs("dataset coding/v1") == [f"/datasets/coding/v{version.number}/"]
    assert hrefs(f"training run {training.pk}") == [f"/training/runs/{training.pk}/"]
    assert hrefs("coding@3") == [f"/training/adapters/{adapter.pk}/"] == hrefs("abababab")
    assert len(hrefs("coding")) == 3


def test_keys_are_kept_for_each_reader_and_stay_an_exchange(client: Client) -> None:
    client.force_login(User.objects.create_user("anna"))

    def send(keys: Any) -> Any:
        return client.post("/keys/", json.dumps(keys), content_type="application/json")

    assert send({"a": "q", "q": "a"}).status_code == 200
    assert client.get("/keys/").json() == {"keys": {"a": "q", "q": "a"}}
    assert Client().get("/keys/").json() == {"keys": {}}
    refused: list[Any] = [{"a": "z", "b": "z"}, {"a": "Escape"}, {"a": 1}, [], {"a": "x" * 99}]
    for bad in refused:
        assert send(bad).status_code == 400, bad
    assert client.get("/keys/").json() == {"keys": {"a": "q", "q": "a"}}


def test_a_list_filtered_by_a_problem_of_another_version_stays_open(client: Client) -> None:
    make_run(make_problem())
    assert client.get("/runs/?q=problem:test/sum").content.decode().count("<b>") > 0
