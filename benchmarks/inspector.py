"""The inspector at scale, in headless Chromium: long runs, key presses, parked readers, lists over 100,000 runs.

    python -m benchmarks.inspector [--runs 100000] [--events 20] [--var FOLDER] [--lists] [--json FILE]

A real uvicorn on SQLite (or the database of DATABASE_URL), filled by `manage.py seed_scale` unless FOLDER holds a
filled one already. "Interactive" is from the navigation's start to the first frame after which the page answers a key.
The limits are those of the design.
"""

from __future__ import annotations

import argparse
import gzip
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.figures import Bar, report

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Response

ROOT = Path(__file__).resolve().parent.parent
LONG = (300, 2000, 20000)
LIMIT_S = {300: 1.0, 2000: 2.0, 20000: 1.5}
LISTS = (
    *("/", "/problems/", "/problems/?tag=dp", "/problems/?q=tag:dp+runs>100"),
    *("/runs/", "/runs/?after=50000", "/runs/?status=finished", "/runs/?verdict=WA", "/runs/?strategy=cot"),
    *("/runs/?engine_name=scale", "/runs/?tag=dp", "/runs/?blame=planning", "/runs/?verdict=WA&after=50000"),
    *("/runs/?q=invented+problem+1", "/runs/?q=is:failed+is:blamed", "/runs/?q=level:easy+is:solved"),
    *("/runs/?q=tag:dp+verdict:WA+blame:planning", "/runs/?q=is:correction"),
    *("/campaigns/", "/compare/", "/datasets/", "/examples/", "/review/agreement/", "/review/preferences/"),
    *("/runs/all/?verdict=WA", "/runs/all/?q=tag:dp+is:failed"),
    *("/runs/replay-an-agent/", "/runs/replay-an-agent/?q=tag:dp+is:failed"),
)
# A list beside a whole step with its prompt, judging and opinions: more questions, as many for any number of runs.
DESK = (
    *("/review/", "/review/?queue=unconfirmed", "/review/?queue=corrections", "/review/?queue=second-pass"),
    *("/review/?queue=candidates", "/review/?queue=a-or-b", "/review/?queue=a-or-b-runs"),
    *("/compare/?a=5&b=9", "/review/maps/"),
)
ORDINARY = ("/", "/runs/", "/problems/", "/review/", "/engines/", "/system/")
READY = """() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now()))))"""
PRESS = """key => new Promise(done => {
  const start = performance.now();
  document.body.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));
  requestAnimationFrame(() => { const c = new MessageChannel(); c.port1.onmessage = () => done(performance.now() - start); c.port2.postMessage(0); });
})"""


@contextmanager
def lab(var: Path) -> Iterator[str]:
    from django.conf import settings

    from mcl_web import broker

    env = {**os.environ, "MCL_VAR": str(var), "PYTHONPATH": str(ROOT)}
    bell = subprocess.Popen(broker.command(settings.BROKER_SOCKET), stdout=subprocess.DEVNULL)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["-m", "uvicorn", "mcl_web.asgi:application", "--port", str(port), "--log-level", "error"]
    server = subprocess.Popen([sys.executable, *command, "--lifespan", "off"], cwd=ROOT, env=env)
    try:
        end = time.monotonic() + 60
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if time.monotonic() > end or server.poll() is not None:
                raise SystemExit("the web server did not start")
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        for child in (server, bell):
            child.terminate()
            child.wait(10)


def setup(var: Path, runs: int, events: int) -> None:
    os.environ["MCL_VAR"] = str(var)
    os.environ["DJANGO_SETTINGS_MODULE"] = "mcl_web.settings"
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    import django

    django.setup()
    from django.core.management import call_command

    from trajectories.models import Run

    call_command("migrate", verbosity=0)
    if not Run.objects.exists():
        call_command("seed_scale", runs=runs, events=events, long=list(LONG))


def long_runs() -> dict[int, int]:
    """Number of steps to the run's id."""
    from trajectories.models import Run

    return {
        steps: run.pk
        for steps in LONG
        if (run := Run.objects.filter(step_count=steps).order_by("-pk").first()) is not None
    }


# -- in the browser


def interactive(browser: Browser, address: str, repeats: int) -> list[float]:
    """Seconds until the first `j` has selected a step."""
    found = []
    for _ in range(repeats):
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        page.goto(address, wait_until="domcontentloaded", timeout=120_000)
        page.wait_for_function("document.querySelector('run-stream')?.last !== undefined", timeout=60_000)
        page.evaluate(PRESS, "j")
        assert page.locator(".step[aria-current]").count() == 1, "the first j selected nothing"
        found.append(float(page.evaluate("performance.now()")) / 1000)
        page.close()
    return found


def presses(browser: Browser, address: str, count: int) -> list[float]:
    """Milliseconds from the key to the frame that shows the next step."""
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    page.goto(address, wait_until="load", timeout=120_000)
    page.wait_for_function("document.querySelector('run-stream')?.last !== undefined")
    page.evaluate(READY)
    found = [float(page.evaluate(PRESS, "j")) for _ in range(count)]
    page.close()
    return found


