"""The registry: import, promote, roll back, export; runs in flight keep what they were started with; its pages."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from solver import engine_book, runs
from solver.campaigns.models import Campaign, CampaignStatus
from solver.engines.adapters import BadAdapter
from solver.engines.protocol import EngineRefused
from solver.models import ServedAdapter
from tests.factories import problem_spec
from training import adapters, model_card
from training.adapter_models import AdapterState
from training.models import (
    Adapter,
    AdapterEvaluation,
    Promotion,
)
from trajectories.models import Problem
from trajectories.problems import store

pytestmark = pytest.mark.django_db
SHIPPED = Path(settings.BASE_DIR) / "micro/artefact/adapters"
POINTS = {
    "n": 40,
    "won": 9,
    "lost": 1,
    "p": 0.02,
    "points": 20.0,
    "low": 6.0,
    "high": 33.0,
    "base": {},
    "new": {},
}


def imported(role: str = "coding", like: str = "") -> Adapter:
    """The shipped adapter of `like` (or of the role itself) as one of somebody's own."""
    return adapters.import_folder(SHIPPED / (like or role), role=role, engine="micro")


def micro_problem(name: str = "micro/x") -> Problem:
    return store(problem_spec(id=name, source="micro", statement=f"{name}: print the sum."))[0]


def evaluated(*chosen: Adapter, served: dict[str, Any] | None = None, **changes: Any) -> None:
    """As measured against the base with `changes`, and against what serves now with `served`."""
    now = engine_book.adapted_roles(engine_book.get(chosen[0].engine))
    result = {
        "together": [one.name for one in chosen],
        **POINTS,
        **changes,
        "served": {"roles": now, **POINTS, **(served or {})},
    }
    campaign = Campaign.objects.create(
        name="x",
        spec={},
        spec_digest="0",
        request_id=str(len(Campaign.objects.all())),
        status=CampaignStatus.FINISHED,
    )
    made = AdapterEvaluation.objects.create(campaign=campaign, result=result)
    made.adapters.set(chosen)
    Adapter.objects.filter(pk__in=[one.pk for one in chosen]).move(AdapterState.EVALUATED)
    for one in chosen:
        one.refresh_from_db()


def roles(**changes: str) -> dict[str, str]:
    own = {
        "retrieval": "retrieval",
        "planning": "planning",
        "confidence": "planning",
        "coding": "coding",
        "debugging": "debugging",
    }
    return {**own, **changes}


def test_an_imported_adapter_is_named_by_its_weights_and_the_same_weights_are_one_adapter() -> None:
    made = imported()
    assert made.name == f"coding@{made.digest[:12]}" and made.folder.is_dir() and str(made) == "coding@1"
    assert made.base_fingerprint and (made.rank, made.modules[0]) == (16, "down_proj")
    assert imported().pk == made.pk and Adapter.objects.count() == 1
    assert ServedAdapter.objects.get().active is False


def test_weights_that_are_here_for_another_role_are_not_taken_for_what_was_asked_for(client: Client) -> None:
    imported("planning")
    asked = {"folder": str(SHIPPED / "planning"), "role": "debugging", "engine": "micro"}
    page = client.post("/training/adapters/import/", asked, follow=True).content.decode()
    assert "These weights are adapter planning@1 already, which answers planning on" in page


def test_the_next_runs_use_a_promoted_adapter_and_those_under_way_keep_theirs() -> None:
    problem, made = micro_problem(), imported(like="debugging")
    before = runs.start(problem, engine="micro", publish_to_workers=False)
    evaluated(made)
    adapters.promote(made, actor="anna")
    after = runs.start(problem, engine="micro", publish_to_workers=False)
    assert before.engine["roles"] == roles() and after.engine["roles"] == roles(coding=made.name)
    assert after.engine["adapters"][made.name] == made.digest and made.name not in before.engine["adapters"]
    for run in (before, after):
        spec = engine_book.get_unchanged("micro", run.engine)
        assert (made.name in spec.adapters) == (run is after)
    assert adapters.serving("micro", "coding") == made
    adapters.roll_back("micro", "coding", actor="anna")
    assert engine_book.roles_of(engine_book.get("micro")) == roles()
    assert engine_book.get_unchanged("micro", after.engine).adapters[made.name] == str(made.folder)
    assert [move.reason for move in Promotion.objects.order_by("pk")] == ["", "rolled back"]


