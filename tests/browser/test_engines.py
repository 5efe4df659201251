"""The Engines page in a real browser: an engine is added, tested and priced, and its load follows by itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils.timezone import now
from playwright.sync_api import expect

from solver.engines.registry import close_all
from solver.models import Engine, EngineService
from tests.engines.loopback import answer, serving
from tests.pages.test_engines import VLLM

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _engines_are_closed() -> Iterator[None]:
    yield
    close_all()


def test_an_engine_is_added_tested_and_priced(live_server_url: str, page: Page) -> None:
    page.goto(f"{live_server_url}/engines/")
    page.keyboard.press("n")
    with serving(answer("one ", "two")) as board:
        page.get_by_label("Name", exact=True).fill("local")
        page.get_by_label("Address").fill(board.url)
        page.get_by_label("Every agent").fill("small")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("alert")).to_contain_text("base_url")
        page.get_by_label("it runs on this machine").check()
        page.get_by_role("button", name="Save").click()
        card = page.get_by_label("Engine local")
        card.get_by_role("button", name="Test connection").click()
        expect(card.get_by_role("row", name="streaming")).to_contain_text("2 pieces")
    card.get_by_text("Prices").click()
    card.get_by_label("Valid from").fill("2026-01-01")
    card.get_by_label("Input", exact=True).fill("0.15")
    card.get_by_label("Output").fill("0.6")
    card.get_by_role("button", name="Add a price").click()
    expect(
        card.get_by_role("cell", name="0.15", exact=True)
    ).to_be_visible()  # also said of how long the test took


def test_the_load_of_an_engine_follows_without_a_reload(live_server_url: str, page: Page) -> None:
    Engine.objects.create(name="lite", spec=VLLM)
    numbers = {
        "running": 3,
        "waiting": 1,
        "tokens_per_s": 41.5,
        "kv_used": 0.2,
        "prefix_hit": 1,
        "prefix_asked": 4,
    }
    later = now() + timedelta(hours=1)  # its host has not fallen silent, however long the page takes
    EngineService.objects.create(name="lite", state="ready", beat_at=later, numbers=numbers)
    page.goto(f"{live_server_url}/engines/")
    live = page.locator("#live-lite")
    expect(live).to_contain_text("41.5")
    page.evaluate("window.here = true")
    EngineService.objects.update(numbers={**numbers, "tokens_per_s": 77.5})
    expect(live).to_contain_text("77.5")
    assert page.evaluate("window.here") is True
    page.get_by_role("button", name="Drain").click()
    expect(page.get_by_role("button", name="Start")).to_be_visible()