def drift(browser: Browser, url: str, arrive: int) -> float:
    """Pixels by which a parked reader's step moves while `arrive` steps come in."""
    from tests.pages.telling import Teller

    teller = Teller()
    teller.begin()
    for number in range(30):
        teller.ask("coding", f"x = {number}\n" * 12, attempt=1)
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"{url}/runs/{teller.run.pk}/#s12", timeout=120_000)
    page.wait_for_selector("#live[data-state=live]", timeout=60_000)
    page.mouse.move(700, 500)
    page.mouse.wheel(0, -40)
    page.wait_for_timeout(600)
    top = "document.querySelector('#s12').getBoundingClientRect().top"
    before = page.evaluate(top)
    for number in range(arrive):
        last = teller.ask("coding", f"y = {number}\n" * 12, attempt=1)
    page.wait_for_function(
        "last => Number(document.querySelector('run-stream').dataset.last) >= last", arg=last, timeout=300_000
    )
    moved = abs(float(page.evaluate(top)) - float(before))
    page.close()
    return moved


def scripts(browser: Browser, url: str) -> dict[str, int]:
    """Bytes of JavaScript of each ordinary page, gzipped."""
    found = {}
    for path in ORDINARY:
        page = browser.new_page()
        sizes: list[int] = []

        def weigh(response: Response, sizes: list[int] = sizes) -> None:
            if response.request.resource_type == "script":
                sizes.append(len(gzip.compress(response.body())))

        page.on("response", weigh)
        page.goto(url + path, wait_until="networkidle", timeout=120_000)
        found[path] = sum(sizes)
        page.close()
    return found


# -- on the server


def lists(paths: Sequence[str], repeats: int) -> list[dict[str, Any]]:
    """Server time and queries of each page, signed in, without network and browser."""
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.db import connection
    from django.test import Client

    settings.ALLOWED_HOSTS = ["*"]
    client = Client()
    client.force_login(get_user_model().objects.get_or_create(username="reader")[0])
    rows = []
    for path in paths:
        client.get(path)
        asked: list[str] = []

        def count(execute: Any, sql: str, *rest: Any, asked: list[str] = asked) -> Any:
            asked.append(sql)
            return execute(sql, *rest)

        with connection.execute_wrapper(count):
            client.get(path)
        times = []
        for _ in range(repeats):
            begun = time.perf_counter()
            client.get(path)
            times.append((time.perf_counter() - begun) * 1000)
        rows.append(
            {"page": path, "queries": len(asked), "ms (median)": median(times), "ms (best)": min(times)}
        )
    return rows


def _worst(rows: list[dict[str, Any]]) -> float:
    return float(max(row["ms (median)"] for row in rows))


def measure(var: Path, repeats: int, browsing: bool) -> tuple[list[Bar], list[dict[str, Any]]]:
    from django.db import connection
    from playwright.sync_api import sync_playwright

    from tests.conftest import CHROMIUM_FLAGS, chromium_path

    found, desk = lists(LISTS, repeats), lists(DESK, repeats)
    rows = [*found, *desk]
    on = connection.vendor
    bars = [
        Bar(
            f"queries of a list, {on}", max(row["queries"] for row in found), "queries", 8, "max", len(found)
        ),
        Bar(f"server time of a list, worst median, {on}", _worst(found), "ms", 150, "max", repeats),
        Bar(f"server time of the desk, compare and maps, {on}", _worst(desk), "ms", 150, "max", repeats),
    ]
    if not browsing:
        return bars, rows
    known = long_runs()
    with lab(var) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path(), chromium_sandbox=False, args=CHROMIUM_FLAGS
        )
        for steps, pk in known.items():
            times = interactive(browser, f"{url}/runs/{pk}/", repeats)
            rows.append({"page": f"{steps} steps", "s (median)": median(times), "s (best)": min(times)})
            bars.append(Bar(f"{steps} steps interactive", median(times), "s", LIMIT_S[steps], "max", repeats))
        if 300 in known:
            pressed = presses(browser, f"{url}/runs/{known[300]}/", 60)
            bars.append(Bar("key press to next step painted", median(pressed), "ms", 50, "max", len(pressed)))
        bars.append(Bar("drift of a parked reader, 200 steps", drift(browser, url, 200), "px", 0, "max", 200))
        weights = scripts(browser, url)
        bars.append(Bar("JavaScript of a page", max(weights.values()) / 1024, "KB", 60, "max", len(weights)))
        rows += [{"page": path, "JavaScript KB": size / 1024} for path, size in weights.items()]
        browser.close()
    return bars, rows


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=20, help="events a run")
    parser.add_argument("--var", type=Path, help="a state folder that is filled already, or is to be")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--lists", action="store_true", help="the lists alone, without a browser")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mcl-inspector-") as fresh:
        var = given.var or Path(fresh)
        setup(var, given.runs, given.events)
        bars, rows = measure(var, given.repeats, not given.lists)
    report("inspector", bars, rows, given.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