def test_rolling_back_brings_the_adapter_before_back_and_planning_takes_its_confidence_call_along() -> None:
    first, second = imported("planning", "coding"), imported("planning")
    for one in (first, second):
        evaluated(one)
        adapters.promote(one)
    assert engine_book.roles_of(engine_book.get("micro")) == roles(
        planning=second.name, confidence=second.name
    )
    adapters.roll_back("micro", "planning", of=second)
    with pytest.raises(adapters.Refused, match="has changed meanwhile"):
        adapters.roll_back("micro", "planning", of=second)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == (AdapterState.PROMOTED, AdapterState.RETIRED)
    assert engine_book.roles_of(engine_book.get("micro"))["planning"] == first.name
    adapters.roll_back("micro", "planning")
    assert engine_book.roles_of(engine_book.get("micro")) == roles(), "one further back, not to and fro"
    adapters.promote(second, anyway=True)
    adapters.promote(first, anyway=True)
    assert adapters.served_before("micro", "planning") == second
    Promotion.objects.create(
        engine="micro", role="planning", adapter=second, previous=first, rolled_back=True
    )
    Promotion.objects.create(
        engine="micro", role="planning", adapter=first, previous=second, rolled_back=True
    )
    assert adapters.served_before("micro", "planning") == second, "two that toggled, as they did once"
    adapters.retire(first)
    assert engine_book.roles_of(engine_book.get("micro")) == roles()
    with pytest.raises(adapters.Refused, match="nothing to roll back"):
        adapters.roll_back("micro", "planning")


def test_weights_that_were_changed_behind_the_lab_end_the_run_instead_of_answering_it() -> None:
    made = imported(like="debugging")
    evaluated(made)
    adapters.promote(made)
    run = runs.start(micro_problem(), engine="micro", publish_to_workers=False)
    (made.folder / "adapter_model.safetensors").write_bytes(b"other")
    try:
        with pytest.raises(EngineRefused, match="is gone or is not what it was"):
            engine_book.get_unchanged("micro", run.engine)
    finally:
        shutil.rmtree(made.folder)


def test_what_cannot_be_served_is_refused_at_import(tmp_path: Path) -> None:
    with pytest.raises(BadAdapter, match=r"adapter_model.safetensors is missing"):
        adapters.import_folder(tmp_path, role="coding", engine="micro")
    other = tmp_path / "other"
    shutil.copytree(SHIPPED / "coding", other)
    (other / "base.json").write_text(json.dumps({"fingerprint": "1" * 64}))
    with pytest.raises(adapters.Refused, match="trained on another base"):
        adapters.import_folder(other, role="coding", engine="micro")
    with pytest.raises(adapters.Refused, match="There is no role"):
        adapters.import_folder(SHIPPED / "coding", role="poet", engine="micro")
    with pytest.raises(adapters.Refused, match=r"neither a folder|could not be fetched"):
        adapters.fetch("no/such-adapter")


def test_the_export_is_a_peft_folder_with_a_card_that_says_where_it_came_from(client: Client) -> None:
    import io
    import zipfile

    made = imported()
    evaluated(made)
    answer = client.get(f"/training/adapters/{made.pk}/export.zip")
    names = zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    assert sorted(Path(name).name for name in names) == [
        "README.md", "adapter_config.json", "adapter_model.safetensors", "base.json",
    ]  # fmt: skip
    card = model_card.text(made)
    assert made.digest in card and card.count("+20.0 points [+6.0, +33.0]") == 2 and "40 problems" in card


@pytest.mark.parametrize("number", ["9" * 20, "²", "-1", "0000209" + "9" * 5000])
def test_numbers_that_cannot_be_are_no_adapter_and_no_count(client: Client, number: str) -> None:
    for address in ("/training/adapters/evaluate/", "/training/adapters/promote/"):
        assert client.post(address, {"adapter": number, "problems": number}).status_code == 302, address
    assert client.post(f"/training/adapters/{imported().pk}/exam/", {"dataset": number}).status_code == 302


def test_a_folder_whose_name_is_too_long_is_refused_in_a_sentence(client: Client) -> None:
    wrong = {"folder": "x" * 5000, "role": "coding", "engine": "micro"}
    page = client.post("/training/adapters/import/", wrong, follow=True).content.decode()
    assert "cannot be a folder: File name too long" in page


def test_pages_say_what_to_do_when_there_is_nothing_and_show_what_there_is(client: Client) -> None:
    empty = client.get("/training/").content.decode()
    assert "Build a dataset version" in empty and "No adapter yet" in empty
    assert (
        "No dataset version is ready" in client.get("/training/new/").content.decode()
        or "ready dataset version" in client.get("/training/new/").content.decode()
    )
    made = imported()
    page = client.get(f"/training/adapters/{made.pk}/").content.decode()
    assert "has not been evaluated" in page and "Promote anyway" in page
    client.post(f"/training/adapters/{made.pk}/promote/", {"anyway": "1"})
    assert "Roll back" in client.get(f"/training/adapters/{made.pk}/").content.decode()
    assert "serving" in client.get("/training/").content.decode()
    refused = client.post(
        "/training/adapters/import/",
        {"folder": "/nowhere/at-all", "role": "coding", "engine": "micro"},
        follow=True,
    )
    assert "neither a folder" in refused.content.decode()
