"""Rows of a JSON Lines or JSON file, plain or gzipped, each with its place; malformed rows become faults."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any, BinaryIO, cast

from trajectories.importers.bounds import Bounds, size
from trajectories.importers.fault import Malformed, Place
from trajectories.importers.json_stream import JsonStream
from trajectories.importers.row import Row
from trajectories.importers.tree import DAMAGED

GZIP = b"\x1f\x8b"
PARQUET = b"PAR1"
ARROW = b"ARROW1"
# The beginning of every file of Riegeli records: the hash of its signature block's header.
RIEGELI = bytes.fromhex("83af70d10d884a3f")
_DAMAGED = (*DAMAGED, gzip.BadGzipFile)
_SNIFFED_LINES = 10
_HEAD = 4096
_BLANK = b"\xef\xbb\xbf \t\r\n"
Complain = Callable[[Place, Malformed], None]


class Layout(StrEnum):
    LINES = "lines"
    ARRAY = "array"
    VALUES = "values"


class RowFile:
    """`opened` gives the file's bytes anew each time it is called."""

    def __init__(self, opened: Callable[[], BinaryIO], place: Place, bounds: Bounds) -> None:
        self._opened = opened
        self._bounds = bounds
        self.place = place

    def rows(self, complain: Complain) -> Iterator[tuple[Place, Row]]:
        """Raises `Malformed` only when the file as a whole cannot be read."""
        with self.stream() as stream:
            layout = self._layout()
            read = self._lines if layout is Layout.LINES else self._values
            try:
                yield from read(stream, layout, complain)
            except _DAMAGED as error:
                raise _damaged(error) from error

    def stream(self) -> BinaryIO:
        """The bytes, decompressed."""
        with self._opened() as first:
            try:
                magic = first.read(8)
            except _DAMAGED as error:
                raise _damaged(error) from error
        _refuse_binary(magic)
        stream = self._opened()
        if not magic.startswith(GZIP):
            return stream
        return cast(BinaryIO, _Gunzipped(stream))

    def members(self) -> Iterator[tuple[str, Any]]:
        """The members of a file that holds one JSON object."""
        with self.stream() as stream:
            try:
                yield from JsonStream(_text(stream), self._bounds).members()
            except _DAMAGED as error:
                raise _damaged(error) from error

    def _layout(self) -> Layout:
        """Lines, when one of the first lines is an object by itself."""
        try:
            with self.stream() as stream:
                if stream.read(_HEAD).lstrip(_BLANK).startswith(b"["):
                    return Layout.ARRAY
            with self.stream() as stream:
                for _ in range(_SNIFFED_LINES):
                    line = stream.readline(self._bounds.row + 1)
                    if _is_object(line):
                        return Layout.LINES
                    if len(line) > self._bounds.row:
                        _skip_line(stream, line)
                return Layout.VALUES
        except _DAMAGED as error:
            raise _damaged(error) from error

    def _lines(self, stream: BinaryIO, _: Layout, complain: Complain) -> Iterator[tuple[Place, Row]]:
        number = total = 0
        while line := stream.readline(self._bounds.row + 1):
            number += 1
            place = Place(self.place.file, number, self.place.member)
            total += len(line)
            if len(line) > self._bounds.row:
                total += _skip_line(stream, line)
                complain(place, _too_long(self._bounds))
            elif line.strip():
                try:
                    row = parse_line(line)
                except Malformed as malformed:
                    complain(place, malformed)
                else:
                    yield place, row
            if total > self._bounds.file:
                raise Malformed("", f"holds more than {size(self._bounds.file)}", "import it in parts")

    def _values(self, stream: BinaryIO, layout: Layout, complain: Complain) -> Iterator[tuple[Place, Row]]:
        """A file that goes wrong in the middle cannot be followed any further: one fault, and its end."""
        decoder = JsonStream(_text(stream), self._bounds)
        values = decoder.elements() if layout is Layout.ARRAY else decoder.values()
        while True:
            try:
                value = next(values)
            except StopIteration:
                return
            except Malformed as malformed:
                complain(Place(self.place.file, decoder.line, self.place.member), malformed)
                return
            place = Place(self.place.file, decoder.began, self.place.member)
            try:
                row = Row.of(value, "")
            except Malformed as malformed:
                complain(place, malformed)
            else:
                yield place, row


def parse_line(line: bytes) -> Row:
    try:
        text = line.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise Malformed("", f"is not UTF-8 at byte {error.start}", "save the file as UTF-8") from error
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise Malformed(
            "", f"is not JSON: {error.msg} at column {error.colno}", "write one JSON object a line"
        ) from error
    except RecursionError:
        raise Malformed("", "is nested too deeply to be read", "write one JSON object a line") from None
    except ValueError as error:
        raise Malformed("", f"cannot be decoded: {error}", "write one JSON object a line") from error
    return Row.of(value, "")


class _Gunzipped(gzip.GzipFile):
    """Closes the file below, too."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__(fileobj=stream, mode="rb")
        self._below = stream

    def close(self) -> None:
        super().close()
        self._below.close()


def _text(stream: BinaryIO) -> io.TextIOWrapper:
    return io.TextIOWrapper(cast(Any, stream), encoding="utf-8-sig", newline="")


def _is_object(line: bytes) -> bool:
    line = line.lstrip(_BLANK)
    if not line.startswith(b"{"):
        return False
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _skip_line(stream: BinaryIO, line: bytes) -> int:
    skipped = 0
    while line and not line.endswith(b"\n"):
        line = stream.readline(1 << 20)
        skipped += len(line)
    return skipped


def _refuse_binary(magic: bytes) -> None:
    if magic.startswith((PARQUET, ARROW)):
        raise Malformed(
            "",
            "is a Parquet or Arrow file, which needs a library that the lab does not carry",
            "export it as JSON Lines, e.g. with `datasets`: load_dataset(...).to_json('problems.jsonl')",
        )
    if magic.startswith(RIEGELI):
        raise Malformed(
            "",
            "is a Riegeli file, which needs a C++ library that the lab does not carry",
            "use the Hugging Face export of the same data set (deepmind/code_contests) as JSON Lines",
        )


def _too_long(bounds: Bounds) -> Malformed:
    return Malformed(
        "", f"the line is longer than {size(bounds.row)}", "split the problem or drop some of its tests"
    )


def _damaged(error: Exception) -> Malformed:
    return Malformed("", f"the compressed data is damaged ({error})", "fetch or compress the file anew")
