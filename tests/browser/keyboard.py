"""Keys as a person presses them who looks at what the page does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page


def press_twice(page: Page, key: str, there: str) -> None:
    """Two presses are one act where they come within 600 ms, which a driver on a busy machine may miss: it tries again,
    as a person would, until an element that matches `there` is on the page."""
    for _ in range(30):
        page.keyboard.press(key)
        page.keyboard.press(key)
        if page.locator(there).count():
            return
    raise AssertionError(f"{key} pressed twice did nothing")
