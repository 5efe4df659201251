"""The campaign pages: every state renders, hostile names stay text, queries do not grow, a browser's posts do what they say."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from solver.campaigns import lifecycle
from solver.campaigns.cells import has_adapters
from solver.campaigns.models import Campaign, CampaignCell, CampaignRun, CampaignStatus
from solver.campaigns.presets import PRESETS
from solver.campaigns.spec import read_yaml
from solver.engines.spec import EngineSpec
from solver.models import Engine
from tests.campaigns.conftest import Scripted, spec, start, sums, work
from tests.campaigns.test_report import mixed
from tests.runs.conftest import WRONG
from trajectories.models import Problem

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.campaigns.urls")]
HOSTILE = "<script>alert(1)</script>\"'{{ 7*7 }}"


@pytest.fixture(autouse=True)
def quiet_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """No broker in these tests: the reaper would publish what was not."""
    monkeypatch.setattr("solver.queue.publish_run", lambda run_id: False)


def queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert client.get(path).status_code == 200
    return len(seen)


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


def test_an_empty_lab_says_how_to_begin(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("solver.engine_book.shipped", dict)
    assert "Start with a preset" in client.get("/campaigns/").content.decode()
    assert "No engine is configured" in client.get("/campaigns/new/").content.decode()


def test_the_report_shows_each_figure_with_its_interval_and_its_count(
    client: Client, engine: Scripted
) -> None:
    campaign = mixed(engine)
    html = client.get(f"/campaigns/{campaign.pk}/").content.decode()
    text = text_of(html)
    assert "50.0 % [18.8, 81.2]" in text, "3 of 6, Wilson"
    assert "1 engine unreachable" in text and "1 of 12 runs could not be measured" in text
    assert "unclosed" in text and "no code" in text, re.findall(r"By kind.*?What it took", text)
    assert html.count('<svg class="chart"') == 3
    assert "style=" not in html and "onclick" not in html and "<script>" not in html


def test_every_mark_of_the_matrix_leads_to_its_run(client: Client, engine: Scripted) -> None:
    campaign = mixed(engine)
    html = client.get(f"/campaigns/{campaign.pk}/").content.decode()
    for run in CampaignRun.objects.filter(campaign=campaign).values_list("run", flat=True):
        assert f'href="/runs/{run}/"' in html


@pytest.mark.parametrize("status", CampaignStatus.values)
def test_every_state_has_a_page_with_its_verbs(
    client: Client, engine: Scripted, problems: list[Problem], status: str
) -> None:
    campaign = start(at_once=1)
    Campaign.objects.update(status=status)
    html = client.get(f"/campaigns/{campaign.pk}/").content.decode()
    verbs = {verb for verb in ("pause", "resume", "cancel") if f"/campaigns/{campaign.pk}/{verb}/" in html}
    assert (
        verbs
        == {
            "running": {"pause", "cancel"},
            "paused": {"resume", "cancel"},
            "cancelled": {"resume"},
            "finished": set(),
        }[status]
    )


def test_names_are_text_everywhere(client: Client, engine: Scripted, transactional_db: None) -> None:
    sums(1, tags=[HOSTILE[:60], "b"], difficulty=HOSTILE[:60])
    strategies = [
        {"name": "direct", "label": HOSTILE},
        {"name": "mapcoder", "params": {"k": 1}, "label": "other"},
    ]
    campaign = start(name=HOSTILE, strategies=strategies)
    work(campaign)
    first, second = CampaignCell.objects.all()
    for path in (
        "/campaigns/",
        f"/campaigns/{campaign.pk}/",
        f"/campaigns/compare/?a={first.pk}&b={second.pk}",
    ):
        html = client.get(path).content.decode()
        assert "<script>alert" not in html and "{{ 7*7 }}" in html, path


def test_lists_and_reports_need_the_same_number_of_queries_however_long_they_are(
    client: Client, engine: Scripted
) -> None:
    sums(2)
    campaign = start()
    work(campaign)
    client.get("/campaigns/")
    few = queries(client, "/campaigns/"), queries(client, f"/campaigns/{campaign.pk}/")
    sums(8)
    for _ in range(3):
        campaign = start(seeds=[0, 1])
        work(campaign, most=20)
    many = queries(client, "/campaigns/"), queries(client, f"/campaigns/{campaign.pk}/")
    assert many[0] == few[0] <= 8
    assert many[1] <= few[1] + 1 <= 16  # an unfinished campaign asks for its ETA besides


def test_pages_of_the_list_and_of_the_matrix_continue_where_the_last_ended(
    client: Client, engine: Scripted, problems: list[Problem], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("solver.campaigns.pages.PAGE", 2)
    monkeypatch.setattr("solver.campaigns.matrix.ROWS", 2)
    ids = [start(name=f"Number {i}").pk for i in range(3)]
    first = client.get("/campaigns/").content.decode()
    assert "Number 2" in first and "Number 0" not in first
    after = re.search(r"\?before=\d+", first)
    assert after and "Number 0" in client.get(f"/campaigns/{after[0]}").content.decode()
    page = client.get(f"/campaigns/{ids[0]}/").content.decode()
    onward = re.search(r"\?after=(\d+)", page)
    assert onward and "Sum 2" not in page
    assert "Sum 2" in client.get(f"/campaigns/{ids[0]}/?after={onward[1]}").content.decode()


def test_the_verbs_act_once_and_only_by_post(
    client: Client, engine: Scripted, problems: list[Problem]
) -> None:
    campaign = start(at_once=1)
    path = f"/campaigns/{campaign.pk}"
    assert client.get(f"{path}/pause/").status_code == 405
    assert client.post(f"{path}/explode/").status_code == 404
    for verb, status in (
        ("pause", "paused"),
        ("resume", "running"),
        ("cancel", "cancelled"),
        ("resume", "running"),
    ):
        assert client.post(f"{path}/{verb}/").status_code == 302
        campaign.refresh_from_db()
        assert campaign.status == status
    said = client.post(f"{path}/resume/", follow=True).content.decode()
    assert "had moved on meanwhile" in said


def test_a_budget_can_be_raised_from_the_page(
    client: Client, engine: Scripted, problems: list[Problem]
) -> None:
    campaign = start(budget={"calls": 1}, at_once=1)
    work(campaign)
    html = client.get(f"/campaigns/{campaign.pk}/").content.decode()
    assert "Set the budget and resume" in html
    refused = client.post(f"/campaigns/{campaign.pk}/budget/", {"calls": "many"}, follow=True)
    assert "budget.calls" in refused.content.decode()
    client.post(f"/campaigns/{campaign.pk}/budget/", {"calls": "", "tokens": "100000"})
    campaign.refresh_from_db()
    assert campaign.live and campaign.budget == {
        "calls": None,
        "tokens": 100000,
        "model_seconds": None,
        "cost": None,
    }


def test_progress_counts_every_place(client: Client, engine: Scripted, problems: list[Problem]) -> None:
    campaign = start(at_once=2)
    work(campaign, most=3)
    text = text_of(client.get(f"/campaigns/{campaign.pk}/progress/").content.decode())
    assert "3 of 6 runs" in text and "2 queued" in text and "1 to come" in text
    assert re.search(r"left, from the last 3 runs, [\d.]+ a minute", text)


def test_the_files_download(client: Client, engine: Scripted) -> None:
    campaign = mixed(engine)
    data = json.loads(client.get(f"/campaigns/{campaign.pk}/report.json").content)
    assert [cell["runs"] for cell in data["cells"]] == [6, 5]
    lines = client.get(f"/campaigns/{campaign.pk}/runs.csv").content.decode().splitlines()
    assert len(lines) == 13 and lines[0].startswith("cell,strategy,engine")
    assert r"\toprule" in client.get(f"/campaigns/{campaign.pk}/table.tex").content.decode()


# -- comparing


def test_two_cells_are_compared_problem_by_problem(client: Client, engine: Scripted) -> None:
    campaign = mixed(engine)
    first, second = CampaignCell.objects.filter(campaign=campaign)
    text = text_of(client.get(f"/campaigns/compare/?a={first.pk}&b={second.pk}").content.decode())
    assert "5 common problems; only in the first 1" in text
    assert "Solved more often by the second" in text and "Sum 1" in text
    assert "strategy direct mapcoder" in text and "parameter k not set 1" in text
    assert "more than one thing" not in text, "a strategy brings its own parameters"


def test_cells_of_two_campaigns_are_compared_and_chance_is_called_chance(
    client: Client, engine: Scripted, problems: list[Problem]
) -> None:
    one = start()
    work(one)
    engine.answers.update({role: WRONG for role in engine.answers if role.value == "coding"})
    other = start()
    work(other)
    a, b = (CampaignCell.objects.filter(campaign=campaign).first() for campaign in (one, other))
    assert a and b
    choose = client.get(f"/campaigns/compare/?a={a.pk}&with={other.pk}").content.decode()
    assert f'<option value="{b.pk}"' in choose
    text = text_of(client.get(f"/campaigns/compare/?a={a.pk}&b={b.pk}").content.decode())
    assert (
        "No setting: what differs is chance" in text and "Solved more often by the first 3 problems" in text
    )


def test_a_difference_with_two_causes_is_called_so(
    client: Client, engine: Scripted, problems: list[Problem]
) -> None:
    one, other = start(), start(seeds=[1])
    a = CampaignCell.objects.filter(campaign=one)[0]
    b = CampaignCell.objects.filter(campaign=other)[1]
    text = text_of(client.get(f"/campaigns/compare/?a={a.pk}&b={b.pk}").content.decode())
    assert "more than one thing (strategy, seeds): the difference has no single cause" in text
    assert "measured no problem in common" in text


# -- a new one


def form(**changes: Any) -> dict[str, Any]:
    base = {
        "name": "From the form", "source": ["test"], "limit": "2", "strategy": ["direct", "mapcoder"],
        "mapcoder.k": "1", "mapcoder.t": "5", "engine": ["scripted"], "seeds": "0", "language": ["python"],
        "judge_profile": "strict", "at_once": "4", "engine_tries": "3",
    }  # fmt: skip
    return {**base, **changes}


def test_the_form_writes_the_yaml_and_the_yaml_starts_the_campaign(
    client: Client, engine: Scripted, problems: list[Problem]
) -> None:
    answer = client.post("/campaigns/draft/", {**form(), "do": "compose"}).json()
    written = read_yaml(answer["yaml"])
    assert answer["ok"] and "4 runs" in text_of(answer["plan"])
    params = {choice.name: choice.params for choice in written.strategies}
    assert params == {"mapcoder": {"k": 1}, "direct": {}} and written.problems.limit == 2
    started = client.post("/campaigns/new/", {"do": "start", "yaml": answer["yaml"], "request_id": "once"})
    again = client.post("/campaigns/new/", {"do": "start", "yaml": answer["yaml"], "request_id": "once"})
    assert started.url == again.url and Campaign.objects.count() == 1  # type: ignore[attr-defined]
    campaign = Campaign.objects.get()
    work(campaign)
    assert campaign.status == CampaignStatus.FINISHED


def test_without_a_script_the_buttons_do_the_same(
    client: Client, engine: Scripted, problems: list[Problem]
) -> None:
    html = client.post("/campaigns/new/", {**form(), "do": "compose"}).content.decode()
    assert "name: From the form" in html and "4 runs" in text_of(html)
    assert 'value="mapcoder" checked' in html


def test_mistakes_are_shown_beside_their_field_and_nothing_starts(
    client: Client, engine: Scripted, problems: list[Problem]
) -> None:
    bad = "name: x\nproblems: {source: nowhere, tags: [none]}\nstrategies: [{name: magic}, {name: mapcoder, params: {k: 99}}]\nmodels: [{engine: nobody}]\nlanguages: [cobol]\njudge_profile: lenient\n"
    answer = client.post("/campaigns/new/", {"do": "start", "yaml": bad})
    text = text_of(answer.content.decode())
    assert answer.status_code == 422 and not Campaign.objects.exists()
    for where in (
        "problems.source",
        "problems.tags",
        "strategies.1.name",
        "strategies.2.params.k",
        "models.1.engine",
        "languages.1",
        "judge_profile",
    ):
        assert where in text, where


def test_a_new_campaign_begins_with_an_engine_that_can_run_it(
    client: Client, engine: Scripted, problems: list[Problem]
) -> None:
    first = {"name": "a-first", "kind": "recorded", "recordings": ["none.jsonl"], "templates": "micro"}
    Engine.objects.create(name="a-first", spec=first)
    html = client.get("/campaigns/new/?preset=versus-direct").content.decode()
    assert "engine: scripted" in html, "the micro prompts have none for direct"
    assert "engine: a-first" in client.get("/campaigns/new/?preset=profiles").content.decode()


def test_every_preset_makes_a_form(client: Client, engine: Scripted, problems: list[Problem]) -> None:
    for preset in PRESETS:
        html = client.get(f"/campaigns/new/?preset={preset.key}").content.decode()
        assert preset.title in html and "Exact YAML" in html


def test_the_ablation_has_the_papers_five_columns(client: Client, transactional_db: None) -> None:
    sums(1)
    models = {
        "default": "base",
        **{role: f"lora-{role}" for role in ("retrieval", "planning", "coding", "debugging")},
    }
    Engine.objects.create(
        name="served",
        spec={
            "name": "served",
            "kind": "openai",
            "base_url": "http://127.0.0.1:9/v1",
            "allow_loopback": True,
            "models": models,
        },
    )
    html = client.get("/campaigns/new/?preset=ablation").content.decode()
    text = text_of(html)
    assert "5 runs" in text and 'value="ablation" selected' in html
    yaml = re.search(r"<textarea[^>]*>(.*?)</textarea>", html, re.S)
    assert yaml
    campaign = lifecycle.start(read_yaml(yaml[1].replace("&#x27;", "'")), publish_to_workers=False)
    roles = [
        {role for role in models if role != "default" and cell.engine["roles"][role] == f"lora-{role}"}
        for cell in CampaignCell.objects.filter(campaign=campaign)
    ]
    assert roles == [
        set(), {"retrieval"}, {"retrieval", "debugging"}, {"retrieval", "debugging", "planning"},
        {"retrieval", "debugging", "planning", "coding"},
    ]  # fmt: skip


def test_adapters_of_an_engine_without_any_are_refused(
    engine: Scripted, problems: list[Problem], client: Client
) -> None:
    yaml = spec(models=[{"engine": "scripted", "adapters": "none"}]).to_yaml()
    text = text_of(client.post("/campaigns/draft/", {"do": "check", "yaml": yaml}).json()["plan"])
    assert "models.1.adapters" in text and "no adapters to switch off" in text


def test_an_engine_that_names_a_model_for_every_role_and_no_base_has_nothing_to_switch_off() -> None:
    models = {
        role: f"model-{role}" for role in ("retrieval", "planning", "confidence", "coding", "debugging")
    }
    address = {"base_url": "http://127.0.0.1:9/v1", "allow_loopback": True}
    assert not has_adapters(EngineSpec.parse({"name": "a", "kind": "openai", "models": models, **address}))
    assert has_adapters(
        EngineSpec.parse({"name": "a", "kind": "openai", "models": {**models, "default": "b"}, **address})
    )


def test_a_finished_run_of_the_same_kind_gives_the_next_plan_a_forecast(
    client: Client, engine: Scripted, problems: list[Problem]
) -> None:
    work(start())
    text = text_of(client.post("/campaigns/draft/", {"do": "check", "yaml": spec().to_yaml()}).json()["plan"])
    assert "Like the earlier runs, it would take about 15 calls" in text
