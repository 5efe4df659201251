"""Replays stored answers by exact prompt. No model runs, and its label says so on every page."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

from solver.engines.protocol import (
    Cancelled,
    ChatReply,
    ChatRequest,
    EngineInfo,
    EngineUnreachable,
    NoRecording,
    Usage,
)
from solver.engines.recording import Recording, read_recordings
from solver.engines.spec import EngineSpec
from solver.engines.tokens import CHARS_PER_TOKEN, estimate_prompt, estimate_tokens

_NAP_S = 0.05
_WORDS = re.compile(r"\s*\S+\s*$|\s*\S+")


class RecordedEngine:
    """Answers exactly the prompts in its files, and no others; sampling settings are not looked at."""

    def __init__(self, spec: EngineSpec) -> None:
        self.spec = spec
        self._answers = read_recordings([Path(path) for path in spec.recordings])
        self._models = tuple(sorted({answer.model for answer in self._answers.values()}))
        self._closed = False

    def chat(
        self,
        request: ChatRequest,
        *,
        on_delta: Callable[[str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> ChatReply:
        if self._closed:
            raise EngineUnreachable(f"The engine {self.spec.name!r} is closed; open it again.")
        started = time.monotonic()
        answer = self._find(request)
        first_token = None
        if on_delta is not None:
            first_token = self._stream(answer.text, on_delta, cancelled, started)
        elif cancelled is not None and cancelled():
            raise Cancelled(f"The call to {self.spec.name!r} was cancelled.")
        return ChatReply(
            text=answer.text,
            finish_reason=answer.finish_reason,
            usage=answer.counted() or _estimated(request, answer.text),
            model=answer.model,
            seconds=time.monotonic() - started,
            first_token_s=first_token,
            detail={"recorded_at": answer.recorded_at, "note": answer.note, "replayed": True},
        )

    def _find(self, request: ChatRequest) -> Recording:
        digest = request.prompt_digest()
        answer = self._answers.get(digest)
        if answer is None:
            asked = f"template set {self.spec.templates!r}, digest {digest[:12]}"
            raise NoRecording(
                f"{self.spec.title!r} only replays {len(self._answers)} recorded answers and holds none "
                f"to this {request.role.value} prompt ({asked}); solve a recorded problem with the "
                "recorded settings, or choose an engine that runs a model."
            )
        return answer

    def _stream(
        self,
        text: str,
        on_delta: Callable[[str], None],
        cancelled: Callable[[], bool] | None,
        started: float,
    ) -> float | None:
        """Hand out word by word, at the pace of the spec (0: without waiting). Returns the first token's
        time.
        """
        pace = self.spec.tokens_per_second * CHARS_PER_TOKEN
        done = 0
        first_token = None
        for piece in pieces(text):
            done += len(piece)
            if pace > 0:
                self._sleep_until(started + done / pace, cancelled)
            elif cancelled is not None and cancelled():
                raise Cancelled(f"The call to {self.spec.name!r} was cancelled.")
            if first_token is None:
                first_token = time.monotonic() - started
            on_delta(piece)
        return first_token

    def _sleep_until(self, moment: float, cancelled: Callable[[], bool] | None) -> None:
        while True:
            if cancelled is not None and cancelled():
                raise Cancelled(f"The call to {self.spec.name!r} was cancelled.")
            left = moment - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, _NAP_S))

    def info(self) -> EngineInfo:
        return EngineInfo(
            name=self.spec.name,
            kind=self.spec.kind.value,
            label=_plainly(self.spec.title),
            simulated=True,
            models=self._models,
            streams=True,
        )

    def close(self) -> None:
        self._closed = True


def pieces(text: str) -> list[str]:
    """Words with the space before them; joined they are `text` again."""
    return _WORDS.findall(text) if text.strip() else [text] if text else []


def _plainly(title: str) -> str:
    """A label that says it is a recording, whatever the description called it."""
    if "record" in title.lower():
        return title
    return f"Recording of {title}: stored answers are replayed, no model runs"


def _estimated(request: ChatRequest, text: str) -> Usage:
    return Usage(estimate_prompt(request.messages), estimate_tokens(text), estimated=True)
