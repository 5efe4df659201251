"""The Engines page: what it shows, and adding, editing, pricing, removing an engine from the browser."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from micro import engine_spec
from solver import engine_book
from solver.answers.models import StoredAnswer
from solver.engines.protocol import Usage
from solver.engines.registry import close_all
from solver.engines.served import ServedEngine
from solver.engines.sockets import SOCKETS
from solver.engines.spec import EngineSpec
from solver.models import Engine, EngineService
from solver.prices import book
from solver.serving.models import Wanted
from tests.engines.loopback import answer, serving
from tests.factories import make_problem
from trajectories.models import Run

pytestmark = pytest.mark.django_db(transaction=True)
TEACHER = {
    "name": "teacher",
    "label": "A teacher",
    "base_url": "https://api.example.org/v1",
    "key_env": "TEACHER_API_KEY",
    "model": "big",
    "model.coding": "coder",
    "max_concurrency": "12",
    "temperature": "0.2",
    "takes_seed": "1",
    "stored_answers": "auto",
}
VLLM = {
    "name": "lite",
    "kind": "openai",
    "base_url": "http://127.0.0.1:8100/v1",
    "allow_loopback": True,
    "models": {"default": "base", "coding": "coding@aaaaaaaaaaaa"},
    "adapters": {"coding@aaaaaaaaaaaa": "/models/coding"},
    "vllm": {"python": "/opt/vllm/bin/python", "model": "/models/Qwen2.5-7B-Instruct"},
}


@pytest.fixture(autouse=True)
def _no_shipped_engines(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(engine_book, "shipped", dict)
    yield
    close_all()


def page(client: Client) -> str:
    return client.get("/engines/").content.decode()


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_an_empty_lab_says_how_to_add_an_engine(client: Client) -> None:
    assert "/engines/new/" in page(client) and "nothing could answer" in page(client)


def test_an_engine_is_added_edited_and_removed_in_the_browser(client: Client) -> None:
    assert client.get("/engines/new/").status_code == 200
    assert client.post("/engines/new/", TEACHER).headers["Location"] == "/engines/#teacher"
    spec = engine_book.get("teacher")
    assert spec.models == {"default": "big", "coding": "coder"}
    assert (spec.max_concurrency, spec.sampling.temperature, spec.rpm) == (12, 0.2, None)
    edited = {**TEACHER, "model.coding": "", "rpm": "60", "stored_answers": "never"}
    assert 'value="coder"' in client.get("/engines/teacher/edit/").content.decode()
    assert client.post("/engines/teacher/edit/", edited).status_code == 302
    spec = engine_book.get("teacher")
    assert (spec.models, spec.rpm, spec.stored_answers) == ({"default": "big"}, 60, "never")
    assert client.post("/engines/teacher/remove/").status_code == 302
    assert not Engine.objects.exists()


def test_an_edit_keeps_what_the_form_does_not_show(client: Client) -> None:
    given = {
        "name": "teacher",
        "kind": "openai",
        "base_url": "https://api.example.org/v1",
        "models": {"default": "a"},
    }
    Engine.objects.create(
        name="teacher", spec={**given, "extra_body": {"top_k": 20}, "timeouts": {"total_s": 77}}
    )
    assert client.post("/engines/teacher/edit/", TEACHER).status_code == 302
    spec = engine_book.get("teacher")
    assert (spec.extra_body, spec.timeouts.total_s, spec.label) == ({"top_k": 20}, 77, "A teacher")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"key_env": "sk-verysecret"}, "must be the NAME of an environment variable"),
        ({"key_env": "DATABASE_URL"}, "must not be DATABASE_URL, which is the lab"),
        ({"base_url": "http://169.254.169.254/v1"}, "base_url"),
        ({"base_url": "http://10.1.2.3/v1", "key_env": ""}, "private"),
        ({"base_url": "example.org"}, "must be a full address"),
        ({"name": "Big Teacher"}, "name"),
        ({"model": "", "model.coding": ""}, "needs models"),
        ({"max_concurrency": "many"}, "max_concurrency"),
        ({"temperature": "-1"}, "temperature"),
    ],
)
def test_a_bad_description_is_a_sentence_and_stores_nothing(
    client: Client, change: dict[str, str], sentence: str
) -> None:
    answer = client.post("/engines/new/", {**TEACHER, **change})
    html = answer.content.decode()
    assert answer.status_code == 422 and sentence in words(html) and "verysecret" not in html
    assert 'value="big"' in html or change.get("model") == ""
    assert not Engine.objects.exists()


def test_a_name_is_taken_once(client: Client) -> None:
    client.post("/engines/new/", TEACHER)
    answer = client.post("/engines/new/", {**TEACHER, "model": "other"})
    assert (
        answer.status_code == 422
        and "There is an engine &#x27;teacher&#x27; already" in answer.content.decode()
    )
    assert engine_book.get("teacher").models["default"] == "big"


def test_no_program_of_this_machine_is_named_from_a_browser(client: Client) -> None:
    client.post(
        "/engines/new/", {**TEACHER, "vllm": '{"python": "/bin/sh"}', "base": "/etc", "kind": "transformers"}
    )
    spec = engine_book.get("teacher")
    assert spec.vllm is None and spec.base is None
    Engine.objects.create(name="lite", spec=VLLM)
    sent = {**TEACHER, "base_url": "http://127.0.0.1:9/v1", "model.coding": "x", "key_env": ""}
    assert client.post("/engines/lite/edit/", sent).status_code == 302
    lite = engine_book.get("lite")
    assert lite.base_url == VLLM["base_url"] and lite.models == VLLM["models"] and lite.max_concurrency == 12


def test_a_test_is_kept_with_each_capability_and_says_when_it_is_out_of_date(client: Client) -> None:
    with serving(answer("one ", "two")) as board:
        spec = board.spec().model_dump(mode="json", exclude_defaults=True)
        Engine.objects.create(name="local", spec=spec)
        assert client.post("/engines/local/test/").headers["Location"] == "/engines/#local"
    html = words(page(client))
    for capability in ("streaming", "usage", "seed", "structured output"):
        assert capability in html
    assert "2 pieces in" in html and "its description has changed since" not in html
    Engine.objects.update(spec={**spec, "models": {"default": "another"}})
    assert "its description has changed since" in page(client)


def test_load_money_and_stored_answers_are_shown(client: Client) -> None:
    Engine.objects.create(name="lite", spec=VLLM)
    numbers = {
        "running": 3,
        "waiting": 2,
        "tokens_per_s": 41.5,
        "kv_used": 0.25,
        "prefix_hit": 30,
        "prefix_asked": 40,
    }
    EngineService.objects.create(
        name="lite",
        state="ready",
        beat_at=now() + timedelta(hours=1),
        numbers=numbers,
        adapters={"coding@aaaaaaaaaaaa": "rank 64 > 32"},
    )
    client.post(
        "/engines/lite/price/",
        {"input": "0.15", "output": "0.6", "currency": "EUR", "valid_from": "2026-01-01"},
    )
    spec = engine_book.get("lite")
    assert book.table(spec).prices[0].cost(Usage(10**6, 0)) == Decimal("0.15")
    run = Run(
        problem=make_problem(),
        engine_name="lite",
        request_id="r",
        calls=7,
        prompt_tokens=900,
        status="running",
    )
    run.cost, run.currency = Decimal("0.031"), "EUR"
    run.save()
    moment = now()
    StoredAnswer.objects.create(
        key="k", engine="lite", model="m", reply={}, size=2048, asking_until=moment, answered_at=moment
    )
    html = page(client)
    seen = words(html)
    for fact in ("ready", "3", "41.5", "25 %", "75 %", "0.03 EUR", "900 tokens", "1 (2.0 KB)", "not loaded"):
        assert fact in seen, fact
    assert (
        "rank 64 &gt; 32" in html
        and "data-busy" in html
        and "/opt/vllm" not in html
        and "/models/" not in html
    )
    client.post("/engines/lite/forget/")
    assert not StoredAnswer.objects.exists()
    client.post("/engines/lite/unprice/", {"price": book.rows(spec)[0].pk})
    assert not book.rows(spec)


def test_a_bad_price_is_a_sentence(client: Client) -> None:
    client.post("/engines/new/", TEACHER)
    sent = {"input": "cheap", "output": "1", "currency": "EUR", "valid_from": "2026-01-01"}
    assert "input: Input should be a valid decimal" in words(
        client.post("/engines/teacher/price/", sent, follow=True).content.decode()
    )


def test_start_drain_and_stop_are_wishes_and_only_for_engines_the_lab_runs(client: Client) -> None:
    Engine.objects.create(name="lite", spec=VLLM)
    for verb, wanted in (("stop", Wanted.STOPPED), ("start", Wanted.RUNNING), ("drain", Wanted.DRAINED)):
        client.post(f"/engines/lite/{verb}/")
        assert EngineService.objects.get(name="lite").wanted == wanted
    client.post("/engines/new/", TEACHER)
    html = client.post("/engines/teacher/stop/", follow=True).content.decode()
    assert "does not run teacher itself" in html
    assert client.post("/engines/lite/explode/").status_code == 404
    assert client.get("/engines/lite/stop/").status_code == 405


def test_a_silent_host_is_said(client: Client) -> None:
    Engine.objects.create(name="lite", spec=VLLM)
    assert "manage.py up starts one" in page(client)
    EngineService.objects.create(
        name="lite", state="failed", message="No GPU <b>here</b>", beat_at=now() + timedelta(hours=1)
    )
    assert "No GPU &lt;b&gt;here" in page(client)


def test_hostile_names_are_text(client: Client, settings: Any) -> None:
    client.post("/engines/new/", {**TEACHER, "label": "<script>alert(1)</script>", "model": "<img src=x>"})
    assert "<script>alert" not in page(client) and "<img src=x" not in page(client)


def test_an_engine_on_a_socket_shows_the_socket_not_the_address_it_is_told(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    teacher = EngineSpec.parse(engine_spec.teacher_entry())
    monkeypatch.setattr(engine_book, "shipped", lambda: {teacher.name: teacher})
    assert "a unix socket that manage.py up makes; none here" in page(client)
    monkeypatch.setenv(SOCKETS, json.dumps({teacher.home(): "/run/lab/teacher.sock"}))
    shown = page(client)
    assert "unix socket /run/lab/teacher.sock" in shown and "http://localhost/v1" not in shown


def test_the_own_engines_numbers_are_shown_with_their_units(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = EngineSpec.parse({"name": "own", "kind": "transformers", "base": "/models/base"})
    told = {
        "running": 2,
        "filling": 1,  # prompts being computed have their place in the batch too
        "waiting": 4,
        "tokens_per_s": 31.46,
        "kv_bytes": 256_400_000,
        "kv_most_bytes": 1_024_000_000,
        "reused_tokens": 300,
        "prompt_tokens": 1200,
        "adapters": {},
    }
    monkeypatch.setattr(engine_book, "shipped", lambda: {own.name: own})
    monkeypatch.setenv(SOCKETS, json.dumps({own.home(): "/run/lab/own.sock"}))
    monkeypatch.setattr(ServedEngine, "stats", lambda self: told)
    shown = words(page(client))
    for expected in ("In the batch 3 of 16", "Waiting 4", "31.5 last 10 s", "25 % 256.4 of 1,024 MB"):
        assert expected in shown
    assert shown.count("25 % of prompt tokens since its start") == 1
