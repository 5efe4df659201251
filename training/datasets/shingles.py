"""Texts as numbers: word n-grams and MinHash signatures, vectorised, the same in every process.

A. Broder, "On the resemblance and containment of documents", SEQUENCES 1997, doi:10.1109/SEQUEN.1997.666900. Of 64
signature values the share that agrees estimates the Jaccard likeness with a standard error of at most 0.063. Bands of
8 x 8 find a pair of likeness 0.9 with probability 0.99 and one of 0.5 with 0.03. Written here rather than taken from a
library because the pairs are looked for band by band in sorted arrays: memory does not grow with buckets.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
SIGNATURE = 64
BANDS = 8
WINDOW = 5
LONGEST = 200_000  # characters of one text that are looked at
_KEPT_WORDS = 50_000
_WORD = re.compile(r"\w+|[^\w\s]")
_random = np.random.default_rng(20260101)
_A = _random.integers(1, 2**63, size=SIGNATURE, dtype=np.uint64) | np.uint64(1)
_B = _random.integers(0, 2**63, size=SIGNATURE, dtype=np.uint64)
_SHIFT, _MIX = np.uint64(32), np.uint64(0xFF51AFD7ED558CCD)
_BASE = 0x9E3779B97F4A7C15
_FILTER = 1 << 20


class _Words(dict[str, int]):
    """The hash of each word, made when it is first met."""

    def __missing__(self, word: str) -> int:
        mixed = zlib.crc32(word.encode("utf-8", "replace")) * 0xC4CEB9FE1A85EC53 % 2**64
        found = self[word] = (mixed ^ (mixed >> 29)) * 0xFF51AFD7ED558CCD % 2**64
        return found


_known = _Words()


def _powers(base: int, count: int) -> Hashes:
    with np.errstate(over="ignore"):
        return np.cumprod(np.r_[np.uint64(1), np.full(count, base, np.uint64)], dtype=np.uint64)


_up, _down = _powers(_BASE, 1024), _powers(pow(_BASE, -1, 2**64), 1024)


def words(text: str) -> Hashes:
    """Hashes of the words and signs of a text, in order."""
    if len(_known) > _KEPT_WORDS:
        _known.clear()
    found = _WORD.findall(text[:LONGEST].lower())
    return np.array(list(map(_known.__getitem__, found)), np.uint64)


def ngrams(hashes: Hashes, n: int) -> Hashes:
    """Hashes of the n-grams in order; a text of fewer words is one n-gram, an empty one none.

    A polynomial of the words' hashes modulo 2^64, from differences of its running sum: the time does not depend on n.
    """
    global _up, _down
    n = min(n, len(hashes))
    if n == 0:
        return np.empty(0, np.uint64)
    if len(hashes) >= len(_up):
        _up, _down = (_powers(base, 2 * len(hashes)) for base in (_BASE, pow(_BASE, -1, 2**64)))
    with np.errstate(over="ignore"):
        running = np.r_[np.uint64(0), np.cumsum(hashes * _up[: len(hashes)], dtype=np.uint64)]
        total: Hashes = (running[n:] - running[:-n]) * _down[: len(hashes) - n + 1]
        total ^= total >> _SHIFT
        total *= _MIX
    total ^= total >> _SHIFT
    return total


class Known:
    """A set of hashes that most others are quickly told from: a bit table first, the sorted values where it says maybe."""

    def __init__(self, values: Hashes) -> None:
        self.values = np.sort(values)
        self._table = np.zeros(_FILTER, np.bool_)
        self._table[self.values & np.uint64(_FILTER - 1)] = True

    def __len__(self) -> int:
        return len(self.values)

    def among(self, hashes: Hashes) -> NDArray[np.int64]:
        """Places of those of `hashes` that are in the set."""
        maybe = np.flatnonzero(self._table[hashes & np.uint64(_FILTER - 1)])
        if not len(maybe):
            return maybe
        at = np.searchsorted(self.values, hashes[maybe])
        at[at == len(self.values)] = 0
        found: NDArray[np.int64] = maybe[self.values[at] == hashes[maybe]]
        return found


def signature(shingles: Hashes) -> NDArray[np.uint32]:
    """MinHash of a set of shingles; of none the largest value everywhere."""
    if not len(shingles):
        return np.full(SIGNATURE, 2**32 - 1, np.uint32)
    with np.errstate(over="ignore"):
        spread = shingles[:, None] * _A + _B
    least: NDArray[np.uint32] = (spread >> _SHIFT).astype(np.uint32).min(axis=0)
    return least


def boilerplate(texts: Iterable[str], share: float = 0.5) -> Hashes:
    """Shingles that at least `share` of the texts have: the template's words, which would make all prompts alike."""
    counted = [np.unique(ngrams(words(text), WINDOW)) for text in texts]
    if len(counted) < 8:  # too few to tell what is the template's
        return np.empty(0, np.uint64)
    values, counts = np.unique(np.concatenate(counted), return_counts=True)
    common: Hashes = values[counts >= share * len(counted)]
    return common


def copies(signatures: NDArray[np.uint32], likeness: float) -> dict[int, int]:
    """Row -> an earlier row that it is a near-duplicate of. Within a bucket a row is held against the bucket's first row
    and against the one before it; eight bands give each pair eight chances."""
    found: dict[int, int] = {}
    rows = SIGNATURE // BANDS
    for band in range(BANDS):
        part = np.ascontiguousarray(signatures[:, band * rows : (band + 1) * rows]).astype(np.uint64)
        with np.errstate(over="ignore"):
            keys = (part * _A[:rows]).sum(axis=1, dtype=np.uint64)
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        same = np.flatnonzero(ordered[1:] == ordered[:-1]) + 1
        if not len(same):
            continue
        starts = np.zeros(len(ordered), np.int64)
        fresh = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
        starts[fresh] = fresh
        first = np.maximum.accumulate(starts)
        for earlier in (order[first[same]], order[same - 1]):
            _like(signatures, order[same], earlier, likeness, found)
    return found


def _like(
    signatures: NDArray[np.uint32],
    later: NDArray[np.int64],
    earlier: NDArray[np.int64],
    likeness: float,
    found: dict[int, int],
) -> None:
    for at in range(0, len(later), 8192):
        one, other = later[at : at + 8192], earlier[at : at + 8192]
        alike = (signatures[one] == signatures[other]).mean(axis=1) >= likeness
        for row, before in zip(one[alike].tolist(), other[alike].tolist(), strict=True):
            if row not in found:
                found[row] = before
