"""The text inside a pickle that holds nothing but a text, taken out without running the pickle.

A pickle is a program; unpickling one from a stranger runs it. LiveCodeBench pickles one JSON text, which takes no
more than the operations that push a text, so these are read and every other one is refused.
"""

from __future__ import annotations

import base64
import binascii
import pickletools
import zlib

_TEXT = frozenset({"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE"})
_HARMLESS = frozenset({"PROTO", "FRAME", "MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT", "STOP"})


class NotAText(ValueError):
    """The pickle holds something else than one text, or is no pickle."""


def text_of(pickled: bytes) -> str:
    texts: list[str] = []
    try:
        for operation, value, _ in pickletools.genops(pickled):
            if operation.name in _TEXT:
                texts.append(str(value))
            elif operation.name not in _HARMLESS:
                raise NotAText(f"it holds more than a text (operation {operation.name})")
    except NotAText:
        raise
    except (ValueError, EOFError, UnicodeDecodeError, IndexError, KeyError) as error:
        raise NotAText(f"it is no pickle ({error})") from error
    if len(texts) != 1:
        raise NotAText(f"it holds {len(texts)} texts")
    return texts[0]


def unpacked(text: str, limit: int) -> str:
    """The text in base64 of zlib of a pickle; `limit` bounds the bytes that come out of zlib."""
    try:
        packed = base64.b64decode(text, validate=True)
        unpacker = zlib.decompressobj()
        data = unpacker.decompress(packed, limit)
    except (binascii.Error, zlib.error, ValueError) as error:
        raise NotAText(f"it is not base64 of zlib data ({error})") from error
    if unpacker.unconsumed_tail:
        raise NotAText(f"it unpacks to more than {limit >> 20} MB")
    if not unpacker.eof:
        raise NotAText("the zlib data is cut off")
    return text_of(data)
