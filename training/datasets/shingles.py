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
_KEPT_WORDS = 200_000
_WORD = re.compile(r"\w+|[^\w\s]")
_random = np.random.default_rng(20260101)
_ODD = _random.integers(1, 2**63, size=64, dtype=np.uint64) | np.uint64(1)
_A = _random.integers(1, 2**63, size=SIGNATURE, dtype=np.uint64) | np.uint64(1)
_B = _random.integers(0, 2**63, size=SIGNATURE, dtype=np.uint64)
_SHIFT, _MIX = np.uint64(32), np.uint64(0xFF51AFD7ED558CCD)
_known: dict[str, int] = {}


def words(text: str) -> Hashes:
    """Hashes of the words and signs of a text, in order."""
    if len(_known) > _KEPT_WORDS:
        _known.clear()
    found = _WORD.findall(text[:LONGEST].lower())
    known = _known
    for word in found:
        if word not in known:
            known[word] = zlib.crc32(word.encode("utf-8", "replace"))
    return np.fromiter((known[word] for word in found), np.uint64, len(found))


def ngrams(hashes: Hashes, n: int) -> Hashes:
    """Hashes of the n-grams in order; a text of fewer words is one n-gram, an empty one none."""
    n = min(n, len(hashes))
    if n == 0:
        return np.empty(0, np.uint64)
    count = len(hashes) - n + 1
    total = np.zeros(count, np.uint64)
    with np.errstate(over="ignore"):
        for at in range(n):
            total += hashes[at : at + count] * _ODD[at]
        total ^= total >> _SHIFT
        total *= _MIX
    total ^= total >> _SHIFT
    return total


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
            keys = (part * _ODD[:rows]).sum(axis=1, dtype=np.uint64)
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
