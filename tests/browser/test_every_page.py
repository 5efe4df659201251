"""Every page in both themes: no serious accessibility fault, and nothing that a model wrote is executed, exports included."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.test import Client

from tests.browser.test_judging import told
from tests.pages.telling import FIRST, MENDED
from tests.pages.test_hostile import CORPUS, hostile_run
from trajectories import review
from trajectories.models import Run

if TYPE_CHECKING:
    from playwright.sync_api import Dialog, Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
AXE = (Path(__file__).parent.parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
CHECK = """async () => {
  const found = await axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']});
  return found.violations.filter(v => ['serious', 'critical'].includes(v.impact))
    .map(v => `${v.id}: ${v.nodes.slice(0, 3).map(n => n.target + ' ' + (n.any[0]?.message ?? '')).join(' | ')}`);
}"""


def addresses(run: Run, other: Run) -> list[str]:
    """One of each kind of page."""
    return [
        "/",
        "/problems/",
        f"/problems/{run.problem_id}/",
        "/runs/",
        f"/runs/{run.pk}/#s6",
        f"/runs/{run.pk}/steps/6/?tab=whole",
        f"/runs/{run.pk}/steps/6/replays/",
        f"/runs/{run.pk}/steps/7/cases/1/",
        f"/compare/?a={run.pk}&b={other.pk}",
        "/compare/",
        "/review/",
        "/campaigns/",
        "/engines/",
        "/login/",
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_has_a_serious_accessibility_fault(live_server_url: str, page: Page, theme: str) -> None:
    run, other = told(FIRST, "WA"), told(MENDED, "AC")
    review.blame(run, "planning", actor="super", source="supervisor", confidence=0.8)
    review.comment(run, 6, "Look.", actor="anna", lines=(1, 1))
    review.reject(run, 6, actor="anna", code="wrong")
    page.context.add_cookies([{"name": "theme", "value": theme, "url": live_server_url}])
    page.context.add_init_script(AXE)  # evaluated by the driver, so that the pages' policy stays as it is
    faults: dict[str, list[str]] = {}
    for address in addresses(run, other):
        page.goto(live_server_url + address)
        page.wait_for_timeout(150)
        if found := page.evaluate(CHECK):
            faults[address] = found
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
