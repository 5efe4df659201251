"""The live hub: one listener per process and run. A bell wakes it, it reads the log once and fans out rendered text.

A viewer is subscribed before its backlog is read, so nothing falls between; a viewer drops what it has, re-reads the
log on a gap, and a slow viewer's buffer is dropped at a bound and refilled from the log. A safety poll covers lost
bells and a dead Redis. A hub that an error ends tells its viewers, whose sockets close: a browser that is cut off comes
back, one that is kept waiting does not. See docs/architecture.md for the measurements behind this shape.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from dataclasses import dataclass
from typing import Any, ClassVar

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.db import DatabaseError
from redis.exceptions import RedisError

from trajectories import bell, eventlog, patches
from trajectories.models import Run

log = logging.getLogger(__name__)
SAFETY_POLL_S = 2.0
BUFFER = 2000


@dataclass(frozen=True, slots=True)
class Line:
    """A rendered event: what one WebSocket frame holds."""

    seq: int
    text: str


def _read(run_id: int, after: int) -> list[Line]:
    events = eventlog.read_after(run_id, after)
    return [Line(m["seq"], json.dumps(m, ensure_ascii=False)) for m in patches.messages(run_id, events)]


read_lines = database_sync_to_async(_read)


def _last_seq(run_id: int) -> int | None:
    return Run.objects.filter(pk=run_id).values_list("last_seq", flat=True).first()


last_seq = database_sync_to_async(_last_seq)


class HubEnded(Exception):
    """An error has ended the hub; nothing more comes from it, and the log has what it did not bring."""


class Viewer:
    """The buffer between the hub and one socket: pushed to by the hub, drained by the socket's own task."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.deltas: list[str] = []
        self.wake = asyncio.Event()
        self.lost = False

    def offer(self, lines: list[Line]) -> None:
        if len(self.lines) > BUFFER:
            self.lines.clear()  # the gap makes the reader go back to the log: bounded memory, nothing lost
        self.lines.extend(lines)
        self.wake.set()

    def offer_delta(self, text: str) -> None:
        if len(self.deltas) < BUFFER:  # ephemeral: a client that misses one waits for the step's event
            self.deltas.append(text)
            self.wake.set()

    def lose(self) -> None:
        self.lost = True
        self.wake.set()

    def take(self) -> tuple[list[Line], list[str]]:
        """Raises HubEnded."""
        if self.lost:
            raise HubEnded
        taken = self.lines, self.deltas
        self.lines, self.deltas = [], []
        self.wake.clear()
        return taken


class Hub:
    """All local viewers of one run."""

    _hubs: ClassVar[dict[tuple[int, int], Hub]] = {}
    _tasks: ClassVar[set[asyncio.Task[None]]] = set()  # a loop alone would let go of one that says goodbye

    def __init__(self, run_id: int) -> None:
        self.run_id = run_id
        self.seq = 0
        self.viewers: set[Viewer] = set()
        self.task: asyncio.Task[None] | None = None
        self.ready = asyncio.Event()

    @classmethod
    def of(cls, run_id: int) -> Hub:
        """The hub of this run in the running event loop (tests use several loops in one process). To be joined before
        anything else is awaited: a hub that its last viewer has left listens no more."""
        key = (id(asyncio.get_running_loop()), run_id)
        if key not in cls._hubs:
            cls._hubs[key] = cls(run_id)
        return cls._hubs[key]

    async def join(self, viewer: Viewer) -> None:
        """After this returns, every event later than the log's present end reaches `viewer`."""
        self.viewers.add(viewer)
        if self.task is None:
            self.task = asyncio.create_task(self._listen(), name=f"hub-{self.run_id}")
            self._tasks.add(self.task)
            self.task.add_done_callback(self._ended)
        await self.ready.wait()

    def leave(self, viewer: Viewer) -> None:
        self.viewers.discard(viewer)
        if not self.viewers and self.task is not None:
            self.task.cancel()
            self.task = None
            self._forget()

    def _forget(self) -> None:
        key = (id(asyncio.get_running_loop()), self.run_id)
        if self._hubs.get(key) is self:
            del self._hubs[key]

    def _ended(self, task: asyncio.Task[None]) -> None:
        """The next viewer finds a new hub; those of this one are told."""
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        log.error("live view of run %s ended", self.run_id, exc_info=error)
        self._forget()
        self.ready.set()
        for viewer in self.viewers:
            viewer.lose()

    async def _listen(self) -> None:
        layer, group = get_channel_layer(), bell.group(self.run_id)
        assert layer is not None
        # The default prefix: channels-redis reads one real channel per process, and only under that prefix.
        channel = await layer.new_channel()
        receiving: asyncio.Task[dict[str, Any]] | None = None
        entering = asyncio.create_task(self._enter(layer, group, channel))
        try:
            # A broker that is held up keeps nobody from the log: until it answers the safety poll serves.
            await asyncio.wait({entering}, timeout=SAFETY_POLL_S)
            self.seq = await last_seq(self.run_id) or 0
            self.ready.set()
            while True:
                receiving = receiving or asyncio.create_task(layer.receive(channel))
                # Never cancel a receive: channels-redis would lose the message it was about to return.
                done, _ = await asyncio.wait({receiving}, timeout=SAFETY_POLL_S)
                message: dict[str, Any] | None = None
                if done:
                    message, receiving = await self._received(receiving), None
                    if message is None:  # a broker that was started again has forgotten who listens
                        await self._enter(layer, group, channel)
                if message and message.get("type") == "delta":
                    self._fan_out_delta(message)
                elif message is None or message.get("seq", 0) > self.seq:
                    await self._catch_up()
        finally:
            if receiving:
                receiving.cancel()
            await asyncio.wait({entering})  # or the name would be entered after it was taken out
            with contextlib.suppress(OSError, RedisError):  # else the layer fills a buffer that nobody reads
                await layer.group_discard(group, channel)

    async def _enter(self, layer: Any, group: str, channel: str) -> None:
        try:
            await layer.group_add(group, channel)
        except (OSError, RedisError) as error:  # without a broker the safety poll serves
            log.warning("live view of run %s falls back to polling: %s", self.run_id, error)

    async def _received(self, receiving: asyncio.Task[dict[str, Any]]) -> dict[str, Any] | None:
        try:
            return receiving.result()
        except (OSError, RedisError) as error:
            log.warning("live view of run %s: the channel layer failed (%s); polling", self.run_id, error)
            await asyncio.sleep(SAFETY_POLL_S)
            return None

    def _fan_out_delta(self, message: dict[str, Any]) -> None:
        piece = {"t": "delta", "step": message["step"], "offset": message["offset"], "text": message["text"]}
        text = json.dumps(piece, ensure_ascii=False)
        for viewer in self.viewers:
            viewer.offer_delta(text)

    async def _catch_up(self) -> None:
        try:
            while lines := await read_lines(self.run_id, self.seq):
                self.seq = lines[-1].seq
                for viewer in self.viewers:
                    viewer.offer(lines)
        except DatabaseError as error:  # the next bell or safety poll reads on from here
            log.warning("live view of run %s: the log cannot be read now: %s", self.run_id, error)
