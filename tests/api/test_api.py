"""The API tells the same story as the log, and keeps to its own document."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pytest_django import Settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.factories import append_notes, claimed_run, make_problem, make_run, step_finished, step_started
from trajectories import eventlog
from trajectories.models import Run

SCHEMA = schemathesis.openapi.from_dict(SchemaGenerator().get_schema(request=None, public=True))


@SCHEMA.parametrize()
@hypothesis_settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@pytest.mark.django_db(transaction=True)  # each call closes its connection, as a real request does
def test_every_operation_keeps_to_the_openapi_document(case: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("solver.doctor.collect", list)  # probing this machine is not what is tested here
    make_run()
    response = case.call(app=get_wsgi_application(), base_url="http://127.0.0.1")
    # A start may name an engine or strategy that is well written and does not exist: 400 is right then.
    excluded = [positive_data_acceptance] if case.method == "POST" else []
    case.validate_response(response, excluded_checks=excluded)
    assert response.status_code < 500


@pytest.mark.django_db(transaction=True)
def test_events_are_read_from_any_cursor_a_page_at_a_time(client: Client) -> None:
    run, fence = claimed_run()
    append_notes(run, fence, 230)
    seen: list[int] = []
    after: int | None = 0
    while after is not None:
        page = client.get(f"/api/runs/{run.pk}/events/", {"after": after}).json()
        seen += [event["seq"] for event in page["events"]]
        after = page["next"]
    assert seen == [event.seq for event in eventlog.read_all(run.pk)]


@pytest.mark.django_db
def test_hidden_tests_are_given_only_when_asked_for(client: Client) -> None:
    problem = make_problem()
    assert "tests" not in client.get(f"/api/problems/{problem.pk}/").json()["spec"]
    assert len(client.get(f"/api/problems/{problem.pk}/?tests=1").json()["spec"]["tests"]) == 3


@pytest.mark.django_db
@pytest.mark.parametrize("query", ["after=x", "after=-1", "after=1e9", "after=99999999999", "problem=z"])
def test_a_senseless_query_is_answered_with_400_and_the_field(client: Client, query: str) -> None:
    response = client.get(f"/api/runs/?{query}")
    assert response.status_code == 400
    assert query.partition("=")[0] in response.json()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"problem": 10**6, "engine": "x"}, "problem"),
        ({"engine": "x"}, "problem"),
        ({"problem": None, "engine": "nobody"}, "problem"),
    ],
)
def test_a_start_that_makes_no_sense_names_its_field(
    client: Client, body: dict[str, Any], field: str
) -> None:
    response = client.post("/api/runs/", body, content_type="application/json")
    assert response.status_code == 400
    assert field in response.json()
    assert not Run.objects.exists()


@pytest.mark.django_db
def test_an_unknown_engine_is_named_with_those_there_are(client: Client) -> None:
    body = {"problem": make_problem().pk, "engine": "nobody"}
    response = client.post("/api/runs/", body, content_type="application/json")
    assert response.status_code == 400
    assert "nobody" in response.json()["engine"][0]


@pytest.mark.django_db
def test_a_post_from_another_site_is_refused() -> None:
    client = Client(enforce_csrf_checks=True, headers={"origin": "http://evil.example"})
    run = make_run()
    assert client.post(f"/runs/{run.pk}/cancel/").status_code == 403


@pytest.mark.django_db
@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://testserver.evil", "http://["])
def test_the_api_does_nothing_for_a_page_of_another_site(client: Client, origin: str) -> None:
    """A form needs no preflight, and cancelling reads no body: the origin is all that tells it from a program."""
    run = make_run()
    refused = client.post(f"/api/runs/{run.pk}/cancel/", headers={"origin": origin})
    assert refused.status_code == 403 and "another site" in refused.json()["detail"]
    run.refresh_from_db()
    assert run.status == "queued"
    assert client.get(f"/api/runs/{run.pk}/", headers={"origin": origin}).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("origin", ["", "http://testserver", "https://lab.example.org"])
def test_the_api_serves_programs_its_own_pages_and_sites_that_are_named(
    client: Client, settings: Settings, origin: str
) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://lab.example.org"]
    run = make_run()
    done = client.post(f"/api/runs/{run.pk}/cancel/", headers={"origin": origin} if origin else {})
    assert done.json() == {"done": True}


@pytest.mark.django_db
def test_a_body_that_is_nested_too_deeply_is_a_sentence(client: Client) -> None:
    answer = client.post("/api/runs/", "[" * 100_000, content_type="application/json")
    assert answer.status_code == 400 and "nested too deeply" in answer.json()["detail"]


@pytest.mark.django_db
@pytest.mark.parametrize("on", [True, False])
def test_an_adapter_of_a_role_that_is_not_there_starts_nothing(client: Client, on: bool) -> None:
    body = {"problem": make_problem().pk, "engine": "recorded", "adapters": {"plannning": on}}
    answer = client.post("/api/runs/", body, content_type="application/json")
    assert answer.status_code == 400 and "There is no role 'plannning'; use" in answer.json()["adapters"][0]
    assert not Run.objects.exists()


@pytest.mark.django_db
def test_the_api_asks_for_a_login_where_one_is_required(client: Client, settings: Settings) -> None:
    from rest_framework.permissions import IsAuthenticated
    from rest_framework.views import APIView

    original, APIView.permission_classes = APIView.permission_classes, [IsAuthenticated]
    try:
        assert client.get("/api/runs/").status_code == 403
    finally:
        APIView.permission_classes = original


@pytest.mark.django_db
def test_a_run_says_what_it_cost_and_which_steps_the_store_answered(client: Client) -> None:
    unpriced, _ = claimed_run()
    found = client.get(f"/api/runs/{unpriced.pk}/").json()
    assert found["cost"] is None, "no price is not a cost of zero"
    assert found["stored_answers"] == {"steps": [], "asked_first": None, "asked_last": None}
    run, fence = claimed_run()
    moments = ("2026-11-02T10:00:00+00:00", "2026-11-01T10:00:00+00:00")
    paid = {"amount": "0.000012", "currency": "USD", "price_from": "2026-01-01"}
    details: list[dict[str, Any]] = [
        {"cost": paid},
        *(
            {"cost": {**paid, "amount": "0", "saved": "0.000030"}, "stored": {"asked_at": moment}}
            for moment in moments
        ),
    ]
    for number, detail in enumerate(details, start=1):
        told = [step_started(number), step_finished(number, detail=detail)]
        eventlog.append(run.pk, told, fence=fence)
    found = client.get(f"/api/runs/{run.pk}/").json()
    assert found["stored_answers"] == {
        "steps": [2, 3],
        "asked_first": moments[1],
        "asked_last": moments[0],
    }
    assert found["cost"]["currency"] == "USD"
    assert Decimal(found["cost"]["amount"]) == Decimal("0.000012")
    assert Decimal(found["cost"]["saved"]) == Decimal("0.00006")
    listed = client.get("/api/runs/").json()["runs"]
    assert next(one for one in listed if one["id"] == run.pk)["cost"] == found["cost"]
