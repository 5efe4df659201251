"""Answers that can only be sentences of a grammar: at every step, tokens that lead nowhere are taken out.

A grammar is Lark in llguidance's dialect. Each request walks a matcher of its own, a copy of one that was compiled
and warmed when the grammar was first seen, so an answer never depends on the rows beside it. The promise holds for
answers that come to their end; one cut by its token budget finishes with `length` and is a failure like any other.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Sequence
from typing import Any

import llguidance
import llguidance.hf
import numpy as np
import torch

from solver.engines.protocol import EngineRefused

_KEPT = 128  # compiled grammars
_LONGEST = 200_000  # characters of a grammar
_LONGEST_ERROR = 200


class GrammarFailed(Exception):
    """The matcher gave up in the middle of an answer (its own limits); the message says why."""


class Constraint:
    """One answer's way through its grammar. Used by the model thread only."""

    def __init__(self, matcher: Any) -> None:
        self._matcher = matcher

    @property
    def complete(self) -> bool:
        """Nothing can follow: the answer ends here, whether or not the model would say so."""
        return bool(self._matcher.is_stopped())

    def allowed(self) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """A bit a token, lowest bit first. End tokens are in it exactly where the answer may end."""
        mask = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
        self._check()
        return mask

    def take(self, token: int) -> None:
        """Move on by the token that was chosen."""
        self._matcher.consume_token(token)
        self._check()

    def _check(self) -> None:
        if (
            self._matcher.is_error()
        ):  # its mask would then be the end token alone, as if the answer were complete
            raise GrammarFailed(_first_line(self._matcher.get_error()))


def forbid(logits: torch.Tensor, rows: Sequence[int], allowed: Sequence[np.ndarray[Any, Any]]) -> None:
    """Set what `allowed` leaves out to -inf in these rows of logits [rows, vocabulary], in place."""
    bits = np.unpackbits(np.stack(allowed), axis=1, bitorder="little")[:, : logits.shape[1]]
    forbidden = torch.from_numpy(bits == 0)
    if forbidden.shape[1] < logits.shape[1]:  # a vocabulary padded beyond what the grammar was compiled for
        forbidden = torch.nn.functional.pad(forbidden, (0, logits.shape[1] - forbidden.shape[1]), value=True)
    forbidden = forbidden.to(logits.device)
    if len(rows) == logits.shape[0]:
        logits.masked_fill_(forbidden, -torch.inf)
    else:
        index = torch.tensor(rows, device=logits.device)
        logits[index] = logits[index].masked_fill(forbidden, -torch.inf)


class GrammarBook:
    """The grammars of one tokenizer, each compiled once. Safe for many threads."""

    def __init__(self, tokenizer: Any, vocabulary: int, stop_ids: Collection[int]) -> None:
        self._tokenizer = tokenizer
        self._vocabulary = max(vocabulary, len(tokenizer))
        self._stop_ids = sorted(stop_ids)
        self._lock = threading.Lock()
        self._tokens: Any = None
        self._compiled: OrderedDict[str, Any] = OrderedDict()

    def constraint(self, grammar: str) -> Constraint:
        """A walk from the grammar's start. Raises EngineRefused for what is no grammar."""
        with self._lock:
            found = self._compiled.get(grammar)
            if found is None:
                found = self._compiled[grammar] = self._compile(grammar)
                while len(self._compiled) > _KEPT:
                    self._compiled.popitem(last=False)
            self._compiled.move_to_end(grammar)
            return Constraint(found.deep_copy())

    def _compile(self, grammar: str) -> Any:
        if len(grammar) > _LONGEST:
            raise EngineRefused(
                f"The grammar has {len(grammar)} characters, more than the {_LONGEST} that are compiled; shorten it."
            )
        if not self._stop_ids:
            raise EngineRefused(
                "The base model names no end token, so no grammar can be enforced; set eos_token_id in its config.json."
            )
        if self._tokens is None:  # takes about a second for a vocabulary of 150,000
            self._tokens = llguidance.hf.from_tokenizer(
                self._tokenizer, n_vocab=self._vocabulary, eos_token=self._stop_ids
            )
        try:
            matcher = llguidance.LLMatcher(self._tokens, llguidance.grammar_from("lark", grammar))
        except (ValueError, TypeError) as error:
            raise _unreadable(str(error)) from None
        if not matcher.is_error():
            matcher.compute_bitmask()  # the first mask builds most of the lexer; copies share it
        if matcher.is_error():
            raise _unreadable(matcher.get_error())
        return matcher


def _unreadable(said: str) -> EngineRefused:
    return EngineRefused(f"The grammar of the request cannot be used: {_first_line(said)}; correct it.")


def _first_line(said: str) -> str:
    line = said.strip().partition("\n")[0].rstrip(".")
    return line if len(line) <= _LONGEST_ERROR else line[: _LONGEST_ERROR - 1] + "…"
