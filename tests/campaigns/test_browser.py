"""What only a browser shows: the form that writes the YAML, the check while typing, the report that comes when it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.campaigns.conftest import Scripted, start, work
from trajectories.models import Problem

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_form_writes_the_yaml_and_typing_in_it_is_checked(
    engine: Scripted, problems: list[Problem], live_server_url: str, page: Page
) -> None:
    page.goto(f"{live_server_url}/campaigns/new/?preset=versus-direct")
    yaml, begin = (
        page.get_by_label("Exact YAML of the campaign"),
        page.get_by_role("button", name="Start campaign"),
    )
    page.get_by_label("Name", exact=True).fill("By hand")
    page.get_by_label("At most", exact=True).fill("2")
    page.get_by_text("4 runs").wait_for()
    assert "name: By hand" in yaml.input_value() and "limit: 2" in yaml.input_value()
    yaml.fill(yaml.input_value().replace("limit: 2", "limit: none"))
    page.get_by_text("It cannot start yet").wait_for()
    assert begin.is_disabled() and page.get_by_text("problems.limit").is_visible()
    yaml.fill(yaml.input_value().replace("limit: none", "limit: 3"))
    page.get_by_text("6 runs").wait_for()
    begin.click()
    page.get_by_text("0 of 6 runs", exact=True).wait_for()


def test_progress_moves_by_itself_and_the_report_follows_when_it_is_done(
    engine: Scripted, problems: list[Problem], live_server_url: str, page: Page
) -> None:
    wrong = []
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    campaign = start(at_once=2)
    page.goto(f"{live_server_url}/campaigns/{campaign.pk}/")
    page.get_by_text("0 of 6 runs", exact=True).wait_for()
    work(campaign, most=3)
    page.get_by_text("3 of 6 runs", exact=True).wait_for()
    work(campaign)
    page.get_by_text("finished", exact=True).wait_for()
    page.get_by_text("100.0 % [43.9, 100.0]").first.wait_for()
    page.locator(".mark-run").first.click()
    page.wait_for_url("**/runs/*/")
    assert not wrong


@pytest.mark.parametrize("width", [390, 1440])
def test_wide_tables_scroll_inside_their_panel(
    engine: Scripted, problems: list[Problem], live_server_url: str, page: Page, width: int
) -> None:
    campaign = start(strategies=[{"name": name} for name in ("direct", "cot", "mapcoder")])
    work(campaign)
    page.set_viewport_size({"width": width, "height": 800})
    for path in (f"/campaigns/{campaign.pk}/", "/campaigns/new/", "/campaigns/"):
        page.goto(live_server_url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
