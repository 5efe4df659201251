"""A run of many steps in a real browser: not all of it is in the page, and nobody who reads it needs to know."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.keyboard import press_twice
from tests.pages.telling import Teller
from trajectories import review

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LENGTH = 120
# Every stretch and header near enough has been fetched: nothing grows any more.
STILL = """() => ![...document.querySelectorAll('#steps > .stretch, #steps > .step.bare')].some(each => {
    const {top, bottom} = each.getBoundingClientRect(); return bottom > -1500 && top < innerHeight + 1500; })"""


@pytest.fixture(autouse=True)
def short_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trajectories.pages.FULL_STEPS", 20)
    monkeypatch.setattr("trajectories.skeleton.STRETCH", 20)


def told(length: int = LENGTH) -> Teller:
    teller = Teller()
    teller.begin()
    for number in range(1, length + 1):
        teller.ask(
            "planning" if number % 50 == 5 else "coding",
            f"value_{number} = 1\n" * 6,
            attempt=1 + number // 70,
        )
    return teller


def opened(page: Page, url: str, teller: Teller, step: str = "") -> None:
    page.set_viewport_size({"width": 1280, "height": 700})
    page.goto(f"{url}/runs/{teller.run.pk}/{step}")
    page.wait_for_function("() => document.querySelector('run-stream')?.last !== undefined")


def at(page: Page, step: int) -> None:
    expect(page.locator(f"#s{step}")).to_have_attribute("aria-current", "step")
    expect(page.locator(f"#s{step}")).to_be_in_viewport()
    expect(page.locator(f"#o{step} a")).to_have_attribute("aria-current", "step")


def ordered(page: Page) -> None:
    """What is there stands in order, once, and has its line in the outline."""
    there, lines = page.evaluate(
        """() => ['#steps > .step', '#outline > li[data-agent]'].map(
            every => [...document.querySelectorAll(every)].map(e => Number(e.id.slice(1))))"""
    )
    assert there == sorted(set(there)) and lines == there


def test_a_link_to_a_step_far_inside_lands_on_it_and_reading_goes_on_from_there(
    live_server_url: str, page: Page
) -> None:
    opened(page, live_server_url, told(), "#s72")
    at(page, 72)
    expect(page.locator("#s72 .code")).to_be_visible()
    for step in (71, 70, 69):
        page.keyboard.press("k")
        at(page, step)
    ordered(page)


def test_keys_cross_from_stretch_to_stretch_and_to_both_ends(live_server_url: str, page: Page) -> None:
    opened(page, live_server_url, told())
    page.keyboard.press("Shift+G")
    at(page, LENGTH)
    page.keyboard.press("[")
    at(page, LENGTH - 1)
    page.keyboard.press("h")
    at(page, 105)
    page.keyboard.press("[")
    at(page, 55)
    press_twice(page, "g", "#s1[aria-current]")
    at(page, 1)
    page.keyboard.press("]")
    at(page, 2)
    page.keyboard.press(":")
    page.keyboard.type("61")
    page.keyboard.press("Enter")
    at(page, 61)
    expect(page.locator("#peers-at")).to_have_text("59 of 117")
    ordered(page)


def test_held_keys_travel_as_far_as_they_were_pressed(live_server_url: str, page: Page) -> None:
    opened(page, live_server_url, told())
    for _ in range(70):
        page.keyboard.press("j")
    at(page, 70)
    for _ in range(30):
        page.keyboard.press("k")
    at(page, 40)
    ordered(page)


def test_words_are_looked_for_by_the_lab_and_agents_put_away_everywhere(
    live_server_url: str, page: Page
) -> None:
    opened(page, live_server_url, told())
    page.keyboard.press("/")
    page.keyboard.type("VALUE_88")
    expect(page.locator(".find output")).to_have_text(f"1 of {LENGTH}, found by the lab")
    page.keyboard.press("Enter")
    at(page, 88)
    expect(page.locator("#steps > .step:visible")).to_have_count(1)
    page.keyboard.press("/")
    page.keyboard.press("Escape")
    page.keyboard.press("3")
    expect(page.locator("#hidden-note")).to_have_text("Hidden: 117 steps of coding")
    page.keyboard.press("Shift+G")
    at(page, 105)
    page.keyboard.press("k")
    at(page, 55)
    ordered(page)


def test_scrolling_brings_what_is_passed_slowly(live_server_url: str, page: Page) -> None:
    opened(page, live_server_url, told())
    assert page.locator("#s90").count() == 0
    page.evaluate("document.getElementById('s20').scrollIntoView()")
    expect(page.locator("#s50")).to_be_attached()
    expect(page.locator("#o50")).to_be_attached()
    ordered(page)


def test_steps_that_arrive_are_the_end_and_a_reader_of_the_middle_does_not_move(
    live_server_url: str, page: Page
) -> None:
    teller = told(260)
    opened(page, live_server_url, teller, "#s215")
    at(page, 215)
    expect(page.locator("#s215 .code")).to_be_visible()
    page.wait_for_function(STILL)
    top = "document.querySelector('#s215').getBoundingClientRect().top"
    before = page.evaluate(top)
    for number in range(5):
        teller.ask("coding", f"new = {number}\n", attempt=2)
    said = review.blame(teller.run, "coding", actor="anna", step=120)
    assert said is not None
    last = said.seq
    expect(page.locator("run-stream")).to_have_attribute("data-last", str(last))
    assert page.evaluate(top) == before
    assert page.locator("#s120").count() == 0
    page.keyboard.press("Shift+G")
    at(page, 260 + 5)
    page.keyboard.press(":")
    page.keyboard.type("120")
    page.keyboard.press("Enter")
    at(page, 120)
    expect(page.locator("#o120 .said-blamed")).to_be_attached()
    ordered(page)
