"""How values cross between the process that runs a solution and the one that runs the tests.

Length-prefixed pickles with three rules. Only the plain types below may be named, so loading one runs nothing.
No message sets attributes (see `refuse_state`), so loading one changes nothing. Anything else stays where it is
and travels as a handle. What a handle stands for is compared by its plain
value or not at all: an object of the solution never gets to say what it equals.
"""

from __future__ import annotations

import collections
import contextlib
import datetime
import decimal
import fractions
import io
import os
import pickle
import struct
from collections.abc import Callable
from typing import Any, NoReturn

MESSAGE_MAX = 64 << 20
_SIZE = struct.Struct("=Q")
_BASES: tuple[type, ...] = (
    bool,
    int,
    float,
    complex,
    str,
    bytes,
    bytearray,
    tuple,
    list,
    dict,
    set,
    frozenset,
)
PLAIN: frozenset[type] = frozenset(
    {
        type(None), bool, int, float, complex, str, bytes, bytearray, tuple, list, dict, set, frozenset, range, slice,
        collections.OrderedDict, collections.Counter, collections.deque, collections.defaultdict,
        fractions.Fraction, decimal.Decimal,
        datetime.date, datetime.datetime, datetime.time, datetime.timedelta, datetime.timezone,
    }
)  # fmt: skip
_NAMES = {(kind.__module__, kind.__qualname__): kind for kind in PLAIN if kind is not type(None)}


class ForeignValue(Exception):
    """The other side sent something that may not cross."""


Identify = Callable[[Any], Any]
_SET_STATE = "__setstate__"


def refuse_state() -> None:
    """For the side that must not trust what it loads; for good.

    A pickle's BUILD sets any attributes of what it is given, unless that has a `__setstate__`, which is then called
    instead. It may be given a class: of the plain types those written in Python (`Counter`, `Fraction`) would let a
    message put something that is always true in the place of their `__eq__`. No plain value needs BUILD.
    """
    for kind in PLAIN:
        with contextlib.suppress(TypeError):  # the built-in types cannot be changed at all
            setattr(kind, _SET_STATE, _refuse)


def _refuse(*_: object) -> NoReturn:
    raise ForeignValue("a message may not set attributes")


class _Loader(pickle.Unpickler):
    def __init__(self, data: bytes, resolve: Identify) -> None:
        super().__init__(io.BytesIO(data))
        self._resolve = resolve

    def find_class(self, module: str, name: str) -> Any:
        kind = _NAMES.get((module, name))
        if kind is None:
            raise ForeignValue(f"type {module}.{name} may not cross"[:200])
        return kind

    def persistent_load(self, mark: Any) -> Any:
        return self._resolve(mark)


class _Dumper(pickle.Pickler):
    def __init__(self, file: io.BytesIO, identify: Identify) -> None:
        super().__init__(file, 5)
        self._identify = identify

    def persistent_id(self, value: Any) -> Any:
        if type(value) in PLAIN or (isinstance(value, type) and value in PLAIN):
            return None
        return self._identify(value)


def dump(value: Any, identify: Identify) -> bytes:
    file = io.BytesIO()
    _Dumper(file, identify).dump(value)
    return file.getvalue()


def load(data: bytes, resolve: Identify) -> Any:
    """Raises ForeignValue for anything but a well-formed message."""
    try:
        return _Loader(data, resolve).load()
    except ForeignValue:
        raise
    except Exception as error:
        raise ForeignValue(f"not a message: {type(error).__name__}") from None


def plain_value(value: Any) -> tuple[bool, Any]:
    """The built-in value inside an instance of a subclass, taken past any method the subclass overrides."""
    for base, extract in _EXTRACT.items():
        if isinstance(value, base):
            return True, extract(value)
    return False, None


_EXTRACT: dict[type, Callable[[Any], Any]] = {
    dict: lambda value: dict(dict.items(value)),
    list: lambda value: list(list.__iter__(value)),
    tuple: lambda value: tuple(tuple.__iter__(value)),
    set: lambda value: set(set.__iter__(value)),
    frozenset: lambda value: frozenset(frozenset.__iter__(value)),
    int: lambda value: int.__add__(value, 0),
    float: lambda value: float.__add__(value, 0.0),
    str: lambda value: str.__str__(value),
}


class Pipe:
    """Two descriptors, one each way; EOFError when the other side has gone."""

    def __init__(self, read: int, write: int) -> None:
        self._read = read
        self._write = write

    def send(self, data: bytes) -> None:
        view = memoryview(_SIZE.pack(len(data)) + data)
        while view:
            try:
                view = view[os.write(self._write, view) :]
            except BrokenPipeError:
                raise EOFError from None

    def receive(self) -> bytes:
        size = _SIZE.unpack(self._exactly(_SIZE.size))[0]
        if size > MESSAGE_MAX:
            raise ForeignValue(f"a message of {size} bytes")
        return self._exactly(size)

    def _exactly(self, size: int) -> bytes:
        blocks: list[bytes] = []
        while size:
            block = os.read(self._read, min(size, 1 << 20))
            if not block:
                raise EOFError
            blocks.append(block)
            size -= len(block)
        return b"".join(blocks)
