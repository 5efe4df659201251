"""What a viewer of the live stream gets: every event exactly once and in order, whatever happens to the connection."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest
import redis
from channels.db import database_sync_to_async
from django.conf import settings as settings_of_lab
from django.db import OperationalError
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings
from websockets import Origin
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from tests.conftest import PATIENCE_S
from tests.factories import append_notes, claimed_run
from trajectories import bell, consumers, live
from trajectories.consumers import RunConsumer
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
        self.connection = await connect(self.address, origin=ORIGIN, max_size=None, open_timeout=PATIENCE_S)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.connection.close()

    async def frame(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(await asyncio.wait_for(self.connection.recv(), PATIENCE_S))
        return found

    async def until(self, seq: int) -> list[int]:
        """Read frames until event `seq`; the sequence numbers seen so far."""
        while seq not in self.seqs:
            self.frames.append(await self.frame())
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
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
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
        assert await viewer.until(200) == list(range(1, 201))


async def test_a_broker_that_is_held_up_keeps_nobody_from_the_log(
    live_server_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SAFETY_POLL_S", 0.2)
    enter, answers = live.Hub._enter, threading.Event()

    async def held_up(self: live.Hub, *given: Any) -> None:
        await asyncio.to_thread(answers.wait, 2 * PATIENCE_S)
        await enter(self, *given)

    monkeypatch.setattr(live.Hub, "_enter", held_up)
    run, fence = await make_run()
    await append(run, fence, 1)
    async with Socket(live_server_url, run) as viewer:
        assert await viewer.until(1) == [1]
        await append(run, fence, 1)
        assert await viewer.until(2) == [1, 2]
    answers.set()
    await unwatched(run)
    await unheard(run)


async def test_token_deltas_reach_the_viewer_and_are_not_stored(
    live_server_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SAFETY_POLL_S", PATIENCE_S)  # before it has entered nothing reaches it
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
            await asyncio.wait_for(viewer.recv(), PATIENCE_S)
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


def watched(run: Run) -> list[live.Hub]:
    """The hubs of this run that a new viewer could join."""
    return [hub for (_, number), hub in live.Hub._hubs.items() if number == run.pk]


async def unwatched(run: Run) -> None:
    for _ in range(int(PATIENCE_S / 0.05)):
        if not watched(run):
            return
        await asyncio.sleep(0.05)
    pytest.fail("somebody who has gone is still served")


async def test_a_log_that_cannot_be_read_for_a_moment_silences_nobody(
    live_server_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SAFETY_POLL_S", 0.2)
    read, refusals = live.read_lines, [OperationalError("database is locked")] * 2

    async def moody(run_id: int, after: int) -> list[live.Line]:
        if refusals:
            raise refusals.pop()
        found: list[live.Line] = await read(run_id, after)
        return found

    run, fence = await make_run()
    async with Socket(live_server_url, run) as viewer:
        await append(run, fence, 1)
        await viewer.until(1)
        monkeypatch.setattr(live, "read_lines", moody)
        await append(run, fence, 2)
        assert await viewer.until(3) == [1, 2, 3]
    assert not refusals


async def test_a_hub_that_breaks_sends_its_viewers_away_and_the_next_finds_a_new_one(
    live_server_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A socket that stays open and brings nothing would say "Live" for ever."""

    async def broken(run_id: int, after: int) -> list[live.Line]:
        raise RuntimeError("a template cannot be rendered")

    run, fence = await make_run()
    async with Socket(live_server_url, run) as viewer:
        await append(run, fence, 1)
        await viewer.until(1)
        with monkeypatch.context() as patched:
            patched.setattr(live, "read_lines", broken)
            await append(run, fence, 1)
            with pytest.raises(ConnectionClosedError) as closed:
                await viewer.frame()
    assert closed.value.rcvd is not None and closed.value.rcvd.code == consumers.TRY_AGAIN
    async with Socket(live_server_url, run, after=1) as viewer:
        assert await viewer.until(2) == [2]
        await append(run, fence, 1)
        assert await viewer.until(3) == [2, 3]


async def test_a_backlog_that_cannot_be_read_closes_the_socket(
    live_server_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(run_id: int, after: int) -> list[live.Line]:
        raise OperationalError("the server closed the connection")

    run, fence = await make_run()
    await append(run, fence, 1)
    monkeypatch.setattr(consumers, "read_lines", refused)
    async with Socket(live_server_url, run) as viewer:
        assert (await viewer.frame())["t"] == "hello"
        with pytest.raises(ConnectionClosedError):
            await viewer.frame()
    await unwatched(run)


async def test_a_viewer_that_goes_while_it_is_written_to_is_let_go(
    live_server_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its buffer would be filled, and every event rendered for it, as long as the lab runs."""
    send = RunConsumer.send

    async def into_the_void(self: RunConsumer, text_data: str = "", **more: Any) -> None:
        if '"t": "event"' in text_data:
            raise OSError("the browser is gone")
        await send(self, text_data=text_data, **more)

    run, fence = await make_run()
    monkeypatch.setattr(RunConsumer, "send", into_the_void)
    async with Socket(live_server_url, run) as viewer:
        assert (await viewer.frame())["t"] == "hello"
        await append(run, fence, 1)
    await unwatched(run)


async def test_a_viewer_that_comes_while_the_last_one_goes_joins_a_hub_that_listens(
    live_server_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept, coming, let_in = RunConsumer.accept, threading.Event(), threading.Event()
    run, fence = await make_run()

    async def slowly(self: RunConsumer, *args: Any, **more: Any) -> None:
        await accept(self, *args, **more)
        coming.set()
        await asyncio.to_thread(let_in.wait, 2 * PATIENCE_S)

    async with Socket(live_server_url, run) as first:
        await first.frame()
        await append(run, fence, 1)
        await first.until(1)
        monkeypatch.setattr(RunConsumer, "accept", slowly)
        second = await Socket(live_server_url, run).__aenter__()
        assert await asyncio.to_thread(coming.wait, PATIENCE_S)
    await unwatched(run)
    let_in.set()
    assert await second.until(1) == [1]
    assert len(watched(run)) == 1
    await append(run, fence, 1)
    assert await second.until(2) == [1, 2]
    await second.__aexit__()
    await unwatched(run)


async def test_a_run_that_nobody_watches_any_more_rings_no_bells(
    live_server_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name left in the group would have every ring and every piece of text kept for nobody, for a day."""
    monkeypatch.setattr(live, "SAFETY_POLL_S", PATIENCE_S)  # entered before anything is read
    run, fence = await make_run()
    async with Socket(live_server_url, run) as viewer:
        await append(run, fence, 1)
        await viewer.until(1)
        assert await asyncio.to_thread(listeners, run) == 1
    await unheard(run)


async def unheard(run: Run) -> None:
    for _ in range(int(PATIENCE_S / 0.05)):
        if not await asyncio.to_thread(listeners, run):
            return
        await asyncio.sleep(0.05)
    pytest.fail("the layer still keeps messages for a viewer that has gone")


def listeners(run: Run) -> int:
    with redis.Redis(unix_socket_path=str(settings_of_lab.BROKER_SOCKET)) as client:
        return int(str(client.zcard(f"asgi:group:{bell.group(run.pk)}")))
