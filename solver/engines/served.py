"""The client of the lab's own engine where it runs in a process of its own, supervised, on a unix socket.

The description stays the one of kind `transformers`: what serves it is an affair of this machine, told to the lab's
processes by an environment variable. The supervisor starts a dead engine again, so a lost connection is waited out,
and an answer that broke off is asked for again: with its seed and at the same weights the same text comes, of which
only what is new is passed on.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2

from solver.engines.flow import CircuitBreaker
from solver.engines.openai_api import OpenAIEngine
from solver.engines.openai_errors import BrokeOff
from solver.engines.protocol import (
    Cancelled,
    ChatReply,
    ChatRequest,
    EngineInfo,
    EngineUnreachable,
)
from solver.engines.settings import Capabilities
from solver.engines.spec import BASE, DEFAULT, EngineKind, EngineSpec

RESTARTS = 3  # during one call
RESTART_S = 180.0  # within which a killed engine is back, on a busy machine
_TRIES = 20  # half a second, then up to eight: about a minute and a half
_GLANCE_S = 5.0
_NEVER = 1_000_000_000


class ServedEngine:
    """Safe to call from many threads at once."""

    def __init__(self, spec: EngineSpec, socket_file: Path) -> None:
        self.spec = spec
        # One dead process must not be "left alone": it is being started again, and nothing else is there to ask.
        patient = CircuitBreaker(time.monotonic, threshold=_NEVER)
        self._client = OpenAIEngine(_client_spec(spec), socket_file=socket_file, breaker=patient)
        transport = httpx2.HTTPTransport(uds=str(socket_file), verify=False, trust_env=False)  # no TLS on it
        self._glance = httpx2.Client(transport=transport, base_url="http://localhost", timeout=_GLANCE_S)

    def chat(
        self,
        request: ChatRequest,
        *,
        on_delta: Callable[[str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> ChatReply:
        asked = _seeded(request)
        said = ""  # passed on so far
        for restart in range(RESTARTS + 1):
            replay = Replay(said, on_delta)
            try:
                return self._client.chat(asked, on_delta=replay.take, cancelled=cancelled)
            except Diverged:
                raise EngineUnreachable(
                    f"The engine {self.spec.name!r} was started again in the middle of an answer and now gives "
                    "another one; retry the run."
                ) from None
            except BrokeOff:  # before the first text the client tries again by itself
                if restart == RESTARTS:
                    raise
                said = replay.said
                self._wait(cancelled)
        raise AssertionError("the last round either returns or raises")

    def _wait(self, cancelled: Callable[[], bool] | None) -> None:
        """Until the engine answers again, at most RESTART_S."""
        end = time.monotonic() + RESTART_S
        while time.monotonic() < end and not self.healthy():
            if cancelled is not None and cancelled():
                raise Cancelled(f"The call to {self.spec.name!r} was cancelled.")
            time.sleep(0.2)

    def healthy(self) -> bool:
        """Whether it answers now."""
        return self._get("/health") is not None

    def stats(self) -> dict[str, Any] | None:
        """The server's numbers (see `server.tally`), None while it does not answer."""
        return self._get("/stats")

    def _get(self, path: str) -> dict[str, Any] | None:
        try:
            response = self._glance.get(path)
            found = response.raise_for_status().json()
        except (httpx2.HTTPError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def info(self) -> EngineInfo:
        return EngineInfo(
            name=self.spec.name,
            kind=self.spec.kind.value,
            label=self.spec.title,
            simulated=self.spec.simulated,
            models=(BASE, *self.spec.adapters),
            streams=True,
            seeds=True,
            grammars=True,
            adapters=True,
        )

    def close(self) -> None:
        self._client.close()
        self._glance.close()


class Diverged(Exception):
    """The answer that was asked for again is not the one that broke off."""


class Replay:
    """Passes on what is new of an answer whose beginning `said` has been passed on already."""

    def __init__(self, said: str, on_delta: Callable[[str], None] | None) -> None:
        self.said = said
        self._heard = ""
        self._on_delta = on_delta

    def take(self, piece: str) -> None:
        """Add a piece of the repeated answer. Raises Diverged."""
        self._heard += piece
        common = min(len(self._heard), len(self.said))
        if self._heard[:common] != self.said[:common]:
            raise Diverged
        if len(self._heard) > len(self.said):
            new, self.said = self._heard[len(self.said) :], self._heard
            if self._on_delta is not None:
                self._on_delta(new)


def _seeded(request: ChatRequest) -> ChatRequest:
    """With a seed, so that the request can be asked again; the reply names it."""
    if request.sampling.seed is not None:
        return request
    return replace(request, sampling=replace(request.sampling, seed=secrets.randbits(32)))


def _client_spec(spec: EngineSpec) -> EngineSpec:
    """The same engine as its client sees it. The address only fills the Host header."""
    return EngineSpec(
        name=spec.name,
        kind=EngineKind.OPENAI,
        label=spec.label,
        models=spec.models or {DEFAULT: BASE},
        templates=spec.templates,
        sampling=spec.sampling,
        timeouts=spec.timeouts,
        simulated=spec.simulated,
        base_url="http://localhost/v1",
        allow_loopback=True,
        capabilities=Capabilities(structured_output=True),
        max_concurrency=1024,  # the server queues, and says so when it is too much
        tries=_TRIES,
        adapters=spec.adapters,
    )
