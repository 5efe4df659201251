"""`python -m benchmarks.pictures.shots URL FILE FOLDER [NAME ...]`: one PNG a page, 1280 pixels wide, in few colours.

FILE is what `benchmarks.pictures.work` wrote. Without names every picture is taken.
"""

from __future__ import annotations

import io
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from playwright.sync_api import Page

WIDTH, HEIGHT = 1280, 860
COLOURS = 128  # of a picture: the pages have few, and a palette makes the file a third


@dataclass(frozen=True, slots=True)
class Shot:
    name: str
    path: str
    prepare: Callable[[Page], object] = lambda page: None
    dark: bool = False
    height: int = HEIGHT


def shots(made: dict[str, Any]) -> Iterator[Shot]:
    run, replayed = f"/runs/{made['run']}/", made["replayed"]
    cells, versions = made["cells"], made["versions"]["coding"]
    yield Shot("loop", "/")
    yield Shot("problems", "/problems/")
    yield Shot("problem", f"/problems/{made['problem']}/", height=1000)
    yield Shot("filters", "/runs/", _typed_filter)
    yield Shot("palette", "/", _palette)
    yield Shot("run", run, lambda page: page.keyboard.press("j"))
    yield Shot("run-dark", run, lambda page: _keys(page, "jjjjj"), dark=True)
    yield Shot("run-live", f"/problems/{made['problem']}/", _solve_live)
    yield Shot("compare", f"/compare/?a={replayed['run']}&b={replayed['branch']}&show=differences")
    yield Shot("replay", f"/runs/{replayed['run']}/steps/{replayed['step']}/replays/")
    yield Shot("review", "/review/?queue=corrections", _settled)
    yield Shot("review-dark", "/review/?queue=failed", _settled, dark=True)
    yield Shot("pair", "/review/?queue=a-or-b-runs")
    yield Shot("agreement", "/review/agreement/")
    yield Shot("maps", "/review/maps/?who=supervisor&agent=coding", height=1000)
    yield Shot("campaign", f"/campaigns/{made['campaign']}/", height=1100)
    yield Shot("alignment", f"/campaigns/alignment/?a={cells[0]}&b={cells[1]}", height=1000)
    yield Shot("distillation", f"/distillation/{made['distillation']}/")
    yield Shot("supervision", f"/supervision/{made['supervision']}/")
    yield Shot("dataset", "/datasets/coding/v2/", height=1000)
    yield Shot("dataset-diff", f"/datasets/diff/?a={versions[0]}&b={versions[1]}")
    yield Shot("tokens", "/datasets/coding/v2/tokens/?base=micro")
    yield Shot("training", "/training/")
    yield Shot("training-run", f"/training/runs/{made['training']['run']}/", height=1100)
    yield Shot("adapter", f"/training/adapters/{made['training']['adapter']}/")
    yield Shot("system", "/system/", height=600)
    if "imported" in made:
        yield Shot("imported", f"/runs/{made['imported']}/", lambda page: _keys(page, "jjjj"))


def _keys(page: Page, keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)
        page.wait_for_timeout(60)


def _settled(page: Page) -> None:
    page.locator("#maps .heat, #maps .empty").first.wait_for()


def _palette(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.get_by_label("Go to or do").fill("coding")
    page.locator("#palette-list").get_by_text("Adapter coding@1").wait_for()


def _typed_filter(page: Page) -> None:
    page.goto(page.url + "?q=is%3Afailed+tag%3Afilter")
    page.keyboard.press("/")
    page.keyboard.press("End")
    page.keyboard.type(" ver")
    page.get_by_role("option").first.wait_for()


def _solve_live(page: Page) -> None:
    """A run of the recorded walkthrough while it is written."""
    page.locator("input[name=engine][value=recorded]").check()
    page.locator("#solve button.primary").first.click()
    page.wait_for_url("**/runs/*/")
    page.locator(".step").nth(3).wait_for(timeout=60_000)
    page.wait_for_timeout(400)


def take(page: Page, url: str, shot: Shot, folder: Path) -> None:
    page.set_viewport_size({"width": WIDTH, "height": shot.height})
    page.context.add_cookies([{"name": "theme", "value": "dark" if shot.dark else "light", "url": url}])
    page.goto(url + shot.path)
    shot.prepare(page)
    page.wait_for_timeout(350)
    wide = page.evaluate("document.documentElement.scrollWidth")
    if wide > WIDTH:
        print(f"  {shot.name} is {wide} px wide")
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    few = picture.quantize(COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    target = folder / f"{shot.name}.png"
    few.save(target, optimize=True)
    print(f"{target.name}: {target.stat().st_size // 1024} KB", flush=True)


def main(url: str, file: Path, folder: Path, only: list[str]) -> None:
    made = json.loads(file.read_text(encoding="utf-8"))
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        path = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, chromium_sandbox=False)
        page = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}).new_page()
        for shot in shots(made):
            if not only or shot.name in only:
                take(page, url, shot, folder)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:])
