"""The Solve form starts exactly what it says, once, and says why when it will not."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from solver import engine_book
from solver.engines.spec import EngineSpec
from solver.models import Engine
from tests.factories import make_problem, make_run
from tests.pages.markup import by_id, elements, words
from trajectories.models import Problem, Run

pytestmark = pytest.mark.django_db
REMOTE = {
    "name": "remote",
    "kind": "openai",
    "label": "A server",
    "base_url": "https://llm.example.org/v1",
    "models": {"default": "big"},
}


@pytest.fixture(autouse=True)
def _two_engines(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """One remote engine, one local one with adapters; nobody publishes runs to a broker."""
    monkeypatch.setattr(engine_book, "shipped", dict)
    monkeypatch.setattr("solver.runs.publish", lambda pk: None)
    adapters = {
        f"{role}@1": str(tmp_path / role) for role in ("retrieval", "planning", "coding", "debugging")
    }
    local = {
        "name": "local",
        "kind": "transformers",
        "label": "Four adapters",
        "base": str(tmp_path),
        "adapters": adapters,
        "models": {name.partition("@")[0]: name for name in adapters},
    }
    for spec in (REMOTE, local):
        EngineSpec.parse(spec)
        Engine.objects.create(name=str(spec["name"]), spec=spec)


def sent(html: str) -> dict[str, Any]:
    """What a browser would send for the form as it stands; a name that comes several times holds a list."""
    form: dict[str, Any] = {}
    inside = html[html.index('class="solve"') :]
    for element in elements(inside[: inside.index("</form>")]):
        name, kind = element.attributes.get("name"), element.attributes.get("type", "")
        if (
            element.tag == "input"
            and name
            and (kind not in ("radio", "checkbox") or "checked" in element.attributes)
        ):
            value = element.attributes.get("value", "on")
            if name.endswith(".shown"):
                form.setdefault(name, []).append(value)
            else:
                form[name] = value
        if element.tag == "select" and name:
            options = [option for option in element.children if option.tag == "option"]
            chosen = next((option for option in options if "selected" in option.attributes), options[0])
            form[name] = chosen.attributes.get("value", chosen.text.strip())
    return form


def page(client: Client, problem: Problem, query: str = "") -> str:
    response = client.get(f"/problems/{problem.pk}/{query}")
    assert response.status_code == 200
    return response.content.decode()


def test_the_form_as_it_stands_starts_a_run(client: Client) -> None:
    problem = make_problem()
    form = sent(page(client, problem))
    answer = client.post(f"/problems/{problem.pk}/solve/", {**form, "seed": "11", "mapcoder.k": "2"})
    run = Run.objects.get()
    assert answer.headers["Location"] == f"/runs/{run.pk}/"
    assert (run.strategy, run.seed, run.params["k"], run.params["t"]) == ("mapcoder", 11, 2, 5)


def test_sent_twice_it_starts_one_run(client: Client) -> None:
    problem = make_problem()
    form = sent(page(client, problem))
    places = {client.post(f"/problems/{problem.pk}/solve/", form).headers["Location"] for _ in range(3)}
    assert len(places) == 1 and Run.objects.count() == 1
    client.post(f"/problems/{problem.pk}/solve/", sent(page(client, problem)))
    assert Run.objects.count() == 2  # a fresh page is a fresh request


def test_a_form_that_was_changed_after_back_starts_what_it_says_now(client: Client) -> None:
    problem = make_problem()
    form = {**sent(page(client, problem)), "engine": "local"}
    client.post(f"/problems/{problem.pk}/solve/", {**form, "seed": "1"})
    for seed in ("1", "2", "2"):
        client.post(f"/problems/{problem.pk}/solve/", {**form, "seed": seed})
    del form["local.coding"]
    client.post(f"/problems/{problem.pk}/solve/", {**form, "seed": "2"})
    runs = Run.objects.order_by("pk")
    assert [run.seed for run in runs] == [1, 2, 2]
    assert [run.engine["roles"]["coding"] for run in runs] == ["coding@1", "coding@1", "base"]


def test_an_adapter_without_its_tick_is_left_out(client: Client) -> None:
    problem = make_problem()
    form = {**sent(page(client, problem)), "engine": "local"}
    del form["local.coding"]
    client.post(f"/problems/{problem.pk}/solve/", form)
    roles = Run.objects.get().engine["roles"]
    assert (roles["coding"], roles["debugging"]) == ("base", "debugging@1")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"mapcoder.k": "0"}, "Exemplars and plans must be from 1 to 9, not 0."),
        ({"seed": "many"}, "The seed must be a whole number."),
        ({"seed": str(2**40)}, "at most 31 bits"),
        ({"engine": "gone"}, "gone"),
        ({"strategy": "magic"}, "There is no strategy"),
        ({"language": "cobol"}, "cobol"),
        ({"judge_profile": "lenient"}, "There is no judge profile"),
    ],
)
def test_a_wrong_choice_is_named_and_the_rest_is_kept(
    client: Client, change: dict[str, str], sentence: str
) -> None:
    problem = make_problem()
    form = sent(page(client, problem))
    answer = client.post(f"/problems/{problem.pk}/solve/", {**form, "mapcoder.t": "3", **change})
    html = answer.content.decode()
    assert answer.status_code == 422 and not Run.objects.exists()
    assert sentence in words(by_id(html)["solve"])
    again = sent(html)
    assert again["request_id"] == form["request_id"] and again["mapcoder.t"] == "3"


def test_run_again_repeats_the_choices_of_a_run(client: Client) -> None:
    run = make_run(strategy="reflexion", params={"t": 4, "retries": 0}, engine_name="local", seed=5)
    form = sent(page(client, run.problem, f"?from={run.pk}"))
    assert (form["strategy"], form["engine"], form["reflexion.t"], form["seed"]) == (
        "reflexion",
        "local",
        "4",
        "5",
    )


def test_run_again_leaves_out_the_adapters_that_the_run_left_out_and_asks_anew_if_it_did(
    client: Client,
) -> None:
    problem = make_problem()
    form = {**sent(page(client, problem)), "engine": "local", "ask_anew": "1"}
    del form["local.coding"]
    client.post(f"/problems/{problem.pk}/solve/", form)
    first = Run.objects.get()
    again = sent(page(client, problem, f"?from={first.pk}"))
    assert "local.coding" not in again and again["local.debugging"] == "on" and again["ask_anew"] == "1"
    client.post(f"/problems/{problem.pk}/solve/", again)
    second = Run.objects.exclude(pk=first.pk).get()
    assert second.engine == first.engine and first.engine["ask_anew"] is True
    Engine.objects.filter(name="local").delete()
    assert sent(page(client, problem, f"?from={first.pk}"))["engine"] == "remote"


def test_the_default_engine_is_named_and_concerns_are_told(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_book, "concerns", lambda problem, spec: [f"Mind {spec.name}."])
    solve = words(by_id(page(client, make_problem()))["solve"])
    default = engine_book.default_engine(make_problem())
    assert default is not None and f"{default.name} default here" in solve
    assert "Mind local." in solve and "Mind remote." in solve


def test_a_function_problem_offers_python_only(client: Client) -> None:
    problem = make_problem(
        test_kind="call", entry_point="f", samples=[], tests=[{"kind": "call", "args": [1], "expected": 1}]
    )
    html = page(client, problem)
    select = html[html.index('name="language"') :]
    assert re.findall(r'<option value="(\w+)"', select[: select.index("</select>")]) == ["python"]


def test_without_an_engine_the_page_says_what_to_do(client: Client) -> None:
    Engine.objects.all().delete()
    assert "No engine is configured" in page(client, make_problem())


def test_cancel_and_retry_are_verbs_and_say_when_they_come_too_late(client: Client) -> None:
    run = make_run()
    assert client.get(f"/runs/{run.pk}/cancel/").status_code == 405
    client.post(f"/runs/{run.pk}/cancel/")
    run.refresh_from_db()
    assert run.status == "cancelled"
    again = client.post(f"/runs/{run.pk}/cancel/", follow=True).content.decode()
    assert "This run had already ended." in again
    client.post(f"/runs/{run.pk}/retry/")
    run.refresh_from_db()
    assert run.status == "queued"
    assert (
        "Only a failed or cancelled run"
        in client.post(f"/runs/{run.pk}/retry/", follow=True).content.decode()
    )


def test_a_form_without_its_key_is_refused_in_words() -> None:
    problem = make_problem()
    answer = Client(enforce_csrf_checks=True).post(f"/problems/{problem.pk}/solve/", {})
    assert answer.status_code == 403 and "nothing was started" in answer.content.decode()


def test_engines_are_listed_without_paths_and_tested_on_request(client: Client, tmp_path: Any) -> None:
    html = client.get("/engines/").content.decode()
    assert "A server" in html and "https://llm.example.org/v1" in html and str(tmp_path) not in html
    tested = client.post("/engines/local/test/", follow=True).content.decode()
    assert "no config.json" in tested and "not on this machine" in html
    assert client.post("/engines/none/test/").status_code == 404


def test_the_system_page_tells_what_is_broken_and_how_to_mend_it(client: Client) -> None:
    html = client.get("/system/").content.decode()
    assert "workers infer" in html and "manage.py up" in html


@pytest.mark.parametrize("query", ["?from=x", "?from=999999", "?from=%D9%A3", "?from=" + "9" * 40])
def test_an_odd_reference_is_ignored(client: Client, query: str) -> None:
    assert sent(page(client, make_problem(), query))["strategy"] == "mapcoder"
