"""The whole way by keyboard on real things: a trajectory that another system recorded, and a run of the micro model.

Both are read, blamed, corrected and accepted; the micro run's correction is re-run from the desk and passes.
"""

from __future__ import annotations

import gzip
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from playwright.sync_api import expect

from tests.lab import Lab, wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.tree, pytest.mark.slow]
PATIENCE_MS = 60_000
ENDED = {"finished", "failed", "cancelled"}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    started = Lab(tmp_path_factory.mktemp("lab"))
    assert "ready" in started.ready_line()
    yield started
    started.process.send_signal(signal.SIGINT)
    started.process.wait(120)


def manage(lab: Lab, *args: str) -> None:
    subprocess.run(
        [sys.executable, "manage.py", *args],
        cwd=settings.BASE_DIR,
        env=lab.env,
        check=True,
        capture_output=True,
    )


def lines(file: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(file, "rt", encoding="utf-8") as stream:
        yield from map(json.loads, stream)


def imported(lab: Lab, corpus: Path) -> int:
    """The run of a MapCoder conversation that fails here too, with its problem."""
    known = {
        problem["id"]: problem
        for name in ("apps", "humaneval", "mbpp", "codecontests", "xcodeeval")
        for problem in lines(corpus / "problems" / f"{name}.jsonl.gz")
    }
    for row in lines(corpus / "traces" / "mapcoder.jsonl.gz"):
        if row["solved_recorded"] or row["problem_id"] not in known:
            continue
        last = max([run["id"] for run in lab.get("/api/runs/")["runs"]], default=0)
        for name, content in (("problem", known[row["problem_id"]]), ("trace", row)):
            (lab.folder / f"{name}.jsonl").write_text(json.dumps(content) + "\n", encoding="utf-8")
        manage(lab, "import_problems", str(lab.folder / "problem.jsonl"))
        manage(lab, "import_traces", str(lab.folder / "trace.jsonl"))
        newest = lab.get("/api/runs/")["runs"][0]
        if newest["id"] > last and newest["verdict"] != "AC":
            return int(newest["id"])
    pytest.fail("every recorded failure passes here")


def solve(lab: Lab, problem: int, name: str, **adapters: bool) -> dict[str, Any]:
    body = {
        "problem": problem,
        "engine": "micro",
        "request_id": name,
        "params": {"k": 1, "t": 0},
        "adapters": adapters,
    }
    started = lab.post("/api/runs/", body)
    return wait_for(lab, started["id"], lambda run: run["status"] in ENDED, 120)


def answer_of(lab: Lab, run: int, role: str) -> tuple[int, str]:
    """The step of a role, and what it said."""
    events = lab.get(f"/api/runs/{run}/events/")["events"]
    number = next(e["step"] for e in events if e["kind"] == "step.started" and e["payload"]["role"] == role)
    text = next(e["payload"]["text"] for e in events if e["kind"] == "step.finished" and e["step"] == number)
    return int(number), str(text)


def a_failure_and_the_answer_that_mends_it(lab: Lab) -> tuple[int, int, str]:
    """A micro run that fails without its coding adapter, the step to mend, and what the adapter wrote in its place."""
    for problem in lab.get("/api/problems/?source=micro")["problems"][:6]:
        good = solve(lab, problem["id"], f"good-{problem['id']}")
        if good["verdict"] != "AC":
            continue
        bad = solve(lab, problem["id"], f"bad-{problem['id']}", coding=False)
        if bad["verdict"] != "AC":
            number, _ = answer_of(lab, bad["id"], "coding")
            return bad["id"], number, answer_of(lab, good["id"], "coding")[1]
    pytest.fail("no micro problem is solved with the coding adapter and missed without it")


def at(page: Page, run: int) -> None:
    expect(page.locator("#item")).to_have_attribute("data-run", str(run), timeout=PATIENCE_MS)


def saved(page: Page) -> None:
    expect(page.locator("#saved")).to_have_text(re.compile(r"^Saved \d\d:\d\d$"), timeout=PATIENCE_MS)


def correct(page: Page, text: str) -> None:
    page.keyboard.press("e")
    page.get_by_label("The corrected answer").fill(text)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#pane-correction")).to_be_visible(timeout=PATIENCE_MS)
    saved(page)


def test_real_runs_are_read_blamed_corrected_replayed_and_accepted_by_keyboard(
    page: Page, lab: Lab, corpus: Path
) -> None:
    recorded = imported(lab, corpus)
    micro, number, mended = a_failure_and_the_answer_that_mends_it(lab)
    url = f"http://127.0.0.1:{lab.port}"

    # The home page says what comes next, and Enter goes there.
    page.goto(url)
    expect(page.locator("#loop h2")).to_contain_text(re.compile("Find out why run"))
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/runs/{micro}/")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator(".step[aria-current]")).to_have_attribute("id", "s2")

    # The palette leads to the queue of failures: the micro run first, it is the newer one.
    page.keyboard.press("Control+k")
    page.get_by_label("Go to or do").fill("nobody has blamed")
    expect(page.locator("#palette-list li").first).to_contain_text("Failed, nobody has blamed")
    page.keyboard.press("Enter")
    at(page, micro)
    page.keyboard.press("d")
    expect(page.locator("#pane-prompt")).to_be_visible()

    # Correct the step, re-run what follows, blame, go on.
    assert page.locator("#item").get_attribute("data-step") == str(number)
    correct(page, mended)
    page.keyboard.press("Shift+R")
    expect(page.get_by_role("link", name=re.compile(r"Run \d+ shows it"))).to_be_visible(timeout=PATIENCE_MS)
    shown = int(re.findall(r"\d+", page.get_by_role("link", name=re.compile("shows it")).inner_text())[0])
    page.keyboard.press("b")
    page.keyboard.press("3")
    at(page, recorded)
    replay = wait_for(lab, shown, lambda run: run["status"] in ENDED, 120)
    assert (replay["status"], replay["verdict"]) == ("finished", "AC")

    # The recorded trajectory: comment, blame by number, and a held accept of a corrected step.
    page.keyboard.press("c")
    page.get_by_role("textbox", name="Comment").fill("The plan misses a constraint.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_label("Comments")).to_contain_text("misses a constraint", timeout=PATIENCE_MS)
    correct(page, "```python\nprint('corrected')\n```")
    page.keyboard.press("a")
    expect(page.locator("#toast .toast")).to_contain_text("Nobody has run this correction")
    page.keyboard.press("a")
    expect(page.get_by_role("heading", name="Nothing waits in this queue")).to_be_visible(timeout=PATIENCE_MS)

    # Taken back, blamed instead: the way back is open from the empty queue too.
    page.keyboard.press("u")
    at(page, recorded)
    page.keyboard.press("b")
    page.keyboard.press("2")
    expect(page.get_by_role("heading", name="Nothing waits in this queue")).to_be_visible(timeout=PATIENCE_MS)

    # The correction that passes becomes a training row; that its problem is kept for measuring holds it open once.
    page.goto(url)
    expect(page.locator("#loop h2")).to_contain_text("Review 1 correction that passes")
    page.keyboard.press("Enter")
    at(page, shown)
    page.keyboard.press("a")
    expect(page.locator("#toast .toast")).to_contain_text("The problem is in the test split")
    page.keyboard.press("a")
    saved(page)
    expect(page.get_by_role("heading", name="Nothing waits in this queue")).to_be_visible(timeout=PATIENCE_MS)
    page.goto(url)
    expect(page.locator("#stage-rows b")).to_have_text("1")
    expect(page.locator("#stage-corrected b")).to_have_text("1")
    expect(page.locator("#stage-blamed b")).to_have_text("2")
