"""Names, types and shapes of the tensors in a safetensors file, read without loading a weight or a library.

Layout: eight bytes little-endian length, that many bytes of JSON, then the data the JSON's offsets point
into.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

_LONGEST_HEADER = 100_000_000  # the format's own limit
_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}


class BadWeights(Exception):
    """A weights file that cannot be used; the message is a clause that follows the file's name."""


@dataclass(frozen=True, slots=True)
class TensorEntry:
    dtype: str
    shape: tuple[int, ...]


def read_header(path: Path) -> dict[str, TensorEntry]:
    """Every tensor of the file, after checking that its data lies inside the file. Raises BadWeights."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if size < 8 or length > min(size - 8, _LONGEST_HEADER):
                raise BadWeights("is cut off or is not a safetensors file")
            header = json.loads(file.read(length))
    except OSError as error:
        raise BadWeights(f"cannot be read ({error.strerror})") from None
    except ValueError:
        raise BadWeights("is not a safetensors file") from None
    if not isinstance(header, dict):
        raise BadWeights("is not a safetensors file")
    header.pop("__metadata__", None)
    data = size - 8 - length
    return {str(name): _entry(str(name), value, data) for name, value in header.items()}


def _entry(name: str, value: object, data: int) -> TensorEntry:
    if not isinstance(value, dict):
        value = {}
    try:
        dtype = str(value["dtype"])
        shape = tuple(int(side) for side in value["shape"])
        begin, end = (int(offset) for offset in value["data_offsets"])
    except (KeyError, TypeError, ValueError):
        raise BadWeights(f"describes the tensor {name[:80]!r} in no known way") from None
    count = 1
    for side in shape:
        count *= side
    if min((*shape, begin), default=0) < 0 or end > data or end - begin != count * _BYTES.get(dtype, 0):
        raise BadWeights(f"is cut off or damaged at the tensor {name[:80]!r}")
    return TensorEntry(dtype, shape)
