"""What an engine is to the rest of the lab: one method that turns a request into a reply.

Every engine, whether it speaks HTTP, runs weights in this process or replays stored answers, implements
`ChatModel`. The agents and strategies know nothing else about models.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Protocol


class Role(StrEnum):
    """Who asks. `confidence` is the planning agent's second call (MapCoder's plan verification)."""

    RETRIEVAL = "retrieval"
    PLANNING = "planning"
    CONFIDENCE = "confidence"
    CODING = "coding"
    DEBUGGING = "debugging"
    SUPERVISOR = "supervisor"

    @property
    def agent(self) -> str:
        """The agent whose model and adapter serve this role."""
        return "planning" if self is Role.CONFIDENCE else self.value


class FinishReason(StrEnum):
    STOP = "stop"
    LENGTH = "length"
    CONTENT_FILTER = "content_filter"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Message:
    role: str  # "system" | "user" | "assistant"
    content: str


@dataclass(frozen=True, slots=True)
class Sampling:
    """Decoding settings. Temperature 0 means greedy; `seed` is sent to engines that can use it."""

    temperature: float = 0.0
    top_p: float = 0.95
    max_tokens: int = 4096
    seed: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One model call. `model` is the model or adapter name the engine serves this role with."""

    role: Role
    model: str
    messages: tuple[Message, ...]
    sampling: Sampling = Sampling()
    grammar: str | None = None  # Lark in llguidance's dialect: only such answers, where the engine can

    def digest(self) -> str:
        """SHA-256 of everything that decides the answer; equal digests may share a stored answer."""
        return hashlib.sha256(
            json.dumps(asdict(self), sort_keys=True, ensure_ascii=False).encode()
        ).hexdigest()

    def prompt_digest(self) -> str:
        """SHA-256 of the messages alone: what a recording is looked up by."""
        data = [[m.role, m.content] for m in self.messages]
        return hashlib.sha256(json.dumps(data, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call. `estimated` is true where the engine reported none and the lab counted.

    `cached_tokens` of the prompt had been computed before, as far as the engine says so; they may cost less.
    """

    prompt_tokens: int
    completion_tokens: int
    estimated: bool = False
    cached_tokens: int = 0


@dataclass(frozen=True, slots=True)
class ChatReply:
    """The answer and what it took. Times in seconds of wall clock."""

    text: str
    finish_reason: FinishReason
    usage: Usage
    model: str
    seconds: float
    first_token_s: float | None = None
    adapter_digest: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def stored(self) -> bool:
        """Nobody was asked: the answer to exactly this request had been kept."""
        return "stored" in self.detail


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What an engine says of itself. `simulated` engines replay or script; every page shows it."""

    name: str
    kind: str
    label: str
    simulated: bool
    models: tuple[str, ...]
    streams: bool = False
    seeds: bool = False
    grammars: bool = False  # decoding can be constrained to a grammar
    adapters: bool = False


class EngineError(Exception):
    """A call that produced no answer. The message is one sentence a user can act on."""

    code = "engine_error"


class EngineUnreachable(EngineError):
    """No answer after every retry: connection refused, timed out, 5xx."""

    code = "engine_unreachable"


class EngineRefused(EngineError):
    """The engine understood and said no: bad key, unknown model, invalid request."""

    code = "engine_refused"


class ContextOverflow(EngineError):
    """The prompt and the answer's budget do not fit the model's context."""

    code = "context_overflow"


class NoRecording(EngineError):
    """The recorded engine holds no answer to exactly this prompt."""

    code = "no_recording"


class Cancelled(EngineError):
    """The caller's `cancelled` said so while the answer was being produced."""

    code = "cancelled"


class ChatModel(Protocol):
    """One engine, safe to call from many threads at once."""

    def chat(
        self,
        request: ChatRequest,
        *,
        on_delta: Callable[[str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> ChatReply:
        """Answer `request`; call `on_delta` with each new piece of text. Raises `EngineError`."""
        ...

    def info(self) -> EngineInfo: ...

    def close(self) -> None: ...
