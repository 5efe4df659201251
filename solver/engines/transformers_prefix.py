"""Keys and values of prompts seen before, so that a shared beginning is computed once.

Kept per adapter, because an adapter changes the keys and values themselves (by 0.6 to 1.7 relative between
trained adapters). A prompt is found by the digest chain of its blocks of 32 tokens: the longest stored
beginning wins.
"""

from __future__ import annotations

import hashlib
from array import array
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import torch

BLOCK = 32


@dataclass(frozen=True, slots=True)
class _Entry:
    keys: tuple[bytes, ...]  # one per block: the digest of everything up to its end
    kv: torch.Tensor  # [layers, 2, heads, tokens, size]


class PrefixCache:
    """Least recently used first out, within `most_bytes`. Used by the model thread only."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()  # by the digest of the whole entry
        self._blocks: dict[bytes, tuple[bytes, int]] = {}  # digest of a beginning -> entry, its tokens
        self._of_adapter: dict[bytes, str | None] = {}
        self.nbytes = 0

    def find(self, adapter: str | None, ids: Sequence[int]) -> torch.Tensor | None:
        """The longest stored beginning of `ids`, at least one token short of the whole. [layers, 2, heads, n,
        size]
        """
        for key in reversed(_chain(adapter, ids, (len(ids) - 1) // BLOCK)):
            found = self._blocks.get(key)
            if found is not None:
                self._entries.move_to_end(found[0])
                return self._entries[found[0]].kv[:, :, :, : found[1]]
        return None

    def add(self, adapter: str | None, ids: Sequence[int], kv: torch.Tensor) -> None:
        """Store the beginning of `ids`; `kv` holds exactly `storable(ids)` tokens."""
        keys = _chain(adapter, ids, kv.shape[3] // BLOCK)
        if not keys or keys[-1] in self._entries or kv.nbytes > self._most:
            return
        for key in keys:  # an entry that this one contains is no longer needed
            if key in self._entries:
                self._evict(key)
        while self.nbytes + kv.nbytes > self._most:
            self._evict(next(iter(self._entries)))
        self._entries[keys[-1]] = _Entry(tuple(keys), kv)
        self._of_adapter[keys[-1]] = adapter
        self.nbytes += kv.nbytes
        for index, key in enumerate(keys):
            self._blocks[key] = (keys[-1], (index + 1) * BLOCK)

    def knows(self, adapter: str | None, ids: Sequence[int]) -> bool:
        """Whether storing `ids` would add nothing."""
        keys = _chain(adapter, ids, storable(ids) // BLOCK)
        return not keys or keys[-1] in self._blocks

    def forget(self, adapter: str | None) -> None:
        for name in [name for name, owner in self._of_adapter.items() if owner == adapter]:
            self._evict(name)

    def clear(self) -> None:
        for name in list(self._entries):
            self._evict(name)

    def _evict(self, name: bytes) -> None:
        entry = self._entries.pop(name)
        del self._of_adapter[name]
        self.nbytes -= entry.kv.nbytes
        for key in entry.keys:
            if self._blocks.get(key, (b"", 0))[0] == name:
                del self._blocks[key]


def storable(ids: Sequence[int]) -> int:
    """How many tokens of a prompt are worth storing: whole blocks."""
    return len(ids) // BLOCK * BLOCK


def _chain(adapter: str | None, ids: Sequence[int], blocks: int) -> list[bytes]:
    digest = hashlib.blake2b(repr(adapter).encode(), digest_size=16)
    keys = []
    for block in range(blocks):
        digest.update(array("q", ids[block * BLOCK : (block + 1) * BLOCK]).tobytes())
        keys.append(digest.digest())
    return keys
