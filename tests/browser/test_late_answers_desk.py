"""The review desk on a slow network: answers come in another order than they were asked for, or not at all, and the
reviewer works on meanwhile."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import expect

from tests.browser.held_request import (
    held,
    hold,
    hold_from_the_start,
    let_go,
    refuse,
    send_elsewhere,
    serve_again,
)
from tests.browser.test_review_desk import at, failed, opened, saved
from tests.review.desk_runs import correction_of, failed_run, problem
from trajectories.models import Blame, Judgement, Run

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
UNSAID = {"left": None, "median": None, "done": 1, "met": "", "held": False, "toast": ""}
NO_NETWORK = """() => { window.real = window.fetch;
    window.fetch = (url, more) => String(url).endsWith('/say/') ? Promise.reject(new TypeError()) : real(url, more); }"""


def item(run: Run) -> str:
    """How the address of its item ends."""
    return f"/review/items/{run.pk}/3/?queue=failed"


def blame(page: Page, agent: int = 2) -> None:
    page.keyboard.press("b")
    page.keyboard.press(str(agent))


def signed_in(page: Page, url: str, name: str) -> None:
    client = Client()
    client.force_login(User.objects.get_or_create(username=name)[0])
    page.context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": url}])


def test_who_has_gone_on_since_an_undo_is_not_fetched_back_by_its_answer(
    live_server_url: str, page: Page
) -> None:
    first, second, third = failed(3)
    opened(page, live_server_url)
    blame(page)
    at(page, second)
    saved(page)
    hold(page, "/review/say/")
    page.keyboard.press("u")
    held(page)
    page.keyboard.press("Shift+J")
    at(page, third)
    let_go(page)
    expect(page.locator("#met")).to_be_visible()
    expect(page.locator(f".queue li[data-key='{first.pk}-3']")).not_to_have_attribute("data-done", "")
    page.wait_for_timeout(300)
    at(page, third)
    assert not Blame.objects.exists()


def test_two_undos_in_a_row_lead_to_the_item_of_the_second(live_server_url: str, page: Page) -> None:
    first, second, third = failed(3)
    opened(page, live_server_url)
    for after in (second, third):
        blame(page)
        at(page, after)
    saved(page)
    hold(page, "/review/say/")
    page.keyboard.press("u")
    page.keyboard.press("u")
    held(page)
    let_go(page)
    at(page, first)
    saved(page)
    assert not Blame.objects.exists()


def test_an_item_that_could_not_be_loaded_comes_by_itself_only_while_it_is_wanted(
    live_server_url: str, page: Page
) -> None:
    """The next try of the one must not overtake the other, which was chosen meanwhile and is still on its way."""
    *_, fourth, fifth = failed(5)
    opened(page, live_server_url)
    refuse(page, item(fourth), times=None)
    hold(page, item(fifth))
    page.locator(f".queue li[data-key='{fourth.pk}-3'] a").click()
    expect(page.locator("#middle")).to_contain_text("The lab cannot be reached")
    page.locator(f".queue li[data-key='{fifth.pk}-3'] a").click()
    held(page)
    serve_again(page)  # a next try would bring the fourth
    page.wait_for_timeout(2000)
    expect(page.locator("#item")).to_have_count(0)
    let_go(page)
    at(page, fifth)


def test_next_item_pressed_twice_goes_two_further_though_the_first_has_not_come(
    live_server_url: str, page: Page
) -> None:
    _, second, third = failed(3)
    hold_from_the_start(page, item(second))
    opened(page, live_server_url)
    held(page)
    page.keyboard.press("Shift+J")
    page.keyboard.press("Shift+J")
    at(page, third)
    let_go(page)
    page.wait_for_timeout(300)
    at(page, third)


def test_an_acceptance_that_the_lab_holds_is_told_where_the_reviewer_is_elsewhere(
    live_server_url: str, page: Page
) -> None:
    """Its toast on another item would have the next press of the key accept that other one."""
    runs = [correction_of(failed_run(problem(n, title=f"Item {n}"), f"print({n})")) for n in range(3)][::-1]
    opened(page, live_server_url, "corrections")
    at(page, runs[0])
    hold(page, "/review/say/")
    page.keyboard.press("a")
    held(page)
    at(page, runs[1])
    page.keyboard.press("Shift+J")
    at(page, runs[2])
    expect(page.locator("#toast .toast")).to_have_count(0)
    say = {**UNSAID, "held": True, "toast": '<section class="toast">Accept?</section>'}
    let_go(page, json.dumps({**say, "item": f"{runs[0].pk}-3", "sentence": "Held: a copy of another row"}))
    expect(page.locator("#met")).to_have_text("Item 2: Held: a copy of another row")
    expect(page.locator(f".queue li[data-key='{runs[0].pk}-3']")).not_to_have_attribute("data-done", "")
    page.wait_for_timeout(300)
    at(page, runs[2])
    expect(page.locator("#toast .toast")).to_have_count(0)


def test_a_filter_being_written_stays_when_the_queue_is_renewed(live_server_url: str, page: Page) -> None:
    (only,) = failed(1)
    opened(page, live_server_url)
    hold(page, "/review/?queue=failed")
    blame(page)
    held(page)
    page.get_by_text("Filter and order of this queue").click()
    field = page.locator("#queue [name=filter]")
    field.fill("verdict:wa agent:cod")
    let_go(page)
    expect(page.locator("#queue")).to_contain_text("Nothing waits here.")
    expect(page.locator("#queue > *")).to_have_count(3)
    expect(field).to_have_value("verdict:wa agent:cod")
    expect(field).to_be_focused()
    assert Blame.objects.get().run == only


def test_the_focus_and_the_keys_of_the_reader_outlive_a_renewed_queue(
    live_server_url: str, page: Page
) -> None:
    (only,) = failed(1)
    opened(page, live_server_url)
    page.keyboard.press("?")
    page.locator("#key-sheet kbd[data-key='Shift+J']").click()
    page.keyboard.press("q")
    page.keyboard.press("Escape")
    expect(page.locator("#key-sheet")).to_be_hidden()
    hold(page, "/review/?queue=failed")
    onward = page.get_by_role("button", name="Next item")
    onward.focus()
    page.keyboard.press("Enter")
    held(page)
    page.evaluate("document.querySelector('#queue ol').dataset.old = 'yes'")
    let_go(page)
    expect(page.locator("#queue ol[data-old]")).to_have_count(0)
    expect(onward).to_be_focused()
    expect(onward.locator("kbd")).to_have_text("q")
    at(page, only)


def test_a_refusal_is_still_told_when_the_next_judgement_has_been_saved(
    live_server_url: str, page: Page
) -> None:
    first, second, third = failed(3)
    opened(page, live_server_url)
    hold(page, "/review/say/")
    for after in (second, third):
        blame(page)
        at(page, after)
    held(page)
    let_go(page, json.dumps({"error": "Run 1 has no step 3."}))
    saved(page)
    expect(page.locator("#met")).to_have_text("Run 1 has no step 3.")
    expect(page.locator(f".queue li[data-key='{first.pk}-3']")).not_to_have_attribute("data-done", "")
    assert Blame.objects.get().run == second


def test_a_correction_is_a_draft_until_the_lab_has_it(live_server_url: str, page: Page) -> None:
    failed(1)
    opened(page, live_server_url)
    hold(page, "/review/say/")
    page.keyboard.press("e")
    box = page.get_by_label("The corrected answer")
    box.fill("```python\nprint(1)\n```")
    page.keyboard.press("Control+Enter")
    held(page)
    let_go(page, json.dumps({"error": "The lab has no room for it."}))
    expect(page.locator("#met")).to_have_text("The lab has no room for it.")
    page.keyboard.press("e")
    expect(box).to_have_value("```python\nprint(1)\n```")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#pane-correction")).to_contain_text("print(1)")
    page.keyboard.press("e")
    expect(page.locator("#draft")).to_have_text("")
    assert Judgement.objects.get().value["text"] == "```python\nprint(1)\n```"


def test_the_view_and_the_lines_chosen_since_stay_when_a_comment_arrives(
    live_server_url: str, page: Page
) -> None:
    failed_run(problem(1), "a = 1\nb = 2\nc = 3")
    opened(page, live_server_url)
    hold(page, "/review/say/")
    page.keyboard.press("c")
    page.get_by_role("textbox", name="Comment").fill("One.")
    page.keyboard.press("Control+Enter")
    held(page)
    page.locator("#s3-L2").click()
    page.keyboard.press("d")
    pane = page.locator("#item .pane:visible")
    name = pane.get_attribute("id")
    assert name != "pane-original"
    let_go(page)
    expect(page.get_by_label("Comments")).to_contain_text("One.")
    expect(pane).to_have_attribute("id", str(name))
    page.keyboard.press("c")
    expect(page.locator("#comment-lines")).to_have_text("on line 2")


def test_what_another_tab_has_sent_no_longer_waits_here(live_server_url: str, page: Page) -> None:
    first, _ = failed(2)
    opened(page, live_server_url)
    page.evaluate(NO_NETWORK)
    blame(page)
    expect(page.locator("#saved")).to_contain_text("Offline, 1 kept")
    other = page.context.new_page()
    opened(other, live_server_url)
    saved(other)
    saved(page)
    assert Blame.objects.get().run == first


def test_a_network_that_comes_back_is_no_longer_told_to_be_away(live_server_url: str, page: Page) -> None:
    failed(1)
    opened(page, live_server_url)
    page.context.set_offline(True)
    expect(page.locator("#saved")).to_contain_text("Offline, 0 kept")
    page.context.set_offline(False)
    saved(page)


def test_what_one_person_said_is_not_sent_as_the_word_of_another(live_server_url: str, page: Page) -> None:
    """Somebody else signs in, in another tab, before the judgement could be sent."""
    first, _ = failed(2)
    signed_in(page, live_server_url, "anna")
    opened(page, live_server_url)
    page.evaluate(NO_NETWORK)
    blame(page)
    expect(page.locator("#saved")).to_contain_text("Offline, 1 kept")
    signed_in(page, live_server_url, "ben")
    page.evaluate("() => { window.fetch = window.real }")
    expect(page.locator("#saved")).to_contain_text("Signed out, 1 kept")
    assert not Judgement.objects.exists()
    signed_in(page, live_server_url, "anna")
    saved(page)
    assert [(one.run, one.actor) for one in Blame.objects.all()] == [(first, "anna")]


def test_of_two_views_of_the_maps_the_one_chosen_last_is_shown(live_server_url: str, page: Page) -> None:
    failed(1)
    opened(page, live_server_url)
    first, last = page.locator("#maps [data-map]").nth(1), page.locator("#maps [data-map]").nth(2)
    hold(page, str(first.get_attribute("href")))
    first.click()
    held(page)
    last.focus()
    page.keyboard.press("Enter")
    expect(last).to_have_attribute("aria-current", "true")
    expect(last).to_be_focused()
    let_go(page)
    page.wait_for_timeout(500)
    expect(last).to_have_attribute("aria-current", "true")


def test_the_page_of_the_sign_in_is_shown_in_no_part_of_the_desk(live_server_url: str, page: Page) -> None:
    *_, fourth = failed(4)
    opened(page, live_server_url)
    send_elsewhere(page, item(fourth))
    page.locator(f".queue li[data-key='{fourth.pk}-3'] a").click()
    expect(page.locator("#middle")).to_contain_text("The lab cannot be reached")
    expect(page.locator("#middle .topbar")).to_have_count(0)
    link = page.locator("#maps [data-map]").nth(2)
    send_elsewhere(page, str(link.get_attribute("href")))
    link.click()
    expect(page.locator("#said")).to_have_text("The maps could not be loaded")
    expect(page).to_have_url(re.compile("/review/"))
