"""A request that a page makes, held back or answered in the page itself: what a driver intercepts after a page has loaded
may still slip through on a busy machine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

_HOLD = """ending => { const real = window.fetch; window.letGo = undefined; window.fetch = (url, more) => {
    if (!String(url).endsWith(ending) || window.letGo) return real(url, more);
    return new Promise(go => { window.letGo = body => go(body === null ? real(url, more)
        : new Response(body, {headers: {'content-type': 'application/json'}})); }); } }"""
_REFUSE = """([ending, times]) => { const real = window.fetch; const left = window.refusals = {times: times ?? Infinity};
    window.fetch = (url, more) => String(url).endsWith(ending) && left.times-- > 0
        ? Promise.resolve(new Response('', {status: 503})) : real(url, more); }"""
_SEND_ELSEWHERE = """ending => { window.real = window.fetch; window.fetch = (url, more) =>
    String(url).endsWith(ending) ? real('/go/?q=x', {redirect: more?.redirect}) : real(url, more); }"""


def hold(page: Page, ending: str) -> None:
    """The next request to an address with this ending waits."""
    page.evaluate(_HOLD, ending)


def hold_from_the_start(page: Page, ending: str) -> None:
    """The same for a page that is yet to be opened, before its own scripts ask for anything."""
    page.add_init_script(f"({_HOLD})({json.dumps(ending)})")


def held(page: Page) -> None:
    """Wait until the page has made it."""
    page.wait_for_function(
        "() => window.letGo !== undefined"
    )  # a function: the page's policy lets no text be evaluated


def let_go(page: Page, body: str | None = None) -> None:
    """Send it now, or answer it with `body`."""
    page.evaluate("body => window.letGo(body)", body)


def let_go_and_hold_the_next(page: Page, body: str) -> None:
    """In one go: a page that asks every other second may have asked again before a driver on a busy machine says `hold`."""
    page.evaluate("body => { const go = window.letGo; window.letGo = undefined; go(body); }", body)


def refuse(page: Page, ending: str, times: int | None = 1) -> None:
    """The next requests, all of them with None, are answered by a lab that cannot serve them now."""
    page.evaluate(_REFUSE, [ending, times])


def serve_again(page: Page) -> None:
    """What `refuse` said last is over."""
    page.evaluate("() => { window.refusals.times = 0 }")


def send_elsewhere(page: Page, ending: str) -> None:
    """Such requests are redirected from now on, as a lab with sign-in redirects whoever has no session."""
    page.evaluate(_SEND_ELSEWHERE, ending)


def send_home(page: Page) -> None:
    page.evaluate("() => { window.fetch = window.real }")
