"""A newcomer's first problem: the micro model fails it without its adapters and solves it with them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from micro import engine_spec
from micro.engine_spec import LABEL
from micro.shown_problems import MENDED
from tests.lab import Lab
from trajectories.agents import AGENTS

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.tree,
    pytest.mark.slow,
    pytest.mark.skipif(
        not (engine_spec.ARTEFACT / "manifest.json").exists(), reason="the artefact has not been made"
    ),
]
PATIENCE_MS = 180_000


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    pytest.importorskip("torch", reason="the micro engine needs torch")
    started = Lab(tmp_path_factory.mktemp("lab"))
    assert "ready" in started.ready_line()
    yield started
    started.stop()


def solve(page: Page, adapters: bool) -> str:
    """Press Solve on the problem page that is open; the verdict that the run's page ends with."""
    for agent in AGENTS:
        page.locator(f"input[name='micro.{agent}']").set_checked(adapters)
    page.locator("#solve").get_by_role("button", name=re.compile("Solve")).click()
    page.wait_for_url(re.compile(r"/runs/\d+/"))
    page.locator("#run-head[data-status=finished]").wait_for(timeout=PATIENCE_MS)
    return page.url


def test_the_first_listed_problem_fails_without_adapters_and_passes_with_them(page: Page, lab: Lab) -> None:
    page.goto(f"http://127.0.0.1:{lab.port}/problems/?source=micro")
    page.locator("table.tbl tbody a").first.click()
    page.wait_for_url(re.compile(r"/problems/\d+/"))
    problem = page.url
    assert LABEL in page.locator("#solve").inner_text()
    assert MENDED in page.locator("main").inner_text()
    assert page.locator("input[name=engine][value=micro]").is_checked()
    verdicts = {}
    for adapters in (False, True):
        page.goto(problem)
        run_id = re.search(r"/runs/(\d+)/", solve(page, adapters))
        assert run_id is not None
        run = lab.get(f"/api/runs/{run_id[1]}/")
        verdicts[adapters] = run["verdict"]
        page.reload()
        told = page.locator("#run-head > .row").inner_text()
        assert ("accepted" in told) == adapters, told
    assert verdicts[True] == "AC"
    assert verdicts[False] != "AC"


def test_free_text_outside_the_family_gets_a_warning_before_the_run(page: Page, lab: Lab) -> None:
    page.goto(f"http://127.0.0.1:{lab.port}/problems/?source=starter")
    page.locator("table.tbl tbody a").first.click()
    page.locator("input[name=engine][value=micro]").check()
    concern = page.locator("#solve .choice", has=page.locator("input[name=engine][value=micro]"))
    assert "outside the micro model's family" in concern.inner_text()
