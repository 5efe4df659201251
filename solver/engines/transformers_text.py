"""Text in and out of an in-process model: chat template, tokens, streamed text, stop strings."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from typing import Any

from transformers import AutoTokenizer

from solver.engines.base_model import BadBase, BaseFiles
from solver.engines.protocol import Message

_UNFINISHED = "\ufffd"  # what a cut-off UTF-8 sequence decodes to


class Codec:
    """The tokenizer and chat template of a base model. Safe for many threads."""

    def __init__(self, base: BaseFiles) -> None:
        self.tokenizer: Any = AutoTokenizer.from_pretrained(
            str(base.folder), local_files_only=True, trust_remote_code=False
        )
        template = self.tokenizer.chat_template
        if not isinstance(template, str):
            raise BadBase(
                f"The base model in {base.folder.name!r} cannot be loaded: its tokenizer has no chat template; "
                "add chat_template.jinja, the one it was trained with."
            )
        self.template_digest = hashlib.sha256(template.encode()).hexdigest()
        self._lock = threading.Lock()
        self.stop_ids = self._stop_ids(base)

    def _stop_ids(self, base: BaseFiles) -> frozenset[int]:
        ends: list[object] = [self.tokenizer.eos_token_id]
        for source in (base.config.get("eos_token_id"), base.generation.get("eos_token_id")):
            ends.extend(source if isinstance(source, list) else [source])
        return frozenset(end for end in ends if isinstance(end, int))

    def encode(self, messages: Sequence[Message]) -> list[int]:
        """The prompt's tokens up to where the answer begins."""
        turns = [{"role": message.role, "content": message.content} for message in messages]
        with self._lock:  # the fast tokenizer keeps padding and truncation as state
            text = self.tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
            ids: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        with self._lock:
            text: str = self.tokenizer.decode(
                ids, skip_special_tokens=True, clean_up_tokenization_spaces=False
            )
        return text


class TextStream:
    """Turns tokens into text piece by piece; the joined pieces are the answer.

    A piece is held back while it ends inside a character, or may be the beginning of a stop string. Only the
    tokens since the last piece, and that piece's, are decoded again, so a long answer stays linear.
    """

    def __init__(self, codec: Codec, stops: Sequence[str]) -> None:
        self._codec = codec
        self._stops = tuple(stop for stop in stops if stop)
        self._ids: list[int] = []
        self._context = 0  # decoded from here, so that joining rules between tokens apply
        self._read = 0  # tokens up to here are in `_text`
        self._text = ""
        self._emitted = 0
        self.stopped = False

    @property
    def text(self) -> str:
        return self._text

    def take(self, token: int) -> str:
        """Add a token; returns the text that is now certain. Sets `stopped` at a stop string."""
        self._ids.append(token)
        before = self._codec.decode(self._ids[self._context : self._read])
        after = self._codec.decode(self._ids[self._context :])
        if after.endswith(_UNFINISHED) or len(after) <= len(before):
            return ""
        self._grow(after[len(before) :])
        return self._release(self._held_back())

    def finish(self) -> str:
        """What was held back, when no more tokens come."""
        if self.stopped:
            return ""
        before = self._codec.decode(self._ids[self._context : self._read])
        after = self._codec.decode(self._ids[self._context :])
        self._grow(after[len(before) :])
        return self._release(0)

    def _grow(self, piece: str) -> None:
        self._context, self._read = self._read, len(self._ids)
        earliest = max(0, len(self._text) - max((len(stop) for stop in self._stops), default=0))
        self._text += piece
        found = [at for stop in self._stops if (at := self._text.find(stop, earliest)) >= 0]
        if found:
            self.stopped = True
            self._text = self._text[: min(found)]

    def _held_back(self) -> int:
        """Length of the longest end of the text that begins a stop string."""
        if self.stopped:
            return 0
        longest = max((len(stop) for stop in self._stops), default=1) - 1
        for length in range(min(longest, len(self._text)), 0, -1):
            if any(stop.startswith(self._text[-length:]) for stop in self._stops):
                return length
        return 0

    def _release(self, held: int) -> str:
        end = len(self._text) - held
        piece = self._text[self._emitted : end]
        self._emitted = max(self._emitted, end)
        return piece
