"""Which step of one trajectory stands beside which of another: a longest common subsequence of (agent, attempt).

Pure. Order is kept on both sides and nothing is left out: every step appears once, paired or alone. Where several longest
subsequences exist the one that pairs earliest is taken, so that equal beginnings stay beside each other.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from difflib import SequenceMatcher

MOST_CELLS = 1_000_000  # beyond it difflib's matching blocks serve: in order and without repeats, but not always longest
Pairing = list[tuple[int | None, int | None]]


def align(left: Sequence[Hashable], right: Sequence[Hashable]) -> Pairing:
    """Pairs of places, in the order of both sides; None where a step has no counterpart."""
    short = min(len(left), len(right))
    head = next((n for n in range(short) if left[n] != right[n]), short)
    rest = short - head
    tail = next((n for n in range(rest) if left[-n - 1] != right[-n - 1]), rest)
    middle_left, middle_right = left[head : len(left) - tail], right[head : len(right) - tail]
    matched = [(n, n) for n in range(head)]
    matched += [(head + i, head + j) for i, j in _common(middle_left, middle_right)]
    matched += [(len(left) - n, len(right) - n) for n in range(tail, 0, -1)]
    return _with_gaps(matched, len(left), len(right))


def _common(left: Sequence[Hashable], right: Sequence[Hashable]) -> list[tuple[int, int]]:
    if len(left) * len(right) > MOST_CELLS:
        blocks = SequenceMatcher(None, left, right, autojunk=False).get_matching_blocks()
        return [(block.a + n, block.b + n) for block in blocks for n in range(block.size)]
    # longest[i][j]: length of a longest common subsequence of left[i:] and right[j:]
    longest = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i in range(len(left) - 1, -1, -1):
        here, below = longest[i], longest[i + 1]
        for j in range(len(right) - 1, -1, -1):
            here[j] = below[j + 1] + 1 if left[i] == right[j] else max(below[j], here[j + 1])
    found = []
    i = j = 0
    while i < len(left) and j < len(right):
        if left[i] == right[j]:
            found.append((i, j))
            i, j = i + 1, j + 1
        elif longest[i + 1][j] >= longest[i][j + 1]:
            i += 1
        else:
            j += 1
    return found


def _with_gaps(matched: Sequence[tuple[int, int]], left: int, right: int) -> Pairing:
    pairs: Pairing = []
    i = j = 0
    for a, b in [*matched, (left, right)]:
        pairs += [(place, None) for place in range(i, a)]
        pairs += [(None, place) for place in range(j, b)]
        if a < left and b < right:
            pairs.append((a, b))
        i, j = a + 1, b + 1
    return pairs
