"""Elements of a top-level JSON array, or members of a top-level object, one at a time.

The file is never held as a whole: what is in memory is the element being decoded and at most as much again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from json.decoder import JSONDecodeError
from typing import Any, TextIO

from trajectories.importers.bounds import Bounds, size
from trajectories.importers.fault import Malformed

_CHUNK = 1 << 16
_DECODER = json.JSONDecoder()
# A value cut off by the end of the window fails within its last characters ("tru", "\\u12", "-"), except for strings,
# whose error points at their beginning.
_TAIL = 16


class JsonStream:
    """`line` is the line reached, `began` the one where the value given last begins."""

    def __init__(self, stream: TextIO, bounds: Bounds) -> None:
        self._stream = stream
        self._limit = bounds.row
        self._text = ""
        self._at = 0
        self._ended = False
        self.line = 1
        self.began = 1

    def elements(self) -> Iterator[Any]:
        """The elements of `[ ... ]`."""
        self._expect("[")
        if self._peek() == "]":
            self._step()
            return
        while True:
            self._peek()
            yield self._value()
            if self._expect(",]") == "]":
                return

    def members(self) -> Iterator[tuple[str, Any]]:
        """The names and values of `{ ... }`."""
        self._expect("{")
        if self._peek() == "}":
            self._step()
            return
        while True:
            if self._peek() != '"':
                raise self._malformed("a name in quotes is missing")
            name = self._value()
            self._expect(":")
            self._peek()
            yield name, self._value()
            if self._expect(",}") == "}":
                return

    def values(self) -> Iterator[Any]:
        """Values that simply follow each other, over any number of lines each."""
        while self._peek():
            yield self._value()

    def _peek(self) -> str:
        """The next character that is not white space, now the current one; empty at the end."""
        while True:
            start = self._at
            while self._at < len(self._text) and self._text[self._at] in " \t\r\n\ufeff":
                self._at += 1
            self.line += self._text.count("\n", start, self._at)
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._grow():
                return ""

    def _step(self) -> None:
        self._at += 1

    def _expect(self, wanted: str) -> str:
        found = self._peek()
        if not found or found not in wanted:
            shown = repr(found) if found else "the end of the file"
            raise self._malformed(f"{' or '.join(map(repr, wanted))} is missing before {shown}")
        self._step()
        return found

    def _value(self) -> Any:
        self.began = self.line
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except JSONDecodeError as error:
                if self._may_be_cut(error) and self._grow():
                    continue
                self.line += self._text.count("\n", self._at, error.pos)
                raise self._malformed(f"is not JSON: {error.msg}") from error
            except RecursionError:
                raise self._malformed("is nested too deeply to be read") from None
            except ValueError as error:
                raise self._malformed(f"cannot be decoded: {error}") from error
            if len(self._text) - end < _TAIL and self._grow():
                continue  # a number may go on: `12` may be `12.5` or `12e3`
            self.line += self._text.count("\n", self._at, end)
            self._at = end
            return value

    def _may_be_cut(self, error: JSONDecodeError) -> bool:
        return error.msg.startswith("Unterminated string") or error.pos >= len(self._text) - _TAIL

    def _grow(self) -> bool:
        """Read as much again as is waiting, so that a long value costs time linear in its length."""
        if self._ended:
            return False
        waiting = len(self._text) - self._at
        if waiting > self._limit:
            raise Malformed(
                "", f"one value is longer than {size(self._limit)}", "split it, or drop the problem"
            )
        try:
            more = self._stream.read(max(_CHUNK, waiting))
        except UnicodeDecodeError as error:
            raise self._malformed(f"is not UTF-8 ({error.reason})") from error
        if not more:
            self._ended = True
            return False
        self._text = self._text[self._at :] + more
        self._at = 0
        return True

    def _malformed(self, problem: str) -> Malformed:
        return Malformed("", problem, f"correct the JSON near line {self.line}")
