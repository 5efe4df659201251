"""Rows laid end to end in bins of a fixed capacity: no token of a batch is padding.

A bin is a list of rows; each keeps its own positions and sees itself alone (see `trainer_model`), so a packed row
costs and teaches what it does by itself.
"""

from __future__ import annotations

import random
from bisect import bisect_left, insort
from collections.abc import Sequence

WINDOW = 4096  # rows that are fitted together: bounded work, and neighbours in length stay mixed


def pack(lengths: Sequence[int], capacity: int, seed: int) -> list[list[int]]:
    """Indexes of the rows of each bin, best fit first, longest row first within a shuffled window.

    Every row is in one bin exactly; a row longer than `capacity` is the caller's to cut or leave out (ValueError).
    """
    order = list(range(len(lengths)))
    rng = random.Random(seed)
    rng.shuffle(order)
    bins: list[list[int]] = []
    for start in range(0, len(order), WINDOW):
        rows = sorted(order[start : start + WINDOW], key=lambda row: -lengths[row])
        bins += _fit(rows, lengths, capacity)
    rng.shuffle(bins)
    return bins


def _fit(rows: Sequence[int], lengths: Sequence[int], capacity: int) -> list[list[int]]:
    bins: list[list[int]] = []
    room: list[tuple[int, int]] = []  # (tokens left, bin), ascending
    for row in rows:
        length = lengths[row]
        if length > capacity:
            raise ValueError(f"row {row} has {length} tokens, more than the {capacity} of a bin")
        place = bisect_left(room, (length, -1))
        if place == len(room):
            bins.append([row])
            left = capacity - length
            if left:
                insort(room, (left, len(bins) - 1))
        else:
            left, number = room.pop(place)
            bins[number].append(row)
            if left - length:
                insort(room, (left - length, number))
    return bins
