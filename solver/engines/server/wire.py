"""What goes over the wire: the requests that are understood, and the chunks and errors that are sent."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from solver.engines.adapters import BadAdapter
from solver.engines.protocol import (
    ChatRequest,
    ContextOverflow,
    EngineError,
    EngineRefused,
    Message,
    Role,
    Sampling,
)
from solver.engines.settings import SamplingDefaults
from solver.engines.spec import Name

T = TypeVar("T", bound=BaseModel)


class Busy(EngineError):
    """The queue is full."""

    code = "busy"


class NotFound(EngineError):
    """No such path, model or adapter."""

    code = "model_not_found"


class TooLarge(EngineError):
    code = "request_too_large"


_STATUS: dict[type, int] = {
    Busy: 429,
    NotFound: 404,
    TooLarge: 413,
    ContextOverflow: 400,
    EngineRefused: 400,
    BadAdapter: 400,
}
_CODES: dict[type, str] = {ContextOverflow: "context_length_exceeded"}  # as the servers of others name it
_CHANGES_THE_ANSWER: dict[
    str, tuple[Any, ...]
] = {  # fields that are not served, and the values that mean nothing
    "n": (None, 1),
    "tools": (None, []),
    "response_format": (None, {"type": "text"}),
    "logprobs": (None, False),
    "logit_bias": (None, {}),
    "presence_penalty": (None, 0),
    "frequency_penalty": (None, 0),
    "top_k": (None, 0, -1),
    "min_p": (None, 0),
    "min_tokens": (None, 0),
    "ignore_eos": (None, False),
}


class _Body(BaseModel):
    # Further fields are let through: clients send what they like, and what would change the answer is refused.
    model_config = ConfigDict(extra="allow", frozen=True, hide_input_in_errors=True)


class Turn(_Body):
    role: Literal["system", "user", "assistant"]
    content: str

    @field_validator("content", mode="before")
    @classmethod
    def _text_parts(cls, value: object) -> object:
        """Content may come as a list of parts; only text is understood."""
        if not isinstance(value, list):
            return value
        texts: list[str] = []
        for part in value:
            text = part.get("text") if isinstance(part, dict) and part.get("type") == "text" else None
            if not isinstance(text, str):
                raise ValueError("may hold only parts of type text")
            texts.append(text)
        return "".join(texts)


class StructuredOutputs(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
    grammar: str | None = None


class StreamOptions(_Body):
    include_usage: bool = False


class ChatBody(_Body):
    """POST /v1/chat/completions."""

    model: Annotated[str, Field(min_length=1, max_length=200)]
    messages: Annotated[list[Turn], Field(min_length=1)]
    temperature: float | None = Field(default=None, ge=0, le=5)
    top_p: float | None = Field(default=None, gt=0, le=1)
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    seed: int | None = None
    stop: str | list[str] | None = None
    stream: bool = False
    stream_options: StreamOptions | None = None
    structured_outputs: StructuredOutputs | None = None

    def request(self, defaults: SamplingDefaults) -> ChatRequest:
        """As the engine takes it. Raises EngineRefused for what would be ignored although it changes the answer."""
        for field, neutral in _CHANGES_THE_ANSWER.items():
            if (self.model_extra or {}).get(field) not in neutral:
                raise EngineRefused(f"{field} is not supported by this engine; leave it out.")
        stops = [self.stop] if isinstance(self.stop, str) else self.stop or []
        sampling = Sampling(
            temperature=defaults.temperature if self.temperature is None else self.temperature,
            top_p=defaults.top_p if self.top_p is None else self.top_p,
            max_tokens=self.max_tokens or self.max_completion_tokens or defaults.max_tokens,
            seed=defaults.seed if self.seed is None else self.seed,
            stop=tuple(stops),
        )
        grammar = None if self.structured_outputs is None else self.structured_outputs.grammar
        turns = tuple(Message(turn.role, turn.content) for turn in self.messages)
        return ChatRequest(Role.CODING, self.model, turns, sampling, grammar)  # a server knows no roles

    @property
    def wants_usage(self) -> bool:
        return self.stream_options is not None and self.stream_options.include_usage


class LoadBody(_Body):
    """POST /v1/load_lora_adapter."""

    lora_name: Name
    lora_path: Annotated[str, Field(min_length=1, max_length=4096)]


class UnloadBody(_Body):
    """POST /v1/unload_lora_adapter."""

    lora_name: Annotated[str, Field(min_length=1, max_length=200)]


def parse(kind: type[T], data: bytes) -> T:
    """The body of a request. Raises EngineRefused with the first thing that is wrong with it."""
    try:
        return kind.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        what = str(first["msg"]).removeprefix("Value error, ")
        raise EngineRefused(f"The request's {where or 'body'} cannot be used: {what}.") from None


def failure(error: EngineError) -> tuple[int, dict[str, Any]]:
    """HTTP status and body of an error, in OpenAI's shape."""
    kind = next((kind for kind in type(error).__mro__ if kind in _STATUS), None)
    status = 503 if kind is None else _STATUS[kind]
    code = _CODES.get(type(error), error.code)
    told = {"message": str(error), "type": error.code, "param": None, "code": code}
    return status, {"error": told}


def event(data: object) -> bytes:
    """One server-sent event."""
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


DONE = b"data: [DONE]\n\n"
