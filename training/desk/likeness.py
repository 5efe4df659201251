"""How like two answers are: the share of word five-grams they have in common (Jaccard), the usual test for near-duplicates.

A. Broder, "On the resemblance and containment of documents", SEQUENCES 1997, doi:10.1109/SEQUEN.1997.666900.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

WINDOW = 5
LONGEST = 20_000  # characters compared
_WORD = re.compile(r"\w+|[^\w\s]")


def shingles(text: str) -> frozenset[int]:
    """Hashes of the five-grams; a text of fewer words is one shingle."""
    words = _WORD.findall(text[:LONGEST])
    last = max(1, len(words) - WINDOW + 1)
    return frozenset(hash(tuple(words[at : at + WINDOW])) for at in range(last)) if words else frozenset()


def likeness(one: frozenset[int], other: frozenset[int]) -> float:
    """0 to 1; two empty texts are not alike."""
    union = len(one | other)
    return len(one & other) / union if union else 0.0


def nearest(text: str, others: Iterable[tuple[int, str]]) -> tuple[int, float] | None:
    """The most alike of (id, text), with how alike."""
    mine = shingles(text)
    found = max(((likeness(mine, shingles(other)), pk) for pk, other in others), default=None)
    return (found[1], found[0]) if found and found[0] > 0 else None
