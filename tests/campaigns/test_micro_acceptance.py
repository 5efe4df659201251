"""The same with a real model: real problems, two control flows on the micro engine, its worker killed with -9 twice.

The micro model cannot solve these problems. What is tested is that nothing is lost, nothing is counted twice, and that
whatever a real model does wrong ends as a recorded outcome. A run over 60 problems, with a picture of its report:

    MICRO_ACCEPTANCE_PROBLEMS=60 MICRO_ACCEPTANCE_PICTURE=report.png pytest tests/campaigns/test_micro_acceptance.py
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.campaigns.killable_lab import Lab, check_totals

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.tree, pytest.mark.slow, pytest.mark.browser]
PROBLEMS = int(os.environ.get("MICRO_ACCEPTANCE_PROBLEMS", "4"))
PICTURE = os.environ.get("MICRO_ACCEPTANCE_PICTURE", "")
PATIENCE_S = 180.0 + 60.0 * PROBLEMS
SPEC = f"""
name: MapCoder, lab against upstream, on the micro model
problems: {{source: [humaneval], limit: {PROBLEMS}, sample_seed: 1}}
strategies:
- {{name: mapcoder, label: upstream, params: {{k: 1, t: 2, profile: upstream}}}}
- {{name: mapcoder, label: lab, params: {{k: 1, t: 2}}}}
models: [{{engine: micro}}]
judge_profile: humaneval
ask_anew: true
"""


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(tmp_path)
    lab.manage("migrate", "--verbosity", "0")
    yield lab
    lab.stop()


def test_a_campaign_on_a_real_model_survives_two_kills_of_its_worker(
    lab: Lab, page: Page, corpus: Path
) -> None:
    lab.manage("import_problems", str(corpus / "problems" / "humaneval.jsonl.gz"))
    lab.start()
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"{lab.url}/campaigns/new/")
    page.get_by_label("Exact YAML of the campaign").fill(SPEC)
    page.get_by_text(f"{2 * PROBLEMS} runs").first.wait_for()
    page.get_by_role("button", name="Start campaign").click()
    page.wait_for_url(re.compile(r"/campaigns/\d+/$"))
    path = page.url.removeprefix(lab.url)
    for goal in (max(1, PROBLEMS // 3), PROBLEMS):
        lab.until(lambda goal=goal: lab.settled(path)[1] >= goal, PATIENCE_S)  # type: ignore[misc]
        lab.kill_worker()
    lab.until(lambda: lab.settled(path)[0] == "finished", PATIENCE_S)
    page.goto(lab.url + path)
    data = json.loads(lab.get(f"{path}report.json") or "")
    assert data["complete"] and [cell["runs"] for cell in data["cells"]] == [PROBLEMS, PROBLEMS]
    assert not any(cell["not_measured"] for cell in data["cells"])
    check_totals(data, lab)
    calls = sum(cell["total"]["calls"] for cell in data["cells"])
    assert f"{calls:,} calls" in page.inner_text("#price")
    if PICTURE:
        Path(PICTURE).with_suffix(".json").write_text(json.dumps(data, indent=1), encoding="utf-8")
        page.screenshot(path=PICTURE, full_page=True)
