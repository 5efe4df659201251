"""From what an HTTP client raises to the three errors a user can act on, in one sentence, without the key."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx2
import openai

from solver.engines.addresses import AddressRefused
from solver.engines.flow import retry_after_s
from solver.engines.openai_stream import BrokenStream
from solver.engines.openai_transport import AnswerTooLarge
from solver.engines.protocol import ContextOverflow, EngineError, EngineRefused, EngineUnreachable
from solver.engines.spec import EngineSpec

_NO_GRAMMAR = re.compile(r"grammar error|invalid grammar|grammar.{0,40}(compil|pars)", re.IGNORECASE)
_OVERFLOW = re.compile(
    r"context_length_exceeded|exceed_context_size|maximum context length|context (length|size|window)"
    r"|prompt is too long|longer than the model's|too many tokens|max_model_len|reduce the length",
    re.IGNORECASE,
)
_OUT_OF_MONEY = re.compile(
    r"insufficient_quota|billing|exceeded your current quota|insufficient balance", re.IGNORECASE
)
_KEY_LIKE = re.compile(r"\b(sk|key|tok|hf|gsk|xai)[-_][A-Za-z0-9*_.-]{4,}")
_RETRIED = frozenset({408, 409, 425, 429})
_EXCERPT = 200


RAISED = (  # what a call to a server can end in
    openai.APIError,
    httpx2.HTTPError,
    BrokenStream,
    AnswerTooLarge,
    AddressRefused,
    json.JSONDecodeError,
    UnicodeDecodeError,
)


class BrokeOff(EngineUnreachable):
    """The connection was lost after the first text."""


class Setback(Exception):
    """One try failed. `down` counts against the endpoint; `retry` says that another try may help.

    `unknown_model`: the server does not know the model (it may be an adapter it has forgotten).
    """

    def __init__(
        self,
        error: EngineError,
        *,
        retry: bool = False,
        down: bool = False,
        wait_s: float | None = None,
        unknown_model: bool = False,
    ) -> None:
        super().__init__(str(error))
        self.error = error
        self.retry = retry
        self.down = down
        self.wait_s = wait_s
        self.unknown_model = unknown_model


@dataclass(frozen=True, slots=True)
class ErrorSentences:
    """Says what went wrong with one endpoint. `key` is only held to be taken out of what a server echoes."""

    spec: EngineSpec
    key: str | None
    address: str | None = None  # what to call it, where base_url would mislead

    @property
    def who(self) -> str:
        return f"The engine {self.spec.name!r} at {self.address or self.spec.base_url}"

    def clean(self, text: str) -> str:
        """Text of a server, safe to show: no key, no control characters, one line, short."""
        if self.key:
            text = text.replace(self.key, "[key]")
        text = _KEY_LIKE.sub("[key]", text)
        text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
        return text if len(text) <= _EXCERPT else text[: _EXCERPT - 1] + "…"

    def setback(self, error: Exception, *, model: str, started: bool) -> Setback:
        """What `error` means. Once text has been streamed (`started`) nothing is ever tried again."""
        found = self._classify(error, model)
        if started and found.retry:
            if isinstance(error, openai.APIError) and not isinstance(error, openai.APIConnectionError):
                return Setback(found.error, down=found.down)  # it said why
            text = f"{self.who} broke off in the middle of an answer; retry the run."
            return Setback(BrokeOff(text), down=found.down)
        return found

    def _classify(self, error: Exception, model: str) -> Setback:
        if isinstance(error, openai.APIStatusError):
            return self._status(error, model)
        cause = error.__cause__ if isinstance(error, openai.APIConnectionError) else error
        if isinstance(cause, AddressRefused):
            return Setback(EngineRefused(f"{self.who} may not be contacted: {cause}"))
        if isinstance(cause, AnswerTooLarge):
            return Setback(
                EngineUnreachable(f"{self.who} sent more data than any answer has; check base_url.")
            )
        if isinstance(cause, BrokenStream):
            return Setback(EngineUnreachable(f"{self.who} {cause}."), down=True)
        if isinstance(cause, json.JSONDecodeError | UnicodeDecodeError):
            text = f"{self.who} sent an event that is not JSON; check that it is an OpenAI-compatible server."
            return Setback(EngineUnreachable(text), down=True)
        if isinstance(error, openai.APIConnectionError | httpx2.HTTPError):
            return self._connection(cause)
        if isinstance(error, openai.APIError):  # an error object inside the stream
            return self._inside_stream(error)
        raise error

    def _inside_stream(self, error: openai.APIError) -> Setback:
        said = self.clean(error.message)
        if _OVERFLOW.search(f"{error.code} {error.message}"):
            return Setback(self._overflow(said))
        if _NO_GRAMMAR.search(error.message):  # vLLM compiles it after it has answered 200
            return Setback(EngineRefused(f"{self.who} refuses the grammar of the request: {said}."))
        return Setback(
            EngineUnreachable(f"{self.who} reported an error while answering: {said}."), retry=True, down=True
        )

    def _connection(self, cause: BaseException | None) -> Setback:
        if isinstance(cause, httpx2.ConnectTimeout):
            what = f"did not accept a connection within {self.spec.timeouts.connect_s:g} s"
        elif isinstance(cause, httpx2.ConnectError):
            what = (
                "could not be reached"
                if "unknown" not in str(cause)
                else "has a host name that does not resolve"
            )
            if "certificate" in str(cause).lower():
                text = f"{self.who} has a TLS certificate that could not be verified; check the address."
                return Setback(EngineRefused(text))
        elif isinstance(cause, httpx2.RemoteProtocolError):
            what = "closed the connection or does not speak HTTP"
        else:
            what = "lost the connection"
        return Setback(
            EngineUnreachable(f"{self.who} {what}; check that the server runs."), retry=True, down=True
        )

    def _status(self, error: openai.APIStatusError, model: str) -> Setback:
        status = error.status_code
        said = self.clean(_spoken(error))
        evidence = f"{error.code or ''} {error.message}"
        if status in (400, 413, 422) and _OVERFLOW.search(evidence):
            return Setback(self._overflow(said))
        if status == 429 and _OUT_OF_MONEY.search(evidence):
            return Setback(EngineRefused(f"{self.who} says the account has no credit left: {said}."))
        if status in _RETRIED or status >= 500:
            return Setback(
                EngineUnreachable(f"{self.who} {_busy(status)} (HTTP {status}); try again later."),
                retry=True,
                down=status >= 500,
                wait_s=retry_after_s(error.response.headers),
            )
        refusal = EngineRefused(f"{self.who} {self._refusal(status, model, said, error)}")
        return Setback(refusal, unknown_model=status == 404)

    def _refusal(self, status: int, model: str, said: str, error: openai.APIStatusError) -> str:
        if status in (401, 403):
            if self.spec.key_env is None:
                return "wants a key; set key_env to the name of the environment variable that holds it."
            return f"did not accept the key in {self.spec.key_env}; put a valid key there and restart."
        if status == 404:
            return (
                f"does not know the model {model!r} or the path; check models and base_url. It said: {said}."
            )
        if 300 <= status < 400:
            target = urlsplit(error.response.headers.get("location", "")).netloc
            return f"redirects to {self.clean(target) or 'another path'}; put the final address in base_url."
        return f"refused the request (HTTP {status}): {said}."

    def _overflow(self, said: str) -> ContextOverflow:
        return ContextOverflow(
            f"The prompt and the answer's budget do not fit the context of {self.spec.name!r}; "
            f"lower max_tokens or the number of exemplars. The server said: {said}."
        )


def _busy(status: int) -> str:
    return (
        "is limiting requests" if status == 429 else "has an internal problem" if status >= 500 else "is busy"
    )


def _spoken(error: openai.APIStatusError) -> str:
    """The server's own sentence, out of the usual shapes of an error body."""
    body = error.body
    if isinstance(body, dict):
        inner = body.get("error", body)
        for value in (inner, inner.get("message") if isinstance(inner, dict) else None, body.get("detail")):
            if isinstance(value, str):
                return value.rstrip(".")
    return str(body or "nothing").rstrip(".")
