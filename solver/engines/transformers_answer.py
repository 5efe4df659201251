"""One answer of the lab's own engine as it arrives, on the side of whoever waits for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from solver.engines.protocol import ChatReply, FinishReason, Usage
from solver.engines.transformers_batch import Row
from solver.engines.transformers_text import TextStream


@dataclass(frozen=True, slots=True)
class Origin:
    """What an answer traces back to. `started`: time.monotonic() when it was asked for."""

    model: str
    seed: int
    adapter_digest: str | None
    template_digest: str
    started: float


class Answer:
    """Turns the tokens of a row into text and, at the end, a reply. Used by one thread."""

    def __init__(
        self, row: Row, stream: TextStream, origin: Origin, on_delta: Callable[[str], None] | None
    ) -> None:
        self.origin = origin
        self.finish: FinishReason | None = None
        self.tokens = 0
        self.first_token_s: float | None = None
        self._row = row
        self._stream = stream
        self._on_delta = on_delta

    def take(self, token: int) -> FinishReason | None:
        """Add a token; the finish reason once it was the last. The end token counts as a token of the answer."""
        self.tokens += 1
        if self.first_token_s is None:
            self.first_token_s = time.monotonic() - self.origin.started
        if token in self._row.stop_ids:
            return self._end(FinishReason.STOP)
        self._tell(self._stream.take(token))
        if self._stream.stopped or self.tokens == self._row.complete_at:
            return self._end(FinishReason.STOP)
        return self._end(FinishReason.LENGTH) if self.tokens >= self._row.most_new else None

    def leave(self) -> None:
        """Free the row, whether or not its answer is complete; it goes with the next step."""
        self._row.cancelled = True

    @property
    def text(self) -> str:
        return self._stream.text

    @property
    def prompt_tokens(self) -> int:
        return len(self._row.ids)

    def detail(self) -> dict[str, Any]:
        """What a run records beside the text."""
        detail: dict[str, Any] = {
            "seed": self.origin.seed,
            "template_digest": self.origin.template_digest,
            "reused_prompt_tokens": self._row.reused,
        }
        if self._row.constraint is not None:
            detail["grammar_enforced"] = True
        return detail

    def reply(self) -> ChatReply:
        """The finished answer."""
        assert self.finish is not None, "asked for before the last token"
        return ChatReply(
            text=self.text,
            finish_reason=self.finish,
            usage=Usage(self.prompt_tokens, self.tokens),
            model=self.origin.model,
            seconds=time.monotonic() - self.origin.started,
            first_token_s=self.first_token_s,
            adapter_digest=self.origin.adapter_digest,
            detail=self.detail(),
        )

    def _end(self, reason: FinishReason) -> FinishReason:
        self.finish = reason
        self._tell(self._stream.finish())
        return reason

    def _tell(self, piece: str) -> None:
        if piece and self._on_delta is not None:
            self._on_delta(piece)
