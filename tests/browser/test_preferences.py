"""Two answers beside each other, judged blind by keyboard: arrows and the equals sign, skip, undo, and what is shown after."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.review.desk_runs import correction_of, failed_run, problem
from trajectories.desk.models import Choice, Preference
from trajectories.desk.pairs import Pair
from trajectories.models import Run, Step

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SAVED = re.compile(r"^Saved \d\d:\d\d$")


def at(page: Page, run: Run) -> None:
    expect(page.locator("#item")).to_have_attribute("data-key", f"{run.pk}-3")


def on_left(run: Run) -> bool:
    this, other = (
        Step.objects.select_related("run").get(run=pk, number=3) for pk in (run.pk, run.branch_of_id)
    )
    return Pair(this, other).on_left


def test_pairs_are_judged_with_the_arrows_and_shown_for_what_they_are_afterwards(
    live_server_url: str, page: Page
) -> None:
    made = [correction_of(failed_run(problem(n, title=f"Item {n}"), f"print({n})")) for n in range(5)][::-1]
    page.goto(f"{live_server_url}/review/?queue=a-or-b")
    for run, key in zip(made, ("ArrowLeft", "ArrowRight", "=", "s"), strict=False):
        at(page, run)
        expect(page.locator(".sides")).not_to_contain_text("original")
        page.keyboard.press(key)
    at(page, made[4])
    expect(page.locator("#saved")).to_have_text(SAVED)
    expect(page.locator("#left")).to_have_text("1")
    said = dict(Preference.objects.values_list("run", "choice"))
    left, right = (Choice.THIS, Choice.OTHER), (Choice.OTHER, Choice.THIS)
    assert said == {
        made[0].pk: left[not on_left(made[0])],
        made[1].pk: right[not on_left(made[1])],
        made[2].pk: Choice.EQUAL,
        made[3].pk: Choice.SKIP,
    }
    page.keyboard.press("u")
    at(page, made[3])
    expect(page.locator(".sides")).not_to_contain_text("original")
    page.keyboard.press("Shift+U")
    expect(page.locator(".sides")).to_contain_text("original")
    expect(page.locator(".sides")).to_contain_text("edited answer")
    page.get_by_role("link", name="Preferences").click()
    expect(page.locator("main tbody tr")).to_have_count(1)
    expect(page.locator("main tbody tr")).to_contain_text("edited answer")
    expect(page.locator("main")).to_contain_text("1 skipped")


def test_the_views_of_a_pair_turn_and_its_keys_are_in_the_sheet(live_server_url: str, page: Page) -> None:
    correction_of(failed_run())
    page.goto(f"{live_server_url}/review/?queue=a-or-b")
    expect(page.locator("#pane-aligned")).to_be_visible()
    for pane in ("whole", "asked", "statement", "aligned"):
        page.keyboard.press("d")
        expect(page.locator(f"#pane-{pane}")).to_be_visible()
    keys = page.eval_on_selector_all(
        "main [aria-keyshortcuts]",
        "all => all.filter(e => !e.closest('dialog')).map(e => e.getAttribute('aria-keyshortcuts'))",
    )
    assert len(keys) == len(set(keys)), "two controls claim one key"
    assert {"ArrowLeft", "ArrowRight", "=", "s", "u", "Shift+U", "d", "g", "Shift+J", "Shift+K"} == set(keys)
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keys on this page")
    for words in ("Left is better", "Right is better", "Equal", "Skip", "Undo"):
        expect(sheet.locator("dd", has_text=words).first).to_be_visible()
