"""The whole of it: a campaign over 98 real problems, started in a browser, killed with -9 twice, and right to the last count.

The engine is a loopback server that answers with the programs that Gemini Pro wrote for the published MapCoder results on
HumanEval; so the report must show exactly their known verdicts, and its totals must be the sums of the events.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.campaigns.killable_lab import Lab, check_totals
from tests.campaigns.replay_server import Published, engine, serving

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.tree, pytest.mark.slow, pytest.mark.browser]
STRATEGIES = {"Direct": "direct", "MapCoder": "mapcoder"}
PATIENCE_S = 420.0


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
