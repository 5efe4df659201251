"""A long run on a slow network: headers, cards and what is looked for come late, or not at once, and the reader goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.held_request import held, hold, hold_from_the_start, let_go, refuse, send_elsewhere
from tests.browser.keyboard import press_twice
from tests.browser.test_judging import saved
from tests.browser.test_long_run import LENGTH, at, opened, short_stretches, told
from trajectories.models import Judgement

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
__all__ = ["short_stretches"]


def hold_headers_of(page: Page, step: int) -> None:
    """The request for the stretch with this step, which is not in the page yet."""
    assert page.locator(f"#s{step}").count() == 0
    mark = page.locator(f"#steps > .stretch[data-place='{(step - 1) // 20 * 20}']")
    begin, end = mark.get_attribute("data-begin"), mark.get_attribute("data-end")
    hold(page, f"/headers/?begin={begin}&end={end}")


def go_to(page: Page, step: int) -> None:
    page.keyboard.press(":")
    page.keyboard.type(str(step))
    page.keyboard.press("Enter")


def card(step: int) -> str:
    """How its address ends."""
    return f"/steps/{step}/?fragment=card"


def test_what_is_said_in_a_dialog_is_about_the_step_it_was_opened_on(
    live_server_url: str, page: Page
) -> None:
    """The way to another step ends while the dialog is open: the reader comes there when it is closed."""
    opened(page, live_server_url, told())
    page.keyboard.press("j")
    at(page, 1)
    hold_headers_of(page, 88)
    go_to(page, 88)
    held(page)
    page.keyboard.press("c")
    box = page.get_by_role("textbox", name="Comment")
    box.fill("This one.")
    let_go(page)
    expect(page.locator("#s88")).to_be_attached()
    page.wait_for_timeout(300)
    page.keyboard.press("Control+Enter")
    saved(page)
    assert Judgement.objects.get().step == 1
    at(page, 88)


def test_who_turned_back_on_the_way_to_the_last_step_found_does_not_follow_the_run(
    live_server_url: str, page: Page
) -> None:
    teller = told()
    opened(page, live_server_url, teller)
    hold_headers_of(page, 88)
    page.keyboard.press("/")
    page.keyboard.type("value_88")
    expect(page.locator(".find output")).to_have_text(f"1 of {LENGTH}, found by the lab")
    page.locator(".find input").evaluate("field => field.blur()")
    page.keyboard.press("Shift+G")
    held(page)
    page.keyboard.press("/")
    page.keyboard.press("Escape")
    press_twice(page, "g", "#s1[aria-current]")
    at(page, 1)
    let_go(page)
    expect(page.locator("#s88")).to_be_attached()
    page.wait_for_timeout(300)
    last = teller.ask("coding", "new = 1\n", attempt=2)
    expect(page.locator("run-stream")).to_have_attribute("data-last", str(last))
    page.wait_for_timeout(300)
    at(page, 1)


def test_enter_in_the_search_leads_to_what_is_found_though_the_lab_has_not_answered_yet(
    live_server_url: str, page: Page
) -> None:
    opened(page, live_server_url, told())
    hold(page, "/find/?q=value_88")
    page.keyboard.press("/")
    page.keyboard.type("value_88")
    page.keyboard.press("Enter")
    held(page)
    page.wait_for_timeout(300)
    expect(page.locator(".step[aria-current]")).to_have_count(0)
    let_go(page)
    at(page, 88)


def test_a_search_that_is_sent_to_the_sign_in_says_so(live_server_url: str, page: Page) -> None:
    opened(page, live_server_url, told())
    send_elsewhere(page, "/find/?q=value_88")
    page.keyboard.press("/")
    page.keyboard.type("value_88")
    expect(page.locator(".find output")).to_have_text("The lab could not be asked")


def test_a_card_that_could_not_be_fetched_comes_all_the_same(live_server_url: str, page: Page) -> None:
    opened(page, live_server_url, told())
    refuse(page, card(61), times=2)
    go_to(page, 61)
    at(page, 61)
    expect(page.locator("#s61 .code")).to_be_visible()


def test_the_chosen_view_and_the_focus_stay_when_a_header_becomes_a_card(
    live_server_url: str, page: Page
) -> None:
    opened(page, live_server_url, told())
    page.keyboard.press("j")
    page.locator("#s1 .tabs").get_by_text("Full prompt").click()
    expect(page.locator("#s1 [data-pane]:visible")).to_contain_text("lab/")
    hold(page, card(61))
    go_to(page, 61)
    held(page)
    let_go(page)
    at(page, 61)
    expect(page.locator("#s61 .tabs [aria-current]")).to_have_text("Full prompt")
    expect(page.locator("#s61 [data-pane]:visible")).to_contain_text("lab/")


def test_the_focus_stays_on_a_header_that_becomes_a_card(live_server_url: str, page: Page) -> None:
    """It is near enough to be asked for as soon as the page is there."""
    hold_from_the_start(page, card(20))
    opened(page, live_server_url, told())
    held(page)
    expect(page.locator("#s20.bare")).to_have_count(1)
    link = page.locator("#s20 .no")
    link.focus()
    let_go(page)
    expect(page.locator("#s20 .code")).to_be_visible()
    expect(link).to_be_focused()
