"""The WebSocket of a run page: `/ws/runs/<id>/?after=<seq>`.

Frames, as JSON: `{"t": "hello", "last": n}` once; `{"t": "event", "seq", "kind", "patches": [...]}` for each event
after `after`, exactly once and in order; `{"t": "delta", "step", "offset", "text"}` while an answer is being written.
A socket that cannot go on is closed with 1013; whoever connects again with the last number seen misses nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from urllib.parse import parse_qs

from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from trajectories.live import Hub, HubEnded, Line, Viewer, last_seq, read_lines

log = logging.getLogger(__name__)
BAD_REQUEST, FORBIDDEN, NOT_FOUND = 4400, 4403, 4404
TRY_AGAIN = 1013


class RunConsumer(AsyncWebsocketConsumer):
    pump: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        if settings.REQUIRE_LOGIN and not self.scope["user"].is_authenticated:
            await self._refuse(FORBIDDEN)
            return
        after = parse_qs(self.scope["query_string"].decode()).get("after", ["0"])[0]
        if not (after.isascii() and after.isdigit() and len(after) < 10):
            await self._refuse(BAD_REQUEST)
            return
        self.run_id = int(self.scope["url_route"]["kwargs"]["run_id"])
        last = await last_seq(self.run_id)
        if last is None:
            await self._refuse(NOT_FOUND)
            return
        self.seq, self.viewer = int(after), Viewer()
        await self.accept()
        await self.send(text_data=json.dumps({"t": "hello", "last": last}))
        self.pump = asyncio.create_task(self._pump())

    async def _refuse(self, code: int) -> None:
        # A close code reaches the client only after the handshake.
        await self.accept()
        await self.close(code)

    async def disconnect(self, code: int) -> None:
        if self.pump is None:
            return
        self.pump.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.pump

    async def _pump(self) -> None:
        """Brings events until it is cancelled. Whatever else ends it closes the socket, or a reader would wait for ever."""
        hub = Hub.of(self.run_id)
        try:
            await hub.join(self.viewer)
            await self._backlog()
            await self._live()
        except Exception as error:
            if not isinstance(error, HubEnded | OSError):  # told by the hub, or the browser is gone
                log.exception("live view of run %s", self.run_id)
            with contextlib.suppress(OSError, RuntimeError):  # it is closed already
                await self.close(TRY_AGAIN)
        finally:
            hub.leave(self.viewer)

    async def _live(self) -> None:
        while True:
            await self.viewer.wake.wait()
            lines, deltas = self.viewer.take()
            for line in lines:
                await self._deliver(line)
            for text in deltas:
                await self.send(text_data=text)

    async def _deliver(self, line: Line) -> None:
        if line.seq <= self.seq:
            return
        if line.seq != self.seq + 1:
            await self._backlog()  # the buffer overflowed, or the hub started later than we read
            return
        await self.send(text_data=line.text)
        self.seq = line.seq

    async def _backlog(self) -> None:
        while lines := await read_lines(self.run_id, self.seq):
            for line in lines:
                await self.send(text_data=line.text)
                self.seq = line.seq
