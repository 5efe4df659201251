"""The file of a recording: one answer a line, found by the digest of the exact prompt.

    {"prompt_digest": ..., "role": ..., "text": ..., "finish_reason": "stop", "usage": {...},
     "model": ..., "recorded_at": ..., "note": ..., "messages": [["user", ...]]}

`usage`, `finish_reason`, `messages` and `note` may be missing. Where `messages` are present they must give
the digest, so that a hand-made recording cannot answer another question than it shows.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from solver.engines.protocol import (
    ChatReply,
    ChatRequest,
    EngineError,
    FinishReason,
    Message,
    Role,
    Sampling,
    Usage,
)


class BadRecording(EngineError):
    """A recording file that cannot be used; the message names file, line and fault."""

    code = "bad_recording"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RecordedUsage(_Strict):
    prompt_tokens: int = Field(ge=0)
    completion_tokens: int = Field(ge=0)
    estimated: bool = False


class Recording(_Strict):
    """One stored answer."""

    prompt_digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    role: Role
    text: str
    model: str
    recorded_at: str = ""
    finish_reason: FinishReason = FinishReason.STOP
    usage: RecordedUsage | None = None
    messages: tuple[tuple[str, str], ...] = ()
    note: str = ""

    @model_validator(mode="after")
    def _messages_give_the_digest(self) -> Recording:
        if self.messages:
            messages = tuple(Message(role, content) for role, content in self.messages)
            if ChatRequest(self.role, "", messages, Sampling()).prompt_digest() != self.prompt_digest:
                raise ValueError("prompt_digest is not the digest of messages")
        return self

    @classmethod
    def of(cls, request: ChatRequest, reply: ChatReply, recorded_at: str, note: str) -> Recording:
        usage = reply.usage
        return cls(
            prompt_digest=request.prompt_digest(),
            role=request.role,
            text=reply.text,
            model=reply.model,
            recorded_at=recorded_at,
            finish_reason=reply.finish_reason,
            usage=RecordedUsage(
                prompt_tokens=usage.prompt_tokens,
                completion_tokens=usage.completion_tokens,
                estimated=usage.estimated,
            ),
            messages=tuple((message.role, message.content) for message in request.messages),
            note=note,
        )

    def counted(self) -> Usage | None:
        if self.usage is None:
            return None
        return Usage(self.usage.prompt_tokens, self.usage.completion_tokens, self.usage.estimated)


def parse_lines(lines: Iterable[str], source: str) -> list[Recording]:
    """Every answer in `lines`; blank lines are skipped. Raises BadRecording naming the first bad line."""
    found = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            found.append(Recording.model_validate_json(line))
        except ValidationError as error:
            first: Any = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise BadRecording(
                f"Line {number} of the recording {source} is not a stored answer: "
                f"{where + ': ' if where else ''}{first['msg']}; mend or delete that line."
            ) from None
    return found


def read_recordings(paths: Iterable[Path]) -> dict[str, Recording]:
    """Stored answers by prompt digest. The same prompt with two different answers is refused."""
    answers: dict[str, Recording] = {}
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise BadRecording(
                f"The recording {path} does not exist; correct the path in recordings."
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            raise BadRecording(f"The recording {path} cannot be read: {error}.") from None
        for recording in parse_lines(text.split("\n"), str(path)):
            known = answers.setdefault(recording.prompt_digest, recording)
            if known.text != recording.text:
                raise BadRecording(
                    f"The recording {path} holds a second, different answer to the prompt "
                    f"{recording.prompt_digest[:12]}…; keep one of the two."
                )
    return answers
