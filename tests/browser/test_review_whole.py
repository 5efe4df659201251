"""The whole way by keyboard on real things: a trajectory that another system recorded, and a run of the micro model.

Both are read, compared, blamed, corrected, re-run and accepted. The micro run goes on with its own engine; the recorded one, whose
engine the lab does not have, with the micro engine, which its corrected program does not even ask.
"""

from __future__ import annotations

import gzip
import json
import re
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
PATIENCE_MS = 180_000
ENDED = {"finished", "failed", "cancelled"}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    started = Lab(tmp_path_factory.mktemp("lab"))
    assert "ready" in started.ready_line()
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


def lines(file: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(file, "rt", encoding="utf-8") as stream:
        yield from map(json.loads, stream)


def imported(lab: Lab, corpus: Path) -> tuple[int, str]:
    """The run of a MapCoder conversation that fails here too, and a program that solves its problem."""
    failed = {
        row["problem_id"]: row
        for row in lines(corpus / "traces" / "mapcoder.jsonl.gz")
        if not row["solved_recorded"]
    }
    programs = lines(corpus / "programs" / "codecontests.jsonl.gz")
    right = next(
        row
        for row in programs
        if row["verdict"]
        and row["language"] == "Python3"
        and row["problem_id"] in failed
        and len(row["source"]) < 900
    )
    known = lines(corpus / "problems" / "codecontests.jsonl.gz")
    problem = next(row for row in known if row["id"] == right["problem_id"])
    for name, content in (("problem", problem), ("trace", failed[problem["id"]])):
        (lab.folder / f"{name}.jsonl").write_text(json.dumps(content) + "\n", encoding="utf-8")
    manage(lab, "import_problems", str(lab.folder / "problem.jsonl"))
    manage(lab, "import_traces", str(lab.folder / "trace.jsonl"))
    newest = lab.get("/api/runs/")["runs"][0]
    assert newest["verdict"] not in ("", "AC")
    return int(newest["id"]), f"```python\n{right['source'].strip()}\n```"


def solve(lab: Lab, problem: int, name: str, **adapters: bool) -> dict[str, Any]:
    body = {
        "problem": problem,
        "engine": "micro",
        "request_id": name,
        "params": {"k": 1, "t": 0},
        "adapters": adapters,
    }
    started = lab.post("/api/runs/", body)
    return wait_for(lab, started["id"], lambda run: run["status"] in ENDED)


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
    """The desk shows this run, and its scripts listen: they have fetched the maps."""
    expect(page.locator("#item")).to_have_attribute("data-run", str(run), timeout=PATIENCE_MS)
    expect(page.locator("#maps .heat, #maps .empty").first).to_be_visible(timeout=PATIENCE_MS)


def saved(page: Page) -> None:
    expect(page.locator("#saved")).to_have_text(re.compile(r"^Saved \d\d:\d\d$"), timeout=PATIENCE_MS)


def correct(page: Page, text: str) -> None:
    page.keyboard.press("e")
    page.get_by_label("The corrected answer").fill(text)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#pane-correction")).to_be_visible(timeout=PATIENCE_MS)
    saved(page)


def accept(page: Page) -> None:
    """One key, or two where a flag holds the row open."""
    flags = int(page.locator("#item").get_attribute("data-flags") or 0)
    for _ in range(1 + bool(flags)):
        page.keyboard.press("a")


def test_real_runs_are_read_compared_blamed_corrected_replayed_and_accepted_by_keyboard(
    page: Page, lab: Lab, corpus: Path
) -> None:
    recorded, right = imported(lab, corpus)
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
    page.wait_for_load_state("networkidle")  # the next two items are here
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
    replay = wait_for(lab, shown, lambda run: run["status"] in ENDED)
    assert (replay["status"], replay["verdict"]) == ("finished", "AC")

    # The recorded trajectory: comment, correct, and re-run by an engine that is chosen, since its own is not here.
    page.keyboard.press("c")
    page.get_by_role("textbox", name="Comment").fill("The plan misses a constraint.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_label("Comments")).to_contain_text("misses a constraint", timeout=PATIENCE_MS)
    correct(page, right)
    page.keyboard.press("a")
    expect(page.locator("#toast .toast")).to_contain_text("Nobody has run this correction")
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+R")
    page.wait_for_url(f"**/runs/{recorded}/steps/*/replays/*")
    page.keyboard.press("o")
    engine = page.get_by_label("Engine that goes on from here")
    expect(engine).to_be_focused()
    for _ in range(
        10
    ):  # a list forgets what was typed after a second, which a busy machine may need for five letters
        page.keyboard.type("micro")
        if engine.input_value() == "micro":
            break
        page.wait_for_timeout(1100)
    expect(engine).to_have_value("micro")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    branch = page.locator("#branches tbody a").first
    expect(page.locator("#branches tbody tr")).to_contain_text("accepted", timeout=PATIENCE_MS)
    taken_over = int(branch.inner_text())
    expect(page.locator("#branches")).to_contain_text("1 of 1", timeout=PATIENCE_MS)
    page.keyboard.press("Control+k")
    page.get_by_label("Go to or do").fill("nobody has blamed")
    expect(page.locator("#palette-list li").first).to_contain_text("Failed, nobody has blamed")
    page.keyboard.press("Enter")
    at(page, recorded)

    # Blamed, taken back, blamed again: the way back is open from the empty queue too.
    for _ in range(2):
        page.keyboard.press("b")
        page.keyboard.press("4")
        expect(page.get_by_role("heading", name="Nothing waits in this queue")).to_be_visible(
            timeout=PATIENCE_MS
        )
        page.keyboard.press("u")
        at(page, recorded)
    page.keyboard.press("b")
    page.keyboard.press("4")
    expect(page.get_by_role("heading", name="Nothing waits in this queue")).to_be_visible(timeout=PATIENCE_MS)

    # Both corrections that pass become training rows; that their problems are kept for measuring holds the first open once.
    page.goto(url)
    expect(page.locator("#loop h2")).to_contain_text("Review 2 corrections that pass")
    page.keyboard.press("Enter")
    at(page, taken_over)
    page.keyboard.press("v")
    page.wait_for_url(f"**/compare/?a={recorded}&b={taken_over}")
    page.keyboard.press("n")
    expect(page.locator(".half[aria-current]").first).to_be_visible()
    page.go_back()
    at(page, taken_over)
    accept(page)
    at(page, shown)
    page.keyboard.press("a")
    expect(page.locator("#toast .toast")).to_contain_text("The problem is in the test split")
    page.keyboard.press("a")
    saved(page)
    expect(page.get_by_role("heading", name="Nothing waits in this queue")).to_be_visible(timeout=PATIENCE_MS)
    page.goto(url)
    expect(page.locator("#stage-rows b")).to_have_text("2")
    expect(page.locator("#stage-corrected b")).to_have_text("2")
    expect(page.locator("#stage-blamed b")).to_have_text("2")
