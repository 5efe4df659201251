"""The whole of it: a campaign over 98 real problems, started in a browser, killed with -9 twice, and right to the last count.

The engine is a loopback server that answers with the programs that Gemini Pro wrote for the published MapCoder results on
HumanEval; so the report must show exactly their known verdicts, and its totals must be the sums of the events.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from django.conf import settings

from tests.campaigns.replay_server import Published, engine, serving

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.tree, pytest.mark.slow, pytest.mark.browser]
STRATEGIES = {"Direct": "direct", "MapCoder": "mapcoder"}
PATIENCE_S = 420.0


class Lab:
    """`manage.py up` in a state folder of its own, which can be killed and started again."""

    def __init__(self, var: Path) -> None:
        self.var = var
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        lease = {
            "MCL_VAR": str(var),
            "MCL_LEASE_SECONDS": "3",
            "MCL_REAP_EVERY": "1",
            "MCL_LOG_LEVEL": "WARNING",
        }
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("MCL_", "DATABASE_", "REDIS_"))
        }
        self.env = {**inherited, **lease}
        self.process: subprocess.Popen[bytes] | None = None

    def manage(self, *arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=settings.BASE_DIR, env=self.env, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self) -> None:
        command = [sys.executable, "manage.py", "up", "--port", str(self.port)]
        with (self.var / "up.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=settings.BASE_DIR, env=self.env, stdout=log, stderr=log
            )
        self.until(lambda: self.get("/campaigns/") is not None, 120)

    def kill(self) -> None:
        """SIGKILL to the supervisor; the kernel takes its children with it."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.until(lambda: self.get("/campaigns/") is None, 20)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)

    def get(self, path: str) -> str | None:
        try:
            with urllib.request.urlopen(self.url + path, timeout=30) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            pytest.fail(f"{path}: {error.code}")
        except OSError:
            return None

    def until(self, ready: Callable[[], bool], seconds: float) -> None:
        end = time.monotonic() + seconds
        while not ready():
            assert time.monotonic() < end, (self.var / "up.log").read_text()[-3000:]
            time.sleep(0.2)

    def settled(self, path: str) -> tuple[str, int]:
        html = self.get(f"{path}progress/") or ""
        found = re.search(r'data-status="(\w+)" data-settled="(\d+)"', html)
        return (found[1], int(found[2])) if found else ("", 0)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        database = sqlite3.connect(f"file:{self.var / 'lab.sqlite3'}?mode=ro", uri=True)
        try:
            return database.execute(query).fetchall()
        finally:
            database.close()


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(tmp_path)
    lab.manage("migrate", "--verbosity", "0")
    yield lab
    lab.stop()


def fill_in(page: Page) -> None:
    """The form, as a person would: two strategies on all problems of the set."""
    page.get_by_label("Name", exact=True).fill("Published programs")
    page.get_by_label(re.compile("^humaneval ")).check()
    page.get_by_label("At most", exact=True).fill("")
    for box in page.locator("input[name=engine]").all():
        box.set_checked(box.get_attribute("value") == "replay")
    page.locator("summary", has_text="Recall k similar problems").click()
    page.locator('[name="mapcoder.k"]').fill("1")
    page.locator('[name="mapcoder.t"]').fill("1")
    page.get_by_label("Judge profile").select_option("humaneval")
    page.get_by_text("196 runs").wait_for()


