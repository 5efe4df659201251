"""The other pages on a slow network: filters, forms that are checked as one types, and parts that are asked for
again while one looks."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.furnished import training_under_way
from tests.browser.held_request import (
    held,
    hold,
    let_go,
    let_go_and_hold_the_next,
    refuse,
    send_elsewhere,
)
from tests.browser.test_judging import told
from tests.browser.test_review_desk import failed
from tests.browser.test_review_desk import opened as desk_opened
from tests.campaigns.conftest import Scripted, engine, problems, start
from tests.conftest import SOON_MS
from tests.pages.telling import FIRST, MENDED
from tests.training.test_adapters import imported
from tests.training.versions import micro_version
from training import exams
from training.models import DatasetRow, ExamAnswer
from trajectories.models import Judgement, Problem

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
__all__ = ["engine", "problems"]


def marked(page: Page) -> None:
    """To tell whether it is loaded anew."""
    page.evaluate("document.body.dataset.marked = 'yes'")


def still(page: Page) -> Locator:
    return page.locator("body[data-marked]")


# -- filters


def test_a_list_that_was_closed_is_not_opened_by_an_answer_under_way(
    live_server_url: str, page: Page
) -> None:
    page.goto(f"{live_server_url}/runs/")
    page.get_by_label("Filter runs").focus()
    shown = page.locator("ul.complete:visible li")
    page.keyboard.type("b")
    expect(shown.filter(has_text="blame:")).to_be_visible()
    hold(page, "?text=bl")
    page.keyboard.type("l")
    held(page)
    page.keyboard.press("Escape")
    expect(shown).to_have_count(0)
    expect(page.get_by_label("Filter runs")).to_have_value("bl")
    let_go(page)
    page.wait_for_timeout(500)
    expect(shown).to_have_count(0)


# -- forms


def draft(page: Page, url: str) -> tuple[Locator, Locator, str]:
    """The YAML, the button that starts it, and the address that checks it."""
    page.goto(f"{url}/campaigns/new/?preset=versus-direct")
    yaml = page.get_by_label("Exact YAML of the campaign")
    begin = page.get_by_role("button", name="Start campaign")
    expect(begin).to_be_enabled()
    return yaml, begin, str(page.locator("form.draft").get_attribute("data-check"))


def test_what_is_written_in_the_yaml_outlives_a_late_answer_to_the_form(
    engine: Scripted, problems: list[Problem], live_server_url: str, page: Page
) -> None:
    yaml, begin, check = draft(page, live_server_url)
    hold(page, check)
    page.get_by_label("At most", exact=True).fill("2")
    held(page)
    yaml.fill(yaml.input_value().replace("name: ", "name: Mine ", 1))
    let_go(page, json.dumps({"yaml": "name: Late", "plan": "", "ok": True}))
    expect(begin).to_be_enabled()
    assert "name: Mine " in yaml.input_value()


def test_a_campaign_starts_with_the_form_as_it_is_and_no_sooner(
    engine: Scripted, problems: list[Problem], live_server_url: str, page: Page
) -> None:
    yaml, begin, check = draft(page, live_server_url)
    hold(page, check)
    page.get_by_label("At most", exact=True).fill("2")
    expect(begin).to_be_disabled()
    held(page)
    let_go(page)
    expect(begin).to_be_enabled()
    assert "limit: 2" in yaml.input_value()
    refuse(page, check)
    page.get_by_label("At most", exact=True).fill("1")
    expect(page.locator("#said")).to_contain_text("The lab does not answer")
    expect(begin).to_be_enabled()
    begin.click()
    page.get_by_text("0 of 2 runs", exact=True).wait_for()


def test_a_form_older_than_the_sign_in_is_sent_with_the_key_that_counts(
    live_server_url: str, page: Page
) -> None:
    """Signing in again, in another tab, exchanges the key; nobody should have to load the page anew for it."""
    page.goto(f"{live_server_url}/runs/")
    page.keyboard.press("s")
    page.get_by_label(re.compile("Name of")).fill("All runs")
    page.context.add_cookies([{"name": "csrftoken", "value": "b" * 32, "url": live_server_url}])
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="All runs")).to_be_visible()


def test_what_was_taken_is_accepted_once_and_as_it_was_when_the_key_was_pressed(
    live_server_url: str, page: Page
) -> None:
    bad, good = told(FIRST, "WA"), told(MENDED, "AC")
    page.goto(f"{live_server_url}/compare/?a={bad.pk}&b={good.pk}")
    page.keyboard.press("ArrowRight")
    hold(page, "/compare/take/")
    page.keyboard.press("a")
    held(page)
    page.keyboard.press("a")
    expect(page.locator("#said")).to_have_text("This is being accepted")
    expect(page.locator(".take input:checked:enabled")).to_have_count(0)
    let_go(page)
    expect(page.locator(".messages")).to_contain_text("is corrected with 1 part")
    assert Judgement.objects.count() == 1


# -- a reader's own keys


def exchange(page: Page, usual: str, pressed: str) -> None:
    page.keyboard.press("?")
    page.locator(f"#key-sheet kbd[data-key={usual}]").click()
    page.keyboard.press(pressed)
    expect(page.locator(f"#key-sheet kbd[data-key={usual}]")).to_have_text(pressed)
    page.keyboard.press("Escape")
    expect(page.locator("#key-sheet")).to_be_hidden()


def kept(page: Page, url: str, **keys: str) -> None:
    """The lab has these."""
    for _ in range(SOON_MS // 100):
        found = page.request.get(f"{url}/keys/").json()["keys"]
        if keys.items() <= found.items():
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"the lab has {found}")


def test_an_exchanged_key_is_shown_in_every_open_tab(live_server_url: str, page: Page) -> None:
    failed(1)
    other = page.context.new_page()
    for tab in (other, page):
        desk_opened(tab, live_server_url)
    page.bring_to_front()
    exchange(page, "b", "q")
    expect(other.locator("[data-do=blame] kbd")).to_have_text("q")


def test_a_key_that_could_not_be_sent_is_sent_with_the_next_visit(live_server_url: str, page: Page) -> None:
    failed(1)
    desk_opened(page, live_server_url)
    refuse(page, "/keys/")
    exchange(page, "b", "q")
    page.evaluate("sessionStorage.clear()")
    page.reload()
    kept(page, live_server_url, b="q")
    expect(page.locator("[data-do=blame] kbd")).to_have_text("q")


def test_of_two_exchanges_the_lab_keeps_the_later_though_the_first_arrives_late(
    live_server_url: str, page: Page
) -> None:
    failed(1)
    desk_opened(page, live_server_url)
    hold(page, "/keys/")
    exchange(page, "b", "q")
    held(page)
    exchange(page, "x", "w")
    page.wait_for_timeout(500)
    let_go(page)
    page.wait_for_timeout(500)
    kept(page, live_server_url, b="q", x="w")


# -- parts that are asked for again


def test_a_campaign_that_ends_loads_its_report_once_nobody_chooses_anything(
    engine: Scripted, problems: list[Problem], live_server_url: str, page: Page
) -> None:
    page.goto(f"{live_server_url}/campaigns/{start().pk}/")
    marked(page)
    hold(page, "/progress/")
    held(page)
    page.locator("select[name=with]").focus()
    let_go(page, '<div data-status="finished">finished</div>')
    expect(page.locator("campaign-progress")).to_have_text("finished")
    page.wait_for_timeout(500)
    expect(still(page)).to_have_count(1)
    page.locator("select[name=with]").blur()
    expect(still(page)).to_have_count(0)


def test_the_focus_stays_on_a_link_of_the_progress(
    engine: Scripted, problems: list[Problem], live_server_url: str, page: Page
) -> None:
    page.goto(f"{live_server_url}/campaigns/{start().pk}/")
    told = '<div data-status="running"><a href="/runs/1/">run {}</a></div>'
    hold(page, "/progress/")
    held(page)
    let_go_and_hold_the_next(page, told.format(1))
    link = page.locator("campaign-progress a")
    link.focus()
    held(page)
    let_go(page, told.format(2))
    expect(link).to_have_text("run 2")
    expect(link).to_be_focused()


def test_the_sign_in_takes_the_place_of_no_part_that_is_asked_for_again(
    engine: Scripted, problems: list[Problem], live_server_url: str, page: Page
) -> None:
    page.goto(f"{live_server_url}/campaigns/{start().pk}/")
    marked(page)
    send_elsewhere(page, "/progress/")
    page.wait_for_timeout(3000)
    expect(still(page)).to_have_count(1)
    expect(page.locator("campaign-progress")).to_contain_text("0 of 6 runs")
    page.goto(f"{live_server_url}/training/runs/{training_under_way().pk}/")
    seq = page.locator("training-live [data-seq]").get_attribute("data-seq")
    send_elsewhere(page, f"after={seq}")
    page.wait_for_timeout(2000)
    expect(page.locator("training-live")).to_contain_text("Curves")


def test_an_unfolded_prompt_of_an_exam_stays_so_while_answers_arrive(
    live_server_url: str, page: Page
) -> None:
    exam = exams.start(imported("planning", "planning"), micro_version("planning"), publish_to_workers=False)
    page.goto(f"{live_server_url}/training/exams/{exam.pk}/")
    prompt = page.locator("#exam-rows details").first
    prompt.locator("summary").click()
    page.locator("h1").click()
    row = DatasetRow.objects.filter(version=exam.dataset, split="eval").order_by("position")[0]
    ExamAnswer.objects.create(exam=exam, row=row, column="base", text="1. Read it.", right=False)
    expect(page.locator("#exam-rows")).to_contain_text("1. Read it.")
    expect(prompt).to_have_js_property("open", True)
