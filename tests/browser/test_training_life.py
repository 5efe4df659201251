"""A training's life as a person sees it on its page: stopped and resumed, alerts while one looks, preference pairs, the exam.

The trainer is the real child process on the micro base; its worker is a thread here, so that every bell is heard at once.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.db import connection
from playwright.sync_api import expect

from solver.models import Engine
from tests.conftest import SOON_MS
from tests.training import micro_rows
from tests.training.versions import make_version, micro_version
from training import training_tasks
from training.models import DatasetVersion, Exam

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytest.importorskip("peft", reason="training needs peft")
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
PATIENCE_MS = 600_000
BASE = Path(settings.BASE_DIR) / "micro/artefact/base"
# Each step sees all rows alike, so that the loss is as smooth as the training is.
WHOLE = {
    "batch": 4,
    "packing": "false",
    "rank": 8,
    "alpha": 16,
    "evaluate": 0,
    "eval_every": 500,
    "save_every": 500,
}


@pytest.fixture(autouse=True)
def patient(page: Page) -> Iterator[None]:
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    yield
    expect.set_options(timeout=SOON_MS)


@contextmanager
def at_work(task: Any, number: int) -> Iterator[None]:
    """A worker that has heard of row `number`; it has done its work when the body and this end."""

    def work() -> None:
        try:
            task(number)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        thread.join(PATIENCE_MS / 1000)
        assert not thread.is_alive()


def launch(page: Page, home: str, version: DatasetVersion, **changes: Any) -> int:
    """The micro preset with some of its fields written anew in the YAML, launched; the number of the run."""
    page.goto(f"{home}/training/new/?preset=micro&role={version.role}&dataset={version}")
    write(page, {**WHOLE, **changes})
    return press_launch(page)


def write(page: Page, fields: Mapping[str, Any]) -> None:
    yaml = page.get_by_label("Exact YAML of the training run")
    kept = [line for line in yaml.input_value().splitlines() if line.partition(":")[0] not in fields]
    yaml.fill("\n".join([*kept, *(f"{name}: {value}" for name, value in fields.items())]))
    expect(page.locator("[data-plan]")).to_contain_text(f"for {fields['max_steps']} steps")


def press_launch(page: Page) -> int:
    page.get_by_role("button", name="Launch").click()
    page.wait_for_url(re.compile(r"/training/runs/\d+/"))
    return int(page.url.rstrip("/").rpartition("/")[2])


def step(page: Page) -> int:
    return int(page.locator("#step").inner_text().split()[0])


def until_step(page: Page, wanted: int) -> None:
    """The page itself counts on; nothing is reloaded."""
    page.wait_for_function(
        "wanted => parseInt(document.querySelector('#step').textContent) >= wanted", arg=wanted, polling=100
    )


def state(page: Page) -> Locator:
    return page.locator(".page-h .pill").first


def curve(page: Page) -> list[tuple[float, float]]:
    """The drawn points of the raw training loss, (across, down)."""
    drawn = page.locator("svg.chart[aria-label^='Training loss'] path.line.raw").get_attribute("d") or ""
    return [(float(x), float(y)) for x, y in re.findall(r"([\d.]+) ([\d.]+)", drawn)]


def test_a_training_that_was_stopped_on_its_page_is_resumed_there_and_its_curve_goes_on_without_a_jump(
    live_server_url: str, page: Page
) -> None:
    version = micro_version("debugging", 6, 2)
    run = launch(page, live_server_url, version, max_steps=390, schedule="constant", lr=0.0005, warmup=0)
    with at_work(training_tasks.train, run):
        until_step(page, 6)
        page.get_by_role("button", name="Save and stop").click()
        expect(page.get_by_text(re.compile(r"^Saved and stopped at step \d+\.$"))).to_be_visible()
    expect(state(page)).to_contain_text("stopped")
    expect(page.get_by_role("link", name="Adapter debugging@1")).to_be_visible()
    stopped = step(page)
    before = curve(page)
    assert 6 <= stopped < 390 and len(before) == stopped

    page.get_by_role("button", name=f"Resume from step {stopped}").click()
    expect(state(page)).to_contain_text("queued")
    with at_work(training_tasks.train, run):
        until_step(page, stopped + 4)
        told = curve(page)
        page.get_by_role("button", name="Abort").click()
        expect(page.get_by_text("Aborted.", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name=f"Resume from step {stopped}")).to_be_visible()
    expect(page.locator("#figures")).to_contain_text(re.compile(r"Attempts\s*2"))
    assert_goes_on(told, stopped)


def assert_goes_on(told: list[tuple[float, float]], stopped: int) -> None:
    """A point a step, none twice, and the loss after the stop lies where it lay before it, not where it began."""
    across = [x for x, _ in told]
    strides = [after - before for before, after in itertools.pairwise(across)]
    assert max(strides) - min(strides) < 0.25  # in tenths of a unit of the drawing
    down = [y for _, y in told]
    fallen = abs(down[stopped - 1] - down[0])
    usual = max(abs(after - before) for before, after in itertools.pairwise(down[:stopped]))
    assert abs(down[stopped] - down[stopped - 1]) <= max(fallen / 2, usual)


def test_a_training_that_diverges_says_so_while_one_looks(live_server_url: str, page: Page) -> None:
    """Real: the learning rate rises a little a step until it is far too high."""
    version = micro_version("retrieval", 6, 2)
    run = launch(
        page,
        live_server_url,
        version,
        max_steps=500,
        lr=1.0,
        warmup=0.9,
        schedule="linear",
        max_grad_norm=100,
    )
    page.evaluate("window.untouched = true")
    with at_work(training_tasks.train, run):
        alert = page.locator(".alerts")
        expect(alert).to_contain_text(
            re.compile(r"Step \d+: The loss diverges: .* try a lower learning rate")
        )
        expect(state(page)).not_to_contain_text("failed")  # it is said, and the run goes on
        assert page.evaluate("window.untouched") is True
        page.get_by_role("button", name="Abort").click()
    expect(alert).to_contain_text("The loss diverges")


def test_a_loss_that_is_not_a_number_ends_the_training_with_what_to_do(
    live_server_url: str, page: Page, tmp_path: Path
) -> None:
    """Real: a base whose weights hold a value that is not a number."""
    Engine.objects.create(
        name="damaged", spec={"name": "damaged", "kind": "transformers", "base": str(damaged(tmp_path))}
    )
    run = launch(page, live_server_url, micro_version("retrieval", 6, 2), max_steps=5, engine="damaged")
    with at_work(training_tasks.train, run):
        expect(page.locator(".flag[data-v=wa]")).to_contain_text("not a number at step 1")
    expect(state(page)).to_contain_text("failed")
    expect(page.locator(".alerts")).to_contain_text("a lower learning rate")
    expect(page.get_by_role("button", name="Resume from the start")).to_be_visible()


def damaged(folder: Path) -> Path:
    import torch
    from safetensors.torch import load_file, save_file

    base = folder / "base"
    shutil.copytree(BASE, base)
    weights = load_file(base / "model.safetensors")
    weights["model.norm.weight"][0] = torch.nan
    save_file(weights, base / "model.safetensors", metadata={"format": "pt"})
    return base


def test_preference_pairs_become_a_training_that_goes_on_from_an_adapter(
    live_server_url: str, page: Page
) -> None:
    """From the dataset version to its launch on the base; then from the adapter that it left, which is the reference."""
    told = [dataclasses.replace(row, refused="print(0)") for row in micro_rows.rows("retrieval", 6, 2)]
    version = make_version("retrieval", told, spec={"role": "retrieval"})
    page.goto(f"{live_server_url}/datasets/retrieval/v1/")
    page.get_by_role("link", name="Train on it").click()
    page.get_by_label("Method").select_option("dpo")
    page.get_by_label("Max steps").fill("3")
    for name, value in (("Batch", "4"), ("Save every", "3"), ("Evaluate", "0")):
        page.get_by_label(name).fill(value)
    expect(page.get_by_label("Exact YAML")).to_have_value(re.compile("evaluate: 0.*method: dpo", re.DOTALL))
    expect(page.locator("[data-plan]")).to_contain_text("for 3 steps")
    first = press_launch(page)
    expect(page.get_by_text("the base, which is the reference")).to_be_visible()
    with at_work(training_tasks.train, first):
        expect(page.get_by_role("link", name="Adapter retrieval@1")).to_be_visible()
    expect(page.locator("#figures")).to_contain_text("Margin")
    expect(page.get_by_text("Loss on preference pairs")).to_be_visible()

    page.get_by_role("link", name="Adapter retrieval@1").click()
    page.get_by_role("link", name="Train on with DPO").click()
    expect(page.locator("[data-plan]")).to_contain_text("Starts from adapter retrieval@1")
    write(page, {"max_steps": 2})
    second = press_launch(page)
    with at_work(training_tasks.train, second):
        expect(page.get_by_role("link", name="Adapter retrieval@2")).to_be_visible()
    page.get_by_role("link", name="retrieval@1", exact=True).click()
    expect(page.get_by_text("Went on to")).to_be_visible()
    page.get_by_role("link", name="retrieval@2", exact=True).click()
    expect(page.get_by_text("from adapter retrieval@1")).to_be_visible()
    assert version.training_runs.count() == 2


def test_the_exam_of_an_adapter_fills_while_one_looks(live_server_url: str, page: Page) -> None:
    version = micro_version("retrieval", 6, 2)
    page.goto(f"{live_server_url}/training/")
    page.get_by_label("Folder or hub id").fill(str(BASE.parent / "adapters/retrieval"))
    page.get_by_label("Agent").select_option("retrieval")
    page.get_by_role("button", name="Import").click()
    page.wait_for_url(re.compile(r"/training/adapters/\d+/"))
    expect(page.get_by_text("It has sat none yet.")).to_be_visible()
    page.get_by_label("Dataset version").select_option(label=f"{version}, 2 held out")
    page.get_by_role("button", name="Re-sit the exam").click()
    page.wait_for_url(re.compile(r"/training/exams/\d+/"))
    marks = page.locator("#exam-marks")
    expect(marks).to_contain_text("waiting, 0 of 6 answers")
    with at_work(training_tasks.exam, Exam.objects.get().pk):
        expect(marks).to_contain_text("done, 6 of 6 answers")  # by itself
    for column in ("base", "previous", "new"):
        row = marks.locator("table").first.locator("tr", has=page.get_by_text(column, exact=True))
        expect(row.locator("td").nth(2)).to_have_text("2")
        expect(row).to_contain_text("of 2")
