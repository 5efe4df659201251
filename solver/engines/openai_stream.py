"""Reading the chunks of a streamed chat completion, from servers that keep to the format and those that do
not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from solver.engines.protocol import FinishReason, Message, Usage
from solver.engines.tokens import estimate_prompt, estimate_tokens

_FINISH = {
    "stop": FinishReason.STOP,
    "eos": FinishReason.STOP,
    "end_turn": FinishReason.STOP,
    "tool_calls": FinishReason.STOP,
    "function_call": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "max_tokens": FinishReason.LENGTH,
    "content_filter": FinishReason.CONTENT_FILTER,
}
_CHARS_PER_TOKEN_AT_MOST = 200  # the longest tokens of real vocabularies have 128 characters


ORIGIN = "lab"  # the field of the last chunk that holds it


class BrokenStream(Exception):
    """The server answered 200 and then something that is no chat completion; the message says what."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What the lab's own engine says an answer traces back to; other servers say nothing of it."""

    adapter_digest: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, data: dict[str, Any]) -> Origin:
        """Only fields of the expected form: what a server sends is not trusted to be short."""
        digest = data.get("adapter_digest")
        kept = {
            name: data[name] for name, fits in _ORIGIN_DETAIL.items() if name in data and fits(data[name])
        }
        return cls(digest if _is_digest(digest) else None, kept)


@dataclass
class Assembly:
    """What has arrived of one answer so far."""

    max_tokens: int
    parts: list[str] = field(default_factory=list)
    chars: int = 0
    reasoning_chars: int = 0
    chunks: int = 0
    finish: FinishReason | None = None
    model: str | None = None
    reported: tuple[int, int] | None = None
    origin: Origin = field(default_factory=Origin)
    cached: int = 0

    def take(self, chunk: object) -> str:
        """Add one chunk and return its new text. SDK objects are built unchecked: everything is looked at."""
        self.chunks += 1
        model = getattr(chunk, "model", None)
        if isinstance(model, str) and model:
            self.model = model
        self._take_usage(getattr(chunk, "usage", None))
        origin = getattr(chunk, ORIGIN, None)
        if isinstance(origin, dict):
            self.origin = Origin.parse(origin)
        choices = getattr(chunk, "choices", None)
        if not isinstance(choices, list) or not choices:
            return ""
        self._take_finish(getattr(choices[0], "finish_reason", None))
        delta = getattr(choices[0], "delta", None)
        for name in ("reasoning_content", "reasoning"):
            thought = getattr(delta, name, None)
            if isinstance(thought, str):
                self.reasoning_chars += len(thought)
        text = getattr(delta, "content", None)
        if not isinstance(text, str) or not text:
            return ""
        self.parts.append(text)
        self.chars += len(text)
        if self.chars > _CHARS_PER_TOKEN_AT_MOST * self.max_tokens:
            raise BrokenStream(f"sent {self.chars} characters for at most {self.max_tokens} tokens")
        return text

    @property
    def started(self) -> bool:
        return self.chars > 0 or self.reasoning_chars > 0

    @property
    def text(self) -> str:
        return "".join(self.parts)

    def finished(self) -> FinishReason:
        if self.finish is None:
            if self.chunks == 0:
                raise BrokenStream("answered without a single event; base_url usually ends in /v1")
            raise BrokenStream("ended its stream without saying how the answer finished")
        return self.finish

    def usage(self, messages: Iterable[Message]) -> Usage:
        if self.reported is not None:
            return Usage(*self.reported, cached_tokens=min(self.cached, self.reported[0]))
        return Usage(estimate_prompt(tuple(messages)), estimate_tokens(self.text), estimated=True)

    def _take_finish(self, reason: object) -> None:
        if reason is None:
            return
        if not isinstance(reason, str) or reason not in _FINISH:
            raise BrokenStream(f"ended the answer with the unknown finish reason {reason!r:.60}")
        self.finish = _FINISH[reason]

    def _take_usage(self, usage: object) -> None:
        """Some servers report running totals in every chunk: the last one counts. Nonsense counts as no
        report.
        """
        prompt = getattr(usage, "prompt_tokens", None)
        completion = getattr(usage, "completion_tokens", None)
        if _is_count(prompt) and _is_count(completion):
            self.reported = (prompt, completion)
            cached = getattr(getattr(usage, "prompt_tokens_details", None), "cached_tokens", None)
            self.cached = cached if _is_count(cached) else 0


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[0-9a-f]{64}", value) is not None


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


_ORIGIN_DETAIL: dict[str, Callable[[object], bool]] = {
    "seed": lambda value: isinstance(value, int) and abs(value) < 2**64,
    "template_digest": _is_digest,
    "reused_prompt_tokens": _is_count,
    "grammar_enforced": lambda value: isinstance(value, bool),
}
