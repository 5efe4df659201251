"""A person presses Solve and watches: steps as they happen, right after a reload, in two tabs, through a killed worker."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings

from tests.agents_server import AgentsServer, agents_server
from tests.factories import problem_spec
from tests.lab import Lab, wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.tree, pytest.mark.slow]
PATIENCE_MS = 180_000


@pytest.fixture(scope="module")
def agents() -> Iterator[AgentsServer]:
    with agents_server() as server:
        yield server


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, agents: AgentsServer) -> Iterator[Lab]:
    """A real lab with one extra problem and the scripted agents as its engine."""
    started = Lab(tmp_path_factory.mktemp("lab"))
    assert "ready" in started.ready_line()
    problem = started.folder / "sum.jsonl"
    spec = problem_spec(id="test/sum", title="Sum of two")
    problem.write_text(json.dumps(spec.model_dump(mode="json", by_alias=True)) + "\n", encoding="utf-8")
    engines = started.folder / "engines.yaml"
    engines.write_text(json.dumps([agents.spec()]), encoding="utf-8")
    manage(started, "import_problems", str(problem))
    manage(started, "engine", "add", "--file", str(engines))
    yield started
    started.stop()


def manage(lab: Lab, *args: str) -> None:
    subprocess.run(
        [sys.executable, "manage.py", *args],
        cwd=settings.BASE_DIR,
        env=lab.env,
        check=True,
        capture_output=True,
    )


def press_solve(page: Page, lab: Lab) -> int:
    """From the problem list to a running run; its id."""
    page.goto(f"http://127.0.0.1:{lab.port}/problems/?source=test")
    page.get_by_role("link", name=re.compile("Sum of two")).first.click()
    page.locator("input[name=engine][value=agents]").check()
    page.locator("#solve").get_by_role("button", name=re.compile("Solve")).click()
    page.wait_for_url(re.compile(r"/runs/\d+/"))
    return int(page.url.rstrip("/").rpartition("/")[2].partition("?")[0].partition("#")[0])


def ended(page: Page) -> None:
    page.locator("#run-head[data-status=finished]").wait_for(timeout=PATIENCE_MS)


def story(page: Page) -> list[str]:
    """What the page tells, step by step: number, agent and verdict as words."""
    cards: list[str] = page.locator("article.step").evaluate_all(
        "cards => cards.map(c => c.id + ' ' + c.dataset.agent + ' ' + c.dataset.state)"
    )
    return cards


def test_steps_appear_as_they_happen_and_the_page_ends_with_the_verdict(page: Page, lab: Lab) -> None:
    run_id = press_solve(page, lab)
    first = page.locator("article.step#s1")
    first.wait_for(timeout=PATIENCE_MS)
    page.locator("article.step#s1 >> text=Exemplar 1").first.wait_for(timeout=PATIENCE_MS)
    ended(page)
    run = lab.get(f"/api/runs/{run_id}/")
    assert (run["status"], run["verdict"]) == ("finished", "AC")
    assert page.locator("article.step").count() == run["step_count"]
    assert page.locator("#run-head").get_by_text("accepted", exact=False).count() > 0


def test_page_reload_second_tab_api_and_terminal_tell_the_same_story(page: Page, lab: Lab) -> None:
    run_id = press_solve(page, lab)
    other = page.context.new_page()
    other.goto(page.url)
    page.locator("article.step#s2").wait_for(timeout=PATIENCE_MS)
    page.reload()
    ended(page)
    ended(other)
    live, second = story(page), story(other)
    page.reload()
    assert live == second == story(page)
    target = lab.folder / "run.json"
    subprocess.run(
        [sys.executable, "manage.py", "solve", "test/sum", "--engine", "agents", "--json", str(target)],
        cwd=settings.BASE_DIR, env=lab.env, check=True, capture_output=True,
    )  # fmt: skip
    terminal = json.loads(target.read_text(encoding="utf-8"))
    browser = lab.get(f"/api/runs/{run_id}/events/")["events"]

    def told(events: list[dict[str, Any]]) -> list[Any]:
        return [(e["kind"], e["payload"].get("text"), e["payload"].get("verdict")) for e in events]

    assert told(terminal["events"]) == told(browser)
    assert terminal["run"]["verdict"] == lab.get(f"/api/runs/{run_id}/")["verdict"]


def test_killing_the_worker_in_the_middle_loses_no_finished_step(
    page: Page, lab: Lab, agents: AgentsServer
) -> None:
    agents.pause_s, before = 0.25, len(agents.asked)
    try:
        run_id = press_solve(page, lab)
        page.locator("article.step#s3[data-state=done]").wait_for(timeout=PATIENCE_MS)
        page.locator("article.step#s4").wait_for(timeout=PATIENCE_MS)
        os.kill(lab.pid_of("-Q infer"), signal.SIGKILL)
        agents.pause_s = 0.02
        ended(page)
    finally:
        agents.pause_s = 0.02
    run = lab.get(f"/api/runs/{run_id}/")
    assert (run["status"], run["verdict"], run["fence"]) == ("finished", "AC", 2)
    asked = agents.asked[before:]
    assert asked.count("retrieval") == 1, "a finished step was asked again"
    assert len(asked) <= run["calls"] + 1, "only the step in flight may be asked twice"
    seen = story(page)
    page.reload()
    assert story(page) == seen
    assert len(seen) == run["step_count"]


def test_cancel_stops_the_run_and_the_page_says_so(page: Page, lab: Lab, agents: AgentsServer) -> None:
    agents.pause_s = 0.5
    try:
        run_id = press_solve(page, lab)
        page.locator("article.step#s1").wait_for(timeout=PATIENCE_MS)
        page.get_by_role("button", name="Cancel run").click()
        page.locator("#run-head[data-status=cancelled]").wait_for(timeout=PATIENCE_MS)
    finally:
        agents.pause_s = 0.02
    assert lab.get(f"/api/runs/{run_id}/")["status"] == "cancelled"


def test_a_dead_engine_is_told_in_a_sentence_with_a_retry_button(page: Page, lab: Lab) -> None:
    dead = lab.folder / "dead.yaml"
    spec = {"name": "dead", "kind": "openai", "base_url": "http://127.0.0.1:9/v1", "allow_loopback": True,
            "models": {"default": "m"}, "tries": 1}  # fmt: skip
    dead.write_text(json.dumps([spec]), encoding="utf-8")
    manage(lab, "engine", "add", "--file", str(dead))
    problem = lab.get("/api/problems/?source=test")["problems"][0]["id"]
    run_id = lab.post("/api/runs/", {"problem": problem, "engine": "dead", "request_id": "dead"})["id"]
    wait_for(lab, run_id, lambda run: run["status"] == "failed")
    page.goto(f"http://127.0.0.1:{lab.port}/runs/{run_id}/")
    head = page.locator("#run-head")
    assert "unreachable" in head.inner_text().lower()
    assert page.get_by_role("button", name="Retry").count() >= 1


def test_a_model_answer_full_of_markup_executes_nothing(page: Page, lab: Lab, agents: AgentsServer) -> None:
    evil = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script></textarea></script><svg onload=window.hacked=1>'
    agents.answers["planning"] = PLAN_WITH.format(evil)
    try:
        press_solve(page, lab)
        ended(page)
        page.reload()
        assert page.evaluate("window.hacked") is None
        assert page.locator("article.step img, article.step script").count() == 0
    finally:
        agents.answers["planning"] = PLAN_WITH.format("")


PLAN_WITH = "1. Read both integers. {}\n2. Add them.\n3. Print the sum."


def test_the_screenshot_of_a_run_is_of_the_real_thing(page: Page, lab: Lab) -> None:
    press_solve(page, lab)
    ended(page)
    shot = Path(lab.folder) / "run.png"
    page.screenshot(path=str(shot))
    assert shot.stat().st_size > 20_000
