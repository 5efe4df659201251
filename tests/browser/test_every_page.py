"""Every page, in both themes and at both widths: no serious accessibility fault and nothing wider than the window; and
nothing that a model wrote is executed, exports included."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.browser.furnished import NO_PAGE, furnish
from tests.pages.test_hostile import CORPUS, hostile_run
from tests.runs.conftest import Scripted
from tests.supervision.conftest import engine, listening
from trajectories import review
from trajectories.models import Run

if TYPE_CHECKING:
    from playwright.sync_api import Dialog, Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
__all__ = ["engine", "listening"]
AXE = (Path(__file__).parent.parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
# The theme changes colours alone, so in the dark only what depends on them is looked at again.
CHECK = """async () => {
  const all = {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']};
  const colours = {runOnly: {type: 'rule', values: ['color-contrast', 'link-in-text-block']}};
  const told = [];
  for (const [theme, rules] of [['light', all], ['dark', colours]]) {
    document.documentElement.dataset.theme = theme;
    const found = await axe.run(document, rules);
    told.push(...found.violations.filter(v => ['serious', 'critical'].includes(v.impact)).map(v =>
      `${theme} ${v.id}: ${v.nodes.slice(0, 3).map(n => n.target + ' ' + (n.any[0]?.message ?? '')).join(' | ')}`));
  }
  return told;
}"""
WIDER = """() => {
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= room) return [];
  const clipped = (e) => e.parentElement && (getComputedStyle(e.parentElement).overflowX !== 'visible' || clipped(e.parentElement));
  const out = [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > room + 1 && !clipped(e));
  return [`${document.documentElement.scrollWidth} px in ${room} px: ` +
    out.slice(-4).map(e => `${e.tagName.toLowerCase()}.${e.className?.baseVal ?? e.className}`).join(', ')];
}"""
WIDTHS = (1280, 390)
# Whatever a page asks for at once has come, and nothing of it is exchanged any more while it is looked at.
COUNT_REQUESTS = """(() => { const real = window.fetch; window.underWay = 0;
  window.fetch = (...all) => { window.underWay += 1; return real(...all).finally(() => { window.underWay -= 1 }) } })()"""
STILL = """() => { if (window.underWay || document.querySelector('[data-stale]')) return false;
  window.fetch = () => new Promise(() => {}); return true }"""
EXPECTED = {"/nowhere/": 404, "/runs/?q=nonsense%3A": 200}  # what goes wrong is a page too


def page_names(patterns: list[URLPattern | URLResolver] | None = None) -> Iterator[str]:
    """The named routes outside the API."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            if str(pattern.pattern) != "api/":
                yield from page_names(pattern.url_patterns)
        elif pattern.name:
            yield pattern.name


def test_every_page_is_accessible_in_both_themes_and_fits_both_widths(
    listening: Scripted, live_server_url: str, page: Page
) -> None:
    """A route that is new belongs among the addresses, or among those that show no page."""
    found = furnish(listening).addresses()
    assert set(page_names()) == set(found) | NO_PAGE
    page.context.add_init_script(COUNT_REQUESTS)
    page.context.add_init_script(AXE)  # evaluated by the driver, so that the pages' policy stays as it is
    faults: dict[str, list[str]] = {}
    for address in (*found.values(), *EXPECTED, "/compare/", "/review/?queue=a-or-b-runs"):
        page.set_viewport_size({"width": WIDTHS[0], "height": 900})
        answer = page.goto(live_server_url + address)
        assert answer is not None and answer.status == EXPECTED.get(address, 200), address
        page.wait_for_function(STILL)
        told = list(page.evaluate(CHECK))
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            told += page.evaluate(WIDER)
        if told:
            faults[address] = told
    assert not faults, "\n".join(f"{address} {found}" for address, found in faults.items())


def hostile_addresses(run: Run) -> Iterator[str]:
    yield from ("/", "/runs/", "/review/", f"/problems/{run.problem_id}/", f"/compare/?a={run.pk}&b={run.pk}")
    for step in run.steps.all():
        yield f"/runs/{run.pk}/steps/{step.number}/?tab=raw"
        yield f"/runs/{run.pk}/steps/{step.number}/replays/"


def test_nothing_of_the_corpus_is_executed_on_any_page_or_in_any_export(
    live_server_url: str, page: Page, tmp_path: Path
) -> None:
    """All of the corpus in one run: every page it reaches, every view opened, every export opened from disk."""
    run = hostile_run("\n".join(CORPUS))
    review.comment(run, 1, "\n".join(CORPUS), actor=CORPUS[0])
    review.blame(run, "coding", actor=CORPUS[2][:150], cause=CORPUS[2][:64], reason="\n".join(CORPUS))
    dialogs: list[str] = []

    def dismissed(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dismissed)
    for address in hostile_addresses(run):
        page.goto(live_server_url + address)
        assert page.evaluate("window.pwned") is None, address
    page.goto(f"{live_server_url}/runs/{run.pk}/#s1")
    for _ in range(run.step_count):
        for tab in page.locator(".step[aria-current] .tabs a").all():
            tab.click()
        page.locator("#judging-said").wait_for()
        page.keyboard.press("j")
    page.wait_for_timeout(500)
    assert page.evaluate("window.pwned") is None
    for form in ("html", "md", "jsonl", "otel"):
        exported = tmp_path / f"run.{'html' if form == 'html' else 'html.txt'}"
        exported.write_bytes(Client().get(f"/runs/{run.pk}/export/{form}/").content)
        page.goto(exported.as_uri())
        assert page.evaluate("window.pwned") is None, form
    assert dialogs == []
