"""From a campaign with failures to exported dataset versions of the four agents, in a browser, with the micro model.

The micro model is the student; the micro oracle, a program behind an OpenAI-compatible address, is teacher and supervisor.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from micro.chain import Split
from micro.engine_spec import shipped_problems
from micro.oracle_server import MODEL, serve
from micro.problem import problem_spec
from solver import runs
from solver.campaigns import execution
from solver.campaigns import lifecycle as campaigns
from solver.campaigns.spec import read_data
from solver.models import Engine
from training.datasets import lifecycle as datasets
from training.datasets.build import build
from training.distillation import lifecycle as distillation
from training.models import Example
from training.supervision import lifecycle as supervision
from training.supervision.work import work
from trajectories.importers.normalised import convert
from trajectories.importers.row import Row
from trajectories.models import Run
from trajectories.problems import store

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
SEED, PROBLEMS = 5, (0, 5, 10, 14)  # the micro model solves the first of these alone
AGENTS = ("retrieval", "planning", "coding", "debugging")


@pytest.fixture
def oracle(transactional_db: None) -> Iterator[str]:
    server = serve()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    spec = {
        "name": "oracle",
        "kind": "openai",
        "label": "Micro oracle, a program",
        "base_url": f"http://127.0.0.1:{server.server_address[1]}/v1",
        "models": {"default": MODEL},
        "templates": "micro",
        "allow_loopback": True,
    }
    Engine.objects.create(name="oracle", spec=spec)
    yield "oracle"
    server.shutdown()
    server.server_close()


def drain() -> None:
    """What workers do, until nothing is left to do."""
    while True:
        queued = list(Run.objects.filter(status="queued").values_list("pk", flat=True))
        for pk in queued:
            runs.execute(pk, "test")
            execution.run_ended(pk, publish_to_workers=False)
        cases = supervision.workable()
        for pk in cases:
            work(pk, "test", publish_to_workers=False)
        versions = datasets.waiting()
        for pk in versions:
            build(pk, "test")
        if not (queued or cases or versions or distillation.keep_going()):
            return


def test_from_a_campaign_with_failures_to_files_for_the_four_agents(
    oracle: str, live_server_url: str, page: Page
) -> None:
    for index in PROBLEMS:
        store(convert(Row(problem_spec(SEED, index, Split.TRAIN))))
    for record in shipped_problems()[:5]:  # held-out problems, which no version may overlap with
        store(convert(Row(record)))
    spec = {
        "name": "Where it fails",
        "problems": {"source": ["micro"], "split": ["train"]},
        "strategies": [{"name": "mapcoder", "params": {"k": 1, "t": 1}}],
        "models": [{"engine": "micro"}],
    }
    campaign = campaigns.start(read_data(spec), publish_to_workers=False)
    drain()

    page.goto(f"{live_server_url}/campaigns/{campaign.pk}/")
    page.get_by_role("link", name="Supervise failures").click()
    page.get_by_label("Votes").fill("1")
    page.locator("select[name=reviser]").select_option("teacher")
    page.locator("select[name=teacher]").select_option("oracle")
    page.get_by_role("button", name="Start supervision").click()
    page.get_by_text("0 of 3 failed runs").wait_for()
    drain()
    page.get_by_text("3 of 3 failed runs").wait_for()
    expect(page.get_by_text("the teacher, oracle")).to_be_visible()
    assert Example.objects.filter(way="supervisor").exists()

    page.goto(f"{live_server_url}/distillation/new/")
    form = page.locator("form").filter(has=page.get_by_role("button", name="Start distillation"))
    form.locator("select[name=teacher]").select_option("oracle")
    form.get_by_label("planning").check()
    form.get_by_label("coding").check()
    form.get_by_role("button", name="Start distillation").click()
    page.wait_for_url(re.compile(r"/distillation/\d+/"))  # it is in the lab
    drain()
    page.get_by_text("teacher alone: 4 of 4 passed all hidden tests").wait_for()

    for example in Example.objects.order_by("pk"):
        page.goto(f"{live_server_url}/examples/{example.pk}/")
        page.get_by_role("button", name="Accept").click()
        page.get_by_role("button", name="Withdraw").wait_for()
    for agent in AGENTS:
        page.goto(f"{live_server_url}/datasets/new/?role={agent}")
        page.get_by_role("button", name="Build version").click()
        page.get_by_text("building", exact=True).first.wait_for()
        drain()
        page.get_by_text("ready", exact=True).first.wait_for()
        page.get_by_text("held against 5 evaluation problems: no overlap").wait_for()
        text = page.request.get(f"{live_server_url}/datasets/{agent}/v1/export/chat/").text()
        rows = [json.loads(line) for line in text.splitlines()]
        assert rows and all(row["messages"][-1]["role"] == "assistant" for row in rows)
        assert "Review of your earlier answer" not in text
    page.get_by_role("link", name="0", exact=True).first.click()
    page.get_by_role("heading", name="Answer", exact=True).wait_for()
