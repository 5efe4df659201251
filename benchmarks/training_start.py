"""From pressing Launch to the first point of the loss curve on the page: a whole lab, the micro model, headless Chromium.

    python -m benchmarks.training_start [--repeat 3] [--json FILE]

`manage.py up` in a folder of its own with 64 rows a role; each repeat launches one run of one step from the form, opens its page and waits
for the first figure. Beside it, in the same run, the limit below which no trainer of this kind can go: a bare Python that
imports torch, transformers' Trainer and peft.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.figures import Bar, report

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parent.parent
IMPORTS = "import torch, peft; from transformers import Trainer, TrainingArguments"
PATIENCE_MS = 120_000
YAML = """role: planning
dataset: planning@v1
engine: micro
rank: 16
alpha: 32
lr: 0.002
epochs: 1
batch: 3
accumulation: 1
length: 1024
gradient_checkpointing: false
max_steps: 2
eval_every: 20
save_every: 20
evaluate: 0
seed: {seed}
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", type=Path, default=None)
    given = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mcl_web.settings")
    import django

    django.setup()
    with tempfile.TemporaryDirectory(prefix="mcl-start-") as folder:
        rows = measure(Path(folder), given.repeat)
    seconds = [row["first point, s"] for row in rows]
    bars = [
        Bar("Launch to the first point on the page, median", median(seconds), "s", 10.0, "max", len(seconds)),
        Bar(
            "against the bare imports of torch, transformers and peft",
            median(seconds) / median(row["bare imports, s"] for row in rows),
            "times",
            2.5,
            "max",
            len(seconds),
        ),
    ]
    report("training_start", bars, rows, given.json)


def measure(folder: Path, repeat: int) -> list[dict[str, Any]]:
    from playwright.sync_api import sync_playwright

    from tests.lab import Lab

    lab = Lab(folder)
    lab.ready_line()
    try:
        seed = [sys.executable, "-m", "tests.training.seed_lab"]
        subprocess.run(seed, cwd=ROOT, env=lab.env, check=True, capture_output=True)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            page = browser.new_page()
            page.set_default_timeout(PATIENCE_MS)
            return [_once(page, f"http://127.0.0.1:{lab.port}", seed) for seed in range(repeat)]
    finally:
        lab.process.send_signal(signal.SIGINT)
        lab.process.wait(60)


def _once(page: Page, home: str, seed: int) -> dict[str, Any]:
    bare = time.monotonic()
    subprocess.run([sys.executable, "-c", IMPORTS], check=True)
    bare = time.monotonic() - bare
    page.goto(f"{home}/training/new/?preset=micro")
    page.get_by_label("Exact YAML of the training run").fill(YAML.format(seed=seed))
    launch = page.get_by_role("button", name="Launch")
    page.locator("[data-gates]").get_by_text("for 2 steps").wait_for()
    began = time.monotonic()
    launch.click()
    page.wait_for_url(re.compile(r"/training/(runs/)?\d+/$|/training/$"))
    if page.url.endswith("/training/"):
        page.locator("#training-runs tbody tr").first.get_by_role("link").first.click()
    opened = time.monotonic() - began
    page.locator("svg.chart[aria-label^='Training loss']").wait_for()
    seconds = time.monotonic() - began
    page.get_by_text("finished", exact=True).first.wait_for()
    return {
        "run": seed + 1,
        "page open, s": round(opened, 2),
        "first point, s": round(seconds, 2),
        "bare imports, s": round(bare, 2),
    }


if __name__ == "__main__":
    main()
