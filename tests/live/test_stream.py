"""What a viewer of the live stream gets: every event exactly once and in order, whatever happens to the connection."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from mcl_web.asgi import application
from tests.factories import append_notes, claimed_run
from trajectories import bell, live
from trajectories.models import Run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("broker")]
make_run = database_sync_to_async(claimed_run)
append = database_sync_to_async(append_notes)


class Socket:
    """A viewer: connects with a cursor, collects what arrives."""

    def __init__(self, run: Run, after: int = 0) -> None:
        headers = [(b"origin", b"http://127.0.0.1"), (b"host", b"127.0.0.1")]
        self.communicator = WebsocketCommunicator(
            application, f"/ws/runs/{run.pk}/?after={after}", headers=headers
        )
        self.frames: list[dict[str, Any]] = []

    async def __aenter__(self) -> Socket:
        connected, _ = await self.communicator.connect(timeout=5)
        assert connected
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.communicator.disconnect(timeout=5)

    async def until(self, seq: int, patience: float = 6) -> list[int]:
        """Read frames until event `seq`; the sequence numbers seen so far."""
        while seq not in self.seqs:
            self.frames.append(json.loads(await self.communicator.receive_from(timeout=patience)))
        return self.seqs

    @property
    def seqs(self) -> list[int]:
        return [frame["seq"] for frame in self.frames if frame["t"] == "event"]


async def test_a_viewer_gets_the_backlog_and_then_what_happens() -> None:
    run, fence = await make_run()
    await append(run, fence, 3)
    async with Socket(run) as viewer:
        assert await viewer.until(3) == [1, 2, 3]
        await append(run, fence, 2)
        assert await viewer.until(5) == [1, 2, 3, 4, 5]
    assert viewer.frames[0] == {"t": "hello", "last": 3}


async def test_a_viewer_that_comes_back_gets_only_what_it_has_not_seen() -> None:
    run, fence = await make_run()
    await append(run, fence, 4)
    async with Socket(run, after=2) as viewer:
        assert await viewer.until(4) == [3, 4]


@hypothesis_settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cuts=st.lists(st.integers(min_value=1, max_value=6), min_size=1, max_size=5))
async def test_dropping_the_connection_anywhere_loses_and_doubles_nothing(cuts: list[int]) -> None:
    run, fence = await make_run()
    seen: list[int] = []
    for cut in cuts:
        async with Socket(run, after=seen[-1] if seen else 0) as viewer:
            await append(run, fence, cut)
            await viewer.until((seen[-1] if seen else 0) + 1)  # leave in the middle of what is on its way
            seen += viewer.seqs
    total = sum(cuts)
    async with Socket(run, after=seen[-1]) as viewer:
        if seen[-1] < total:
            seen += await viewer.until(total)
    assert seen == list(range(1, total + 1))


async def test_without_a_bell_the_safety_poll_delivers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bell, "ring", lambda run_id, seq: None)
    monkeypatch.setattr(live, "SAFETY_POLL_S", 0.2)
    run, fence = await make_run()
    async with Socket(run) as viewer:
        await append(run, fence, 2)
        assert await viewer.until(2) == [1, 2]


async def test_a_viewer_keeps_its_connection_through_six_idle_seconds() -> None:
    """redis-py 8 would end the socket after 5 s; the pin and `socket_timeout` both guard against it."""
    run, fence = await make_run()
    async with Socket(run) as viewer:
        await append(run, fence, 1)
        await viewer.until(1)
        await asyncio.sleep(6)
        await append(run, fence, 1)
        assert await viewer.until(2) == [1, 2]


async def test_a_slow_viewer_is_refilled_from_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "BUFFER", 5)
    run, fence = await make_run()
    async with Socket(run) as viewer:
        for _ in range(20):
            await append(run, fence, 10)
        assert await viewer.until(200, patience=10) == list(range(1, 201))


async def test_token_deltas_reach_the_viewer_and_are_not_stored() -> None:
    run, fence = await make_run()
    await append(run, fence, 1)
    async with Socket(run) as viewer:
        await viewer.until(1)
        bell.delta(run.pk, 1, 0, "import sys")
        frame = json.loads(await viewer.communicator.receive_from(timeout=5))
    assert frame == {"t": "delta", "step": 1, "offset": 0, "text": "import sys"}
    await database_sync_to_async(run.refresh_from_db)()
    assert run.last_seq == 1


@pytest.mark.parametrize(
    ("path", "code"),
    [("/ws/runs/999999/", 4404), ("/ws/runs/1/?after=-1", 4400), ("/ws/runs/1/?after=x", 4400)],
)
async def test_a_bad_address_is_refused_with_a_code(path: str, code: int) -> None:
    communicator = WebsocketCommunicator(
        application, path, headers=[(b"origin", b"http://127.0.0.1"), (b"host", b"127.0.0.1")]
    )
    await communicator.connect(timeout=5)
    assert await communicator.receive_output(timeout=5) == {"type": "websocket.close", "code": code}


async def test_a_page_of_another_site_cannot_listen() -> None:
    run, _ = await make_run()
    communicator = WebsocketCommunicator(
        application, f"/ws/runs/{run.pk}/", headers=[(b"origin", b"http://evil.example")]
    )
    connected, _ = await communicator.connect(timeout=5)
    assert not connected


async def test_a_stranger_cannot_listen_where_a_login_is_required(settings: Settings) -> None:
    settings.REQUIRE_LOGIN = True
    run, _ = await make_run()
    communicator = WebsocketCommunicator(
        application,
        f"/ws/runs/{run.pk}/",
        headers=[(b"origin", b"http://127.0.0.1"), (b"host", b"127.0.0.1")],
    )
    await communicator.connect(timeout=5)
    assert await communicator.receive_output(timeout=5) == {"type": "websocket.close", "code": 4403}