def test_a_campaign_over_real_problems_survives_two_kills_and_reports_the_published_verdicts(
    lab: Lab, page: Page, corpus: Path
) -> None:
    published = Published(corpus, "humaneval", "gemini-pro", STRATEGIES)
    problems = len(published.statements)
    assert problems >= 60 and all(len(verdicts) == problems for verdicts in published.verdicts.values())
    lab.manage("import_problems", str(corpus / "problems" / "humaneval.jsonl.gz"))
    with serving(published) as (url, asked):
        spec = lab.var / "engine.yaml"
        spec.write_text(yaml.safe_dump([engine(url)]), encoding="utf-8")
        lab.manage("engine", "add", "--file", str(spec))
        lab.start()
        page.goto(f"{lab.url}/campaigns/new/?preset=versus-direct")
        fill_in(page)
        page.get_by_role("button", name="Start campaign").click()
        page.wait_for_url(re.compile(r"/campaigns/\d+/$"))
        path = page.url.removeprefix(lab.url)
        for goal in (15, 110):
            lab.until(lambda goal=goal: lab.settled(path)[1] >= goal, PATIENCE_S)  # type: ignore[misc]
            lab.kill()
            lab.start()
        lab.until(lambda: lab.settled(path)[0] == "finished", PATIENCE_S)
    page.goto(lab.url + path)
    check_report(json.loads(lab.get(f"{path}report.json") or ""), published, page.inner_text("main"))
    check_totals(json.loads(lab.get(f"{path}report.json") or ""), lab, sum(asked.values()))


def check_report(data: dict[str, Any], published: Published, text: str) -> None:
    assert data["complete"] and not any(cell["not_measured"] for cell in data["cells"])
    copies = {copy["id"] for copy in data["left_out_duplicates"]}
    assert len(copies) == 1, "HumanEval asks one question twice"
    known = {
        strategy: {name: passed for name, passed in verdicts.items() if name not in copies}
        for strategy, verdicts in published.verdicts.items()
    }
    for cell in data["cells"]:
        verdicts = known[cell["strategy"]]
        share = cell["pass_at"]["1"]
        assert (cell["runs"], cell["distinct_problems"]) == (len(verdicts), len(verdicts))
        assert cell["solved_runs"] == sum(verdicts.values())
        assert f"{share['value'] * 100:.1f} % [{share['low'] * 100:.1f}, {share['high'] * 100:.1f}]" in text
    direct, mapcoder = known["direct"], known["mapcoder"]
    against = data["against_baseline"][0]
    assert data["baseline"].startswith("Direct")
    won = sum(mapcoder[name] and not direct[name] for name in direct)
    lost = sum(direct[name] and not mapcoder[name] for name in direct)
    assert (against["won"], against["lost"]) == (won, lost)


def check_totals(data: dict[str, Any], lab: Lab, asked: int) -> None:
    """Against the event log, read with nothing of the lab's code."""
    finished = [
        json.loads(payload)
        for (payload,) in lab.rows("SELECT payload FROM trajectories_stepevent WHERE kind = 'step.finished'")
    ]
    tokens = sum(event["prompt_tokens"] + event["completion_tokens"] for event in finished)
    assert data["spent"]["calls"] == len(finished) == sum(cell["total"]["calls"] for cell in data["cells"])
    assert data["spent"]["tokens"] == tokens
    assert data["spent"]["model_seconds"] == pytest.approx(
        sum(event["seconds"] for event in finished), abs=0.01
    )
    hidden = [
        json.loads(payload)
        for (payload,) in lab.rows("SELECT payload FROM trajectories_stepevent WHERE kind = 'tests.finished'")
    ]
    accepted = sum(event["suite"] == "hidden" and event["verdict"] == "AC" for event in hidden)
    assert accepted == sum(cell["solved_runs"] for cell in data["cells"])
    steps = lab.rows("SELECT run_id, step FROM trajectories_stepevent WHERE kind = 'step.finished'")
    assert len(steps) == len(set(steps)), "no step was recorded twice"
    cut_off = lab.rows("SELECT count(*) FROM trajectories_stepevent WHERE kind = 'step.started'")[0][0] - len(
        finished
    )
    assert len(finished) <= asked <= len(finished) + cut_off, (
        "only steps that a kill cut off were asked again"
    )
    resumed = lab.rows("SELECT max(fence) FROM trajectories_run")[0][0]
    assert resumed >= 2, "the kills hit nothing"
