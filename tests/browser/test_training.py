"""The loop closes in a browser: dataset versions become four adapters, they prove themselves, and the next Solve uses them."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from django.conf import settings
from playwright.sync_api import expect

from tests.lab import Lab

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytest.importorskip("peft", reason="training needs peft")
pytestmark = [pytest.mark.browser, pytest.mark.tree, pytest.mark.slow]
PATIENCE_MS = 600_000
FEW_STEPS = {"max_steps": 12, "batch": 1, "eval_every": 6, "save_every": 6, "evaluate": 12}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    started = Lab(tmp_path_factory.mktemp("lab"))
    assert "ready" in started.ready_line()
    seed = [sys.executable, "-m", "tests.training.seed_lab"]
    subprocess.run(seed, cwd=settings.BASE_DIR, env=started.env, check=True, capture_output=True)
    yield started
    started.stop()


def test_dataset_versions_become_four_adapters_that_the_next_solve_uses(lab: Lab, page: Page) -> None:
    home = f"http://127.0.0.1:{lab.port}"
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.set_default_timeout(PATIENCE_MS)

    page.goto(f"{home}/training/new/?preset=micro")
    yaml = page.get_by_label("Exact YAML of the training run")
    kept = [line for line in yaml.input_value().splitlines() if line.partition(":")[0] not in FEW_STEPS]
    yaml.fill("\n".join([*kept, *(f"{name}: {value}" for name, value in FEW_STEPS.items())]))
    expect(page.locator("[data-plan]")).to_contain_text("for 12 steps")
    page.get_by_role("button", name="Launch").dblclick()
    page.wait_for_url(re.compile(r"/training/$"))
    rows = page.locator("#training-runs tbody tr")
    expect(rows).to_have_count(4)

    rows.last.get_by_role("link").first.click()
    figures = page.locator("#figures")
    expect(figures).to_contain_text("Tokens a second", timeout=PATIENCE_MS)
    expect(page.locator("svg.chart[aria-label^='Training loss']")).to_be_visible()
    expect(page.get_by_role("heading", name="First batch, as the model sees it")).to_be_visible()
    expect(page.locator("#step")).to_have_text(
        "12 of 12", timeout=PATIENCE_MS
    )  # by itself, nothing is reloaded

    page.goto(f"{home}/training/")
    expect(rows.get_by_text("finished", exact=True)).to_have_count(4, timeout=PATIENCE_MS)
    # The evaluation that the recipe has started by itself ends while one looks.
    expect(page.get_by_text("with 3 others")).to_have_count(4, timeout=PATIENCE_MS)
    gains = page.locator("table input[name=adapter]").locator("xpath=ancestor::tr").locator("td.num b")
    expect(gains.first).to_have_text(re.compile(r"^\+[0-9.]+$"))  # points over the base, of the four together

    for box in page.locator("input[name=adapter]").all():
        box.check()
    page.get_by_label("even against the gate").check()  # twelve problems prove little, and the gate says so
    page.get_by_role("button", name="Promote chosen").click()
    expect(page.locator("tr[aria-selected=true]")).to_have_count(4)
    names = {name.split()[0] for name in solved_with(lab, page)}
    assert names == {"retrieval", "planning", "coding", "debugging"}
    assert not wrong


def solved_with(lab: Lab, page: Page) -> set[str]:
    """Press Solve on a micro problem; the agents that a promoted adapter answered, once the run has ended."""
    page.goto(f"http://127.0.0.1:{lab.port}/problems/?source=micro")
    page.locator("main table a").first.click()
    page.locator("input[name=engine][value=micro]").check()
    page.locator("#solve").get_by_role("button", name=re.compile("Solve")).click()
    page.wait_for_url(re.compile(r"/runs/\d+/"))
    expect(page.locator("#live")).to_have_attribute("data-state", "ended", timeout=PATIENCE_MS)
    number = re.search(r"/runs/(\d+)/", page.url)
    assert number is not None
    run = lab.get(f"/api/runs/{number[1]}/")
    served = {
        role: model
        for role, model in run["engine"]["roles"].items()
        if re.fullmatch(rf"{role}@[0-9a-f]{{12}}", model)
    }
    assert run["status"] == "finished" and set(served.values()) <= set(run["engine"]["adapters"])
    return set(served)
