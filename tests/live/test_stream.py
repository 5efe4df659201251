"""What a viewer of the live stream gets: every event exactly once and in order, whatever happens to the connection."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from channels.db import database_sync_to_async
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings
from websockets import Origin
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from tests.factories import append_notes, claimed_run
from trajectories import bell, live
from trajectories.models import Run

pytestmark = pytest.mark.django_db(transaction=True)
ORIGIN = Origin("http://127.0.0.1")
make_run = database_sync_to_async(claimed_run)
append = database_sync_to_async(append_notes)


class Socket:
    """A viewer: connects with a cursor, collects what arrives."""

    def __init__(self, url: str, run: Run, after: int = 0) -> None:
        self.address = f"{url.replace('http', 'ws', 1)}/ws/runs/{run.pk}/?after={after}"
        self.frames: list[dict[str, Any]] = []

    async def __aenter__(self) -> Socket:
        self.connection = await connect(self.address, origin=ORIGIN, max_size=None)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.connection.close()

    async def frame(self, patience: float = 6) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(await asyncio.wait_for(self.connection.recv(), patience))
        return found

    async def until(self, seq: int, patience: float = 6) -> list[int]:
        """Read frames until event `seq`; the sequence numbers seen so far."""
        while seq not in self.seqs:
            self.frames.append(await self.frame(patience))
        return self.seqs

    @property
    def seqs(self) -> list[int]:
        return [frame["seq"] for frame in self.frames if frame["t"] == "event"]


async def test_a_viewer_gets_the_backlog_and_then_what_happens(live_server_url: str) -> None:
    run, fence = await make_run()
    await append(run, fence, 3)
    async with Socket(live_server_url, run) as viewer:
        assert await viewer.until(3) == [1, 2, 3]
        await append(run, fence, 2)
        assert await viewer.until(5) == [1, 2, 3, 4, 5]
    assert viewer.frames[0] == {"t": "hello", "last": 3}


async def test_a_viewer_that_comes_back_gets_only_what_it_has_not_seen(live_server_url: str) -> None:
    run, fence = await make_run()
    await append(run, fence, 4)
    async with Socket(live_server_url, run, after=2) as viewer:
        assert await viewer.until(4) == [3, 4]


@hypothesis_settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cuts=st.lists(st.integers(min_value=1, max_value=6), min_size=1, max_size=5))
async def test_dropping_the_connection_anywhere_loses_and_doubles_nothing(
    live_server_url: str, cuts: list[int]
) -> None:
    run, fence = await make_run()
    seen: list[int] = []
    for cut in cuts:
        async with Socket(live_server_url, run, after=seen[-1] if seen else 0) as viewer:
            await append(run, fence, cut)
            await viewer.until((seen[-1] if seen else 0) + 1)  # leave in the middle of what is on its way
            seen += viewer.seqs
    total = sum(cuts)
    async with Socket(live_server_url, run, after=seen[-1]) as viewer:
        if seen[-1] < total:
            seen += await viewer.until(total)
    assert seen == list(range(1, total + 1))


async def test_without_a_bell_the_safety_poll_delivers(
    live_server_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bell, "ring", lambda run_id, seq: None)
    monkeypatch.setattr(live, "SAFETY_POLL_S", 0.2)
    run, fence = await make_run()
    async with Socket(live_server_url, run) as viewer:
        await append(run, fence, 2)
        assert await viewer.until(2) == [1, 2]


async def test_a_viewer_keeps_its_connection_through_six_idle_seconds(live_server_url: str) -> None:
    """redis-py 8 would end the socket after 5 s; the pin and `socket_timeout` both guard against it."""
    run, fence = await make_run()
    async with Socket(live_server_url, run) as viewer:
        await append(run, fence, 1)
        await viewer.until(1)
        await asyncio.sleep(6)
        await append(run, fence, 1)
        assert await viewer.until(2) == [1, 2]


async def test_a_slow_viewer_is_refilled_from_the_log(
    live_server_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "BUFFER", 5)
    run, fence = await make_run()
    async with Socket(live_server_url, run) as viewer:
        for _ in range(20):
            await append(run, fence, 10)
        assert await viewer.until(200, patience=10) == list(range(1, 201))


async def test_token_deltas_reach_the_viewer_and_are_not_stored(live_server_url: str) -> None:
    run, fence = await make_run()
    await append(run, fence, 1)
    async with Socket(live_server_url, run) as viewer:
        await viewer.until(1)
        bell.delta(run.pk, 1, 0, "import sys")
        frame = await viewer.frame()
    assert frame == {"t": "delta", "step": 1, "offset": 0, "text": "import sys"}
    await database_sync_to_async(run.refresh_from_db)()
    assert run.last_seq == 1


@pytest.mark.parametrize(("path", "code"), [("999999/", 4404), ("1/?after=-1", 4400), ("1/?after=x", 4400)])
async def test_a_bad_address_is_refused_with_a_code(live_server_url: str, path: str, code: int) -> None:
    async with connect(f"{live_server_url.replace('http', 'ws', 1)}/ws/runs/{path}", origin=ORIGIN) as viewer:
        with pytest.raises(ConnectionClosedError) as closed:
            await asyncio.wait_for(viewer.recv(), 5)
    assert closed.value.rcvd is not None and closed.value.rcvd.code == code


async def test_a_page_of_another_site_cannot_listen(live_server_url: str) -> None:
    run, _ = await make_run()
    with pytest.raises(InvalidStatus):
        await connect(
            f"{live_server_url.replace('http', 'ws', 1)}/ws/runs/{run.pk}/",
            origin=Origin("http://evil.example"),
        )


async def test_a_stranger_cannot_listen_where_a_login_is_required(
    live_server_url: str, settings: Settings
) -> None:
    settings.REQUIRE_LOGIN = True
    run, _ = await make_run()
    async with Socket(live_server_url, run) as viewer:
        with pytest.raises(ConnectionClosedError) as closed:
            await viewer.frame()
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 4403
