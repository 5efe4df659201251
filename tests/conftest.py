"""Fixtures shared by all rooms: a real broker, the real ASGI application on the file test database, a browser."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from mcl_web import broker as broker_process

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# How long an example takes says more of the machine's load than of the code.
hypothesis_settings.register_profile("lab", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("lab")

# How long a test waits for what an idle machine does at once; longer only where it never comes.
PATIENCE_S = 60.0
SOON_MS = 60_000  # the same for what a page shows

CHROMIUM_FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def broker() -> Iterator[str]:
    """The embedded broker on the socket that the settings name."""
    process = subprocess.Popen(broker_process.command(settings.BROKER_SOCKET), stdout=subprocess.DEVNULL)
    end = time.monotonic() + PATIENCE_S
    while not broker_process.answers(settings.BROKER_SOCKET):
        assert process.poll() is None and time.monotonic() < end, "the embedded broker did not start"
        time.sleep(0.02)
    yield str(settings.BROKER_SOCKET)
    process.terminate()
    process.wait(PATIENCE_S)


@pytest.fixture
def live_server_url(transactional_db: None, broker: str) -> Iterator[str]:
    """The real ASGI application under uvicorn in a thread, on the file test database."""
    import uvicorn
    from channels.layers import channel_layers

    from mcl_web.asgi import application

    # Each server has an event loop of its own, and a layer keeps locks: one that is held when a loop ends is held for ever.
    channel_layers.backends.clear()
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    end = time.monotonic() + PATIENCE_S
    while not server.started:
        assert time.monotonic() < end, "uvicorn did not start"
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(PATIENCE_S)
    assert not thread.is_alive(), "uvicorn did not stop"
    listener.close()


def chromium_path() -> str | None:
    """Debian's Chromium, or None to let Playwright use the build it downloaded."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    # Playwright's synchronous API keeps an event loop in this thread, which Django's ORM would refuse to run beside.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    from playwright.sync_api import Error, sync_playwright

    with sync_playwright() as playwright:
        try:
            started = playwright.chromium.launch(
                executable_path=chromium_path(),
                chromium_sandbox=False,
                args=CHROMIUM_FLAGS,
                timeout=3 * SOON_MS,
            )
        except Error as error:
            pytest.fail(f"no Chromium to test with; run `make browser` ({str(error).splitlines()[0]})")
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    from playwright.sync_api import expect

    expect.set_options(timeout=SOON_MS)
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    context.set_default_timeout(SOON_MS)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real problems and programs beside the checkout; tests that need it skip where it is absent."""
    folder = Path(settings.BASE_DIR).parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the data corpus (../shared/data) is not on this machine")
    return folder


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Process-tree and browser tests last: everything cheap has failed before they start."""
    items.sort(
        key=lambda item: sum(
            item.get_closest_marker(name) is not None for name in ("browser", "tree", "slow")
        )
    )
