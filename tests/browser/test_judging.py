"""Judging, correcting, replaying and comparing from the run page, by keyboard, with a second tab looking on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.held_request import send_elsewhere, send_home
from tests.pages.telling import FIRST, MENDED, Teller, prepare
from trajectories import review
from trajectories.models import Blame, Decision, Judgement, Run

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SAVED = re.compile(r"^Saved \d\d:\d\d$")


def told(program: str, verdict: str) -> Run:
    teller = Teller()
    teller.begin()
    prepare(teller)
    teller.ask("coding", program, f"Here.\n```python\n{program}\n```", attempt=1)
    teller.test(program, [verdict])
    teller.test(program, [verdict, "AC"], suite="hidden")
    return teller.end(verdict=verdict, code=program)


def opened(page: Page, url: str, run: Run, step: int) -> None:
    page.goto(f"{url}/runs/{run.pk}/#s{step}")
    expect(page.locator("#live")).to_have_attribute("data-state", "ended")
    expect(page.locator("#judging-step")).to_have_text(f"s{step}")


def saved(page: Page) -> None:
    expect(page.locator("#saved")).to_have_text(SAVED)


def test_every_verb_has_a_key_and_is_seen_at_once_in_every_open_tab(live_server_url: str, page: Page) -> None:
    run = told(FIRST, "WA")
    other = page.context.new_page()
    opened(other, live_server_url, run, 2)
    page.bring_to_front()
    opened(page, live_server_url, run, 2)
    page.keyboard.press("b")
    page.keyboard.press("2")
    for tab in (page, other):
        expect(tab.locator("#s2 .blame")).to_have_text("Blamed")
        expect(tab.locator("#o2 .said-blamed")).to_have_count(1)
        expect(tab.locator("#judging-said")).to_contain_text("blame: planning")
    page.keyboard.press("x")
    page.keyboard.press("1")
    expect(other.locator("#s2")).to_contain_text("rejected, wrong")
    page.keyboard.press("c")
    page.keyboard.type("The minus is wrong.")
    page.keyboard.press("Control+Enter")
    expect(other.locator("#judging-said")).to_contain_text("The minus is wrong.")
    saved(page)
    for gone in ("1 comment", "rejected, wrong", "Blamed"):
        expect(other.locator("#s2")).to_contain_text(gone)
        page.keyboard.press("u")
        expect(other.locator("#s2 .step-h")).not_to_contain_text(gone)
    assert not Blame.objects.exists() and not Decision.objects.exists()
    page.keyboard.press("Shift+U")
    expect(other.locator("#s2 .blame")).to_have_text("Blamed")
    assert Judgement.objects.filter(verb="undo").count() == 4


def test_an_edited_step_is_a_correction_and_its_replay_a_branch(live_server_url: str, page: Page) -> None:
    run = told(FIRST, "WA")
    opened(page, live_server_url, run, 6)
    page.keyboard.press("e")
    box = page.locator("#edit-dialog textarea")
    expect(box).to_have_value(f"Here.\n```python\n{FIRST}\n```")
    box.fill(f"```python\n{MENDED}\n```")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#s6")).to_contain_text("corrected")
    assert Judgement.objects.get(verb="correct").value["text"] == f"```python\n{MENDED}\n```"
    page.keyboard.press("Shift+R")
    page.wait_for_url(re.compile(r"/steps/6/replays/"))  # and its scripts have run
    expect(page.locator("textarea")).to_have_value(f"```python\n{MENDED}\n```")
    page.locator(".times").fill("2")
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+R")
    expect(page.locator("#branches")).to_contain_text("2 replays, 2 running")
    assert run.branches.count() == 2
    page.locator("#branches a").first.click()
    expect(page.locator("#run-head")).to_contain_text(f"A replay of run {run.pk}")
    expect(page.locator("#s5")).to_contain_text("frozen")


def test_parts_of_a_better_run_are_taken_by_keyboard(live_server_url: str, page: Page) -> None:
    bad, good = told(FIRST, "WA"), told(MENDED, "AC")
    page.goto(f"{live_server_url}/compare/?a={bad.pk}&b={good.pk}")
    page.keyboard.press("n")
    expect(page.locator("[data-difference][aria-current]")).to_be_in_viewport()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#taken")).to_have_text("1")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#taken")).to_have_text("0")
    page.keyboard.press("Shift+ArrowRight")
    send_elsewhere(page, "/compare/take/")
    page.keyboard.press("a")
    expect(page.locator("#said")).to_contain_text("You are signed out; nothing further was accepted")
    assert not Judgement.objects.exists()
    send_home(page)
    # Whoever signs in elsewhere has another token from then on, and the page still holds the old one.
    page.evaluate(
        "document.querySelectorAll('[name=csrfmiddlewaretoken]').forEach(box => { box.value = 'a'.repeat(64) })"
    )
    page.keyboard.press("a")
    expect(page.locator(".messages")).to_contain_text("is corrected with 1 part")
    assert Judgement.objects.get().value["text"] == f"Here.\n```python\n{MENDED}\n```"


def test_scrubbers_agent_filters_and_citations_lead_to_steps(live_server_url: str, page: Page) -> None:
    run = told(FIRST, "WA")
    review.blame(run, "planning", actor="super", source="supervisor", confidence=0.8)
    opened(page, live_server_url, run, 2)
    expect(page.locator("#peers-at")).to_have_text("1 of 4")
    page.locator("#peers").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#s3")).to_have_attribute("aria-current", "step")
    page.locator("#s1").click(position={"x": 200, "y": 10})
    page.keyboard.press("2")
    expect(page.locator("#hidden-note")).to_have_text("Hidden: 4 steps of planning")
    page.keyboard.press("j")
    expect(page.locator("#s6")).to_have_attribute("aria-current", "step")


def test_the_page_of_a_long_run_opens_bodies_as_the_reader_comes_near(
    live_server_url: str, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trajectories.pages.FULL_STEPS", 10)
    teller = Teller()
    teller.begin()
    for number in range(60):
        teller.ask("coding", f"x = {number}\n" * 20, attempt=1)
    run = teller.end()
    page.goto(f"{live_server_url}/runs/{run.pk}/")
    expect(page.locator("#s1 .code")).to_be_visible()
    assert page.locator(".step.bare").count() > 10
    page.keyboard.press("Shift+G")
    expect(page.locator("#s60 .code")).to_be_visible()
    expect(page.locator("#s60")).to_be_in_viewport()
    expect(page.locator("#s60")).to_have_attribute("aria-current", "step")


def test_every_key_of_the_page_does_something_and_is_on_the_sheet(live_server_url: str, page: Page) -> None:
    """Each key of the page is pressed once; the act of its element must have run."""
    told(MENDED, "AC")
    run = told(FIRST, "WA")
    told(MENDED, "AC")
    opened(page, live_server_url, run, 2)
    keys = page.evaluate(
        """() => {
        window.acted = new Set();
        const all = [...document.querySelectorAll('[aria-keyshortcuts]')].filter(e => !e.disabled && !e.closest('dialog'));
        for (const e of all) for (const kind of ['click', 'focus'])
            e.addEventListener(kind, event => { window.acted.add(e.getAttribute('aria-keyshortcuts')); if (e.matches('a')) event.preventDefault(); }, true);
        return all.map(e => [e.getAttribute('aria-keyshortcuts'), 'twice' in e.dataset]);
    }"""
    )
    page.keyboard.press("?")
    expect(page.locator("#key-sheet")).to_be_visible()
    sheet = page.locator("#key-sheet dl").inner_text()
    page.keyboard.press("Escape")
    expect(page.locator("#key-sheet")).to_be_hidden()
    assert len(keys) >= 30
    for key, twice in keys:
        name = key.split(" ")[0]
        if name == "Shift+R":  # goes to another page; its own test follows it
            continue
        last = name.rsplit("+", 1)[-1]
        assert last.lower() in sheet.lower() or last == "Space", key
        for _ in range(
            30 if twice else 1
        ):  # two presses within 600 ms, which a busy machine may miss at first
            for _ in range(1 + twice):
                page.keyboard.press(name)
            if twice and key in page.evaluate("[...window.acted]"):
                break
        assert key in page.evaluate("[...window.acted]"), key
        if name == "e":  # its dialog opens once the answer has come
            expect(page.locator("#edit-dialog")).to_be_visible()
        page.evaluate(
            "() => { document.querySelectorAll('dialog[open]').forEach(d => d.close()); document.activeElement.blur(); document.querySelectorAll('[popover]').forEach(p => p.matches(':popover-open') && p.hidePopover()); }"
        )
