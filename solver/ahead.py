"""Asking ahead: questions that a strategy is going to ask are sent before it gets to them.

The strategy itself runs as ever, one step after another, and alone writes the log; what it asks is looked for here
first, by the digest of the exact request. So a run that asks ahead differs from one that does not in nothing but time:
the same steps, numbers, prompts, seeds and answers in the same order. A guess that turns out wrong (a retry moved the
numbers, and with them the seeds, of later steps; an early plan passed) costs an answer nobody takes: `unused` tells.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from solver.agents.formats import Parsed
from solver.agents.prompts import Prompt
from solver.engines.protocol import (
    Cancelled,
    ChatModel,
    ChatReply,
    ChatRequest,
    EngineError,
    EngineInfo,
    Role,
)
from solver.strategies.protocol import Answer, TestRun, Workbench
from trajectories.text import printable

T = TypeVar("T")
LOOK_S = 0.05


@dataclass(eq=False)
class Call:
    """One request on its way. `taken`: the strategy has asked it; a second asking is a call of its own."""

    taken: bool = False
    pieces: list[str] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)
    reply: ChatReply | None = None
    error: EngineError | None = None

    def result(self) -> ChatReply:
        if self.error is not None:
            raise self.error
        assert self.reply is not None
        return self.reply


class AskedAhead:
    """A ChatModel for one run. The strategy's thread calls `chat`, the scouts' threads `scout`."""

    def __init__(self, engine: ChatModel) -> None:
        self._engine = engine
        self._calls: dict[str, Call] = {}
        self._lock = threading.Lock()
        self._over = threading.Event()

    def chat(
        self,
        request: ChatRequest,
        *,
        on_delta: Callable[[str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> ChatReply:
        call, mine = self._take(request.digest())
        if mine:
            return self._run(call, request, on_delta, cancelled)
        return _follow(call, on_delta, cancelled)

    def _take(self, digest: str) -> tuple[Call, bool]:
        """The call of this request, and whether the caller has to make it."""
        with self._lock:
            call = self._calls.get(digest)
            if call is not None and not call.taken:
                call.taken = True
                return call, False
            call = self._calls[digest] = Call(taken=True)
            return call, True

    def scout(self, request: ChatRequest) -> ChatReply:
        """The answer of a request, asked now unless it is on its way."""
        digest = request.digest()
        with self._lock:
            call, mine = self._calls.get(digest), False
            if call is None:
                call, mine = Call(), True
                self._calls[digest] = call
        if mine:
            return self._run(call, request, None, self._over.is_set)
        return _follow(call, None, self._over.is_set)

    def _run(
        self,
        call: Call,
        request: ChatRequest,
        on_delta: Callable[[str], None] | None,
        cancelled: Callable[[], bool] | None,
    ) -> ChatReply:
        def heard(piece: str) -> None:
            call.pieces.append(piece)
            if on_delta is not None:
                on_delta(piece)

        try:
            call.reply = self._engine.chat(request, on_delta=heard, cancelled=cancelled)
        except EngineError as error:
            call.error = error
            raise
        finally:
            if call.reply is None and call.error is None:
                call.error = Cancelled("The asker of this call has gone.")
            call.done.set()
        return call.reply

    def stop(self) -> None:
        """Nobody will ask any more: scouts give up at once."""
        self._over.set()

    def unused(self) -> list[ChatReply]:
        """Answers that were paid for and not taken."""
        with self._lock:
            return [call.reply for call in self._calls.values() if call.reply and not call.taken]

    def info(self) -> EngineInfo:
        return self._engine.info()

    def close(self) -> None:
        self._engine.close()


def _follow(
    call: Call, on_delta: Callable[[str], None] | None, cancelled: Callable[[], bool] | None
) -> ChatReply:
    """Wait for another thread's call, passing on its text as it grows."""
    heard = 0
    while True:
        over = call.done.wait(LOOK_S)
        if on_delta is not None:
            new = call.pieces[heard:]
            heard += len(new)
            for piece in new:
                on_delta(piece)
        if over:
            return call.result()
        if cancelled is not None and cancelled():
            raise Cancelled("The call was cancelled.")


class NotAhead(Exception):
    """A scout has come to something that only the strategy itself may do."""


class Asking(Protocol):
    """Of a recorder: the exact request of a step, and its recorded answer where there is one."""

    def request_at(self, step: int, role: Role, prompt: Prompt) -> ChatRequest: ...

    def recorded_answer(self, request: ChatRequest) -> str | None: ...


class Scout:
    """A workbench that records nothing. `step` is where the strategy is expected to be when it asks the same."""

    def __init__(self, asking: Asking, calls: AskedAhead, step: int) -> None:
        self._asking, self._calls, self._step = asking, calls, step

    def ask(
        self,
        role: Role,
        prompt: Prompt,
        parse: Callable[[str], Parsed[T]],
        *,
        attempt: int,
        gist: str = "",
        detail: dict[str, Any] | None = None,
    ) -> Answer[T]:
        self._step += 1
        request = self._asking.request_at(self._step, role, prompt)
        text = self._asking.recorded_answer(request)
        if text is None:
            text = printable(self._calls.scout(request).text)
        return Answer(self._step, text, parse(text))

    def run_samples(self, code: str, language: str, *, attempt: int) -> TestRun:
        raise NotAhead

    def note(self, kind: str, **detail: Any) -> None:
        """Decisions are the strategy's."""


def send(
    branches: Sequence[Callable[[Workbench], object]],
    scouts: Sequence[Scout],
    leave: Callable[[], None],
) -> list[threading.Thread]:
    """A thread a branch; `leave` is called at the end of each (it gives the thread's database connection back)."""

    def explore(branch: Callable[[Workbench], object], scout: Scout) -> None:
        try:
            branch(scout)
        except (EngineError, NotAhead):
            pass  # the strategy meets the same error when it gets there, and records it
        finally:
            leave()

    threads = [
        threading.Thread(target=explore, args=pair, name="ahead", daemon=True)
        for pair in zip(branches, scouts, strict=True)
    ]
    for thread in threads:
        thread.start()
    return threads
