"""The run page on a slow network: answers come in another order than they were asked for, or not at all, and the reader
goes on meanwhile."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.held_request import held, hold, let_go, refuse, send_elsewhere
from tests.browser.test_judging import opened, saved, told
from tests.browser.test_live_page import ids, open_live, settled, stands_at, started
from tests.pages.telling import FIRST, PLAN, whole_run
from trajectories import review
from trajectories.models import Blame, Judgement

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
CLIPBOARD = (
    "Object.defineProperty(navigator.clipboard, 'writeText', {value: async text => { window.copied = text }})"
)


# -- judging


def test_the_panel_names_the_step_that_the_keys_judge_though_one_came_back_before_its_answer(
    live_server_url: str, page: Page
) -> None:
    run = told(FIRST, "WA")
    opened(page, live_server_url, run, 2)
    expect(page.locator("#judging-said")).to_contain_text("No judgement yet.")
    hold(page, "/steps/3/said/")
    page.keyboard.press("j")
    held(page)
    expect(page.locator("#judging-step")).to_have_text("s3")
    page.keyboard.press("k")
    expect(page.locator("#judging-step")).to_have_text("s2")
    let_go(page, "<p>said of step 3</p>")
    page.wait_for_timeout(300)
    expect(page.locator("#judging-said")).to_contain_text("No judgement yet.")


def test_an_older_answer_does_not_take_away_what_was_said_since(live_server_url: str, page: Page) -> None:
    run = told(FIRST, "WA")
    opened(page, live_server_url, run, 2)
    expect(page.locator("#judging-said")).to_contain_text("No judgement yet.")
    hold(page, "/steps/2/said/")
    page.keyboard.press("b")
    page.keyboard.press("2")
    held(page)
    saved(page)
    page.keyboard.press("x")
    page.keyboard.press("1")
    expect(page.locator("#judging-said .history li")).to_have_count(2)
    let_go(page, "<p>Nobody has said anything.</p>")
    page.wait_for_timeout(300)
    expect(page.locator("#judging-said .history li")).to_have_count(2)


def test_a_step_whose_judgements_cannot_be_loaded_does_not_show_those_of_another(
    live_server_url: str, page: Page
) -> None:
    run = told(FIRST, "WA")
    review.blame(run, "planning", actor="anna", step=2)
    opened(page, live_server_url, run, 2)
    expect(page.locator("#judging-said")).to_contain_text("anna")
    refuse(page, "/steps/3/said/")
    page.keyboard.press("j")
    expect(page.locator("#judging-said")).to_contain_text("could not be loaded")
    expect(page.locator("#judging-said")).not_to_contain_text("anna")
    page.keyboard.press("k")
    page.keyboard.press("j")
    expect(page.locator("#judging-said")).to_contain_text("No judgement yet.")


def test_an_answer_to_edit_opens_no_dialog_over_what_is_being_typed(live_server_url: str, page: Page) -> None:
    opened(page, live_server_url, told(FIRST, "WA"), 6)
    hold(page, "/steps/6/copy/answer/")
    page.keyboard.press("e")
    held(page)
    page.keyboard.press("/")
    page.keyboard.type("app")
    let_go(page)
    page.wait_for_timeout(500)
    page.keyboard.type("les")
    expect(page.locator("#edit-dialog")).to_be_hidden()
    expect(page.get_by_label("Find in steps")).to_have_value("apples")


def test_the_sign_in_is_no_answer_to_be_edited_or_copied(live_server_url: str, page: Page) -> None:
    page.add_init_script(CLIPBOARD)
    opened(page, live_server_url, told(FIRST, "WA"), 6)
    send_elsewhere(page, "/steps/6/copy/answer/")
    page.keyboard.press("e")
    expect(page.locator("#said")).to_have_text("The answer could not be loaded")
    expect(page.locator("#edit-dialog")).to_be_hidden()
    send_elsewhere(page, "/steps/6/copy/markdown/")
    page.keyboard.press("y")
    expect(page.locator("#said")).to_have_text("This copy could not be made")
    assert page.evaluate("window.copied") is None


def test_a_comment_keeps_the_lines_it_names_when_the_card_is_exchanged_meanwhile(
    live_server_url: str, page: Page
) -> None:
    run = told(FIRST, "WA")
    opened(page, live_server_url, run, 6)
    page.locator("#s6-L1").click(position={"x": 120, "y": 8})
    page.keyboard.press("c")
    expect(page.locator("#comment-lines")).to_have_text("on line 1")
    page.get_by_role("textbox", name="Comment").fill("The minus is wrong.")
    review.blame(run, "coding", actor="anna", step=6)
    expect(page.locator("#s6 .blame")).to_have_text("Blamed")
    page.keyboard.press("Control+Enter")
    saved(page)
    assert Judgement.objects.get(verb="comment").value["lines"] == [1, 1]
    expect(page.locator("#s6-L1")).to_have_class("picked")


def test_a_refusal_stays_though_the_next_judgement_is_saved(live_server_url: str, page: Page) -> None:
    opened(page, live_server_url, told(FIRST, "WA"), 2)
    hold(page, "/review/say/")
    for agent in "25":
        page.keyboard.press("b")
        page.keyboard.press(agent)
    held(page)
    let_go(page, json.dumps({"error": "It has no room."}))
    saved(page)
    expect(page.locator("#toast")).to_have_text("s2: It has no room.")
    assert Blame.objects.get().agent == "none"


# -- reading


def test_of_two_tests_of_the_strip_the_one_opened_last_is_shown(live_server_url: str, page: Page) -> None:
    page.goto(f"{live_server_url}/runs/{whole_run().pk}/#s10")
    cases = page.locator("#s10 .cases a")
    hold(page, f"{cases.nth(0).get_attribute('href')}?fragment=1")
    cases.nth(0).click()
    held(page)
    cases.nth(1).click()
    expect(page.locator("#s10 .case-slot")).to_contain_text("5 6")
    let_go(page, "<p>the first test</p>")
    page.wait_for_timeout(300)
    expect(page.locator("#s10 .case-slot")).to_contain_text("5 6")


def test_a_test_that_cannot_be_opened_takes_nobody_off_the_page(live_server_url: str, page: Page) -> None:
    page.goto(f"{live_server_url}/runs/{whole_run().pk}/#s10")
    case = page.locator("#s10 .cases a").nth(1)
    refuse(page, f"{case.get_attribute('href')}?fragment=1")
    case.click()
    expect(page.locator("#s10 .case-slot")).to_contain_text("could not be loaded")
    case.click()
    expect(page.locator("#s10 .case-slot")).to_contain_text("5 6")


def test_an_open_test_outlives_a_judgement_of_its_step(live_server_url: str, page: Page) -> None:
    run = whole_run()
    page.goto(f"{live_server_url}/runs/{run.pk}/#s10")
    expect(page.locator("#live")).to_have_attribute("data-state", "ended")
    page.locator("#s10 .cases a").nth(1).click()
    expect(page.locator("#s10 .case-slot")).to_contain_text("5 6")
    said = review.comment(run, 10, "Look at the second.", actor="anna")
    expect(page.locator("#s10 .step-h")).to_contain_text("1 comment")
    expect(page.locator("#s10 .case-slot")).to_contain_text("5 6")
    assert said is not None


def test_the_clipboard_holds_what_was_copied_last(live_server_url: str, page: Page) -> None:
    page.add_init_script(CLIPBOARD)
    page.goto(f"{live_server_url}/runs/{whole_run().pk}/#s2")
    stands_at(page, "s2")
    hold(page, "/steps/2/copy/markdown/")
    page.keyboard.press("y")
    held(page)
    page.keyboard.press("j")
    page.keyboard.press("y")
    expect(page.locator("#said")).to_have_text("Copied")
    last = page.evaluate("window.copied")
    let_go(page)
    page.wait_for_timeout(500)
    assert page.evaluate("window.copied") == last != ""


# -- following


def two_steps_missed(live_server_url: str, page: Page) -> tuple[str, int]:
    """Two steps that the page has not heard of: the last event it has, and the last there is."""
    teller = started()
    open_live(page, live_server_url, teller)
    at = str(page.locator("run-stream").get_attribute("data-last"))
    page.evaluate("document.querySelector('run-stream').close()")
    teller.ask("planning", PLAN)
    last = teller.ask("planning", PLAN)
    return at, last


def receive(page: Page, last: int) -> None:
    """The socket tells of the last one alone."""
    page.evaluate(
        "last => document.querySelector('run-stream').receive({t: 'event', seq: last, kind: 'x', patches: []})",
        last,
    )


def test_an_event_whose_log_could_not_be_read_is_asked_for_again(live_server_url: str, page: Page) -> None:
    """It may be the last one: nothing would ever come after it."""
    at, last = two_steps_missed(live_server_url, page)
    refuse(page, f"/patches/?after={at}")
    receive(page, last)
    settled(page, last)
    assert ids(page) == ["s1", "s2", "s3"]


def test_nothing_moves_on_a_page_that_was_paused_while_the_log_was_asked(
    live_server_url: str, page: Page
) -> None:
    at, last = two_steps_missed(live_server_url, page)
    hold(page, f"/patches/?after={at}")
    receive(page, last)
    held(page)
    page.keyboard.press("Space")
    expect(page.locator("#live")).to_have_attribute("data-state", "paused")
    let_go(page)
    expect(page.locator("#live")).to_contain_text("Paused (1 new)")
    assert ids(page) == ["s1"]
    page.keyboard.press("Space")
    settled(page, last)
    assert ids(page) == ["s1", "s2", "s3"]


def test_who_goes_to_a_step_right_after_scrolling_to_the_end_is_not_taken_back_to_it(
    live_server_url: str, page: Page
) -> None:
    """A moment after the wheel the page looks whether the end is in sight; by then a key may have led elsewhere."""
    teller = started()
    for _ in range(4):
        teller.ask("planning", PLAN)
    open_live(page, live_server_url, teller)
    page.set_viewport_size({"width": 1280, "height": 600})
    page.keyboard.press("Shift+G")
    page.evaluate(
        "() => { dispatchEvent(new WheelEvent('wheel')); document.querySelector('[data-do=previous]').click(); }"
    )
    page.wait_for_timeout(500)
    before = page.evaluate("scrollY")
    for _ in range(3):
        last = teller.ask("planning", PLAN)
    settled(page, last)
    stands_at(page, "s4")
    assert page.evaluate("scrollY") == before


def test_who_turned_the_wheel_upwards_is_not_taken_back_though_the_page_moves_late(
    live_server_url: str, page: Page
) -> None:
    """A browser tells of the wheel before it moves the page, and a busy one some time before."""
    teller = started()
    page.set_viewport_size({"width": 1280, "height": 600})
    open_live(page, live_server_url, teller)
    for _ in range(6):
        last = teller.ask("planning", PLAN)
    settled(page, last)
    page.wait_for_function(
        "() => scrollY > 600 && document.getElementById('tail-end').getBoundingClientRect().top < innerHeight"
    )
    page.evaluate("() => dispatchEvent(new WheelEvent('wheel', {deltaY: -300}))")
    page.wait_for_timeout(500)
    page.evaluate("scrollBy(0, -600)")
    settled(page, teller.ask("planning", PLAN))
    expect(page.locator(".tail")).to_contain_text("1 new step below")
    expect(page.locator(f"#s{teller.step}")).not_to_be_in_viewport()


def test_a_command_of_the_palette_works_though_an_event_has_exchanged_its_button(
    live_server_url: str, page: Page
) -> None:
    teller = started()
    teller.ask("planning", PLAN)
    open_live(page, live_server_url, teller)
    page.keyboard.press("Control+k")
    page.get_by_label("Go to or do").fill("next step")
    expect(page.locator("#palette-list li").first).to_contain_text("Next step")
    settled(page, teller.ask("planning", PLAN))
    page.keyboard.press("Enter")
    stands_at(page, "s1")
