"""SHA-256 of what an engine is made of: files by content, descriptions by what they say wherever the checkout lies."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

_CHECKOUT = Path(__file__).resolve().parents[2]


def description_digest(data: dict[str, Any]) -> str:
    """Paths inside the checkout count by their place in it: a checkout that was moved is still the same lab."""
    text = json.dumps(_in_checkout(data), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _in_checkout(data: Any) -> Any:
    """The same plain data with the paths of this checkout relative to it."""
    if isinstance(data, str):
        return data.removeprefix(f"{_CHECKOUT}/")
    if isinstance(data, dict):
        return {key: _in_checkout(value) for key, value in data.items()}
    return [_in_checkout(item) for item in data] if isinstance(data, list) else data


def adapter_digest(folder: Path) -> str | None:
    """SHA-256 of the adapter's weights file, None where the file is not on this machine."""
    return file_digest(folder / "adapter_model.safetensors")


def file_digest(path: Path) -> str | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return _hash_file(str(path), stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=256)
def _hash_file(path: str, _size: int, _mtime_ns: int) -> str:
    """Cached by size and time of change: adapters are immutable folders that every run asks about."""
    with open(path, "rb") as file:  # noqa: PTH123 - hashlib wants the open file
        return hashlib.file_digest(file, "sha256").hexdigest()
