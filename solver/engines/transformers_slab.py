"""Keys and values of all rows in flight, in one preallocated block a layer.

Rows end in the same column and begin where their own prompt is long enough to reach: a shorter row has unused
columns on its left, which the mask hides. A decoding step writes one column in place; nothing is copied until
a row joins or leaves. A unit of length is one token.

    columns   0 ......... begin .......... end ....... capacity
    row 0               |xxxxxxxxxxxxxxxxx|
    row 1                     |xxxxxxxxxxx|
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

_SLACK = 64  # spare columns, so that a block is not regrown at every step


@dataclass(frozen=True, slots=True)
class KvShape:
    """Of one token in one layer: `heads` key-value heads of `size` numbers, keys and values each."""

    layers: int
    heads: int
    size: int
    dtype: torch.dtype
    device: torch.device

    @property
    def token_bytes(self) -> int:
        return 2 * self.layers * self.heads * self.size * self.dtype.itemsize


class Slab:
    """The `past_key_values` of a forward over its rows. Used by the model thread only."""

    def __init__(self, shape: KvShape, most_tokens: int, rows: int = 1, columns: int = 0) -> None:
        self.shape = shape
        self._spare = most_tokens // 2  # rows times columns; beyond it there is only the room that is needed
        self.starts: list[int] = []  # the first column of each row
        self.end = 0
        self._kv = self._allocate(rows, columns)  # [layer] of [2, rows, heads, columns, size]

    def _allocate(self, rows: int, columns: int) -> list[torch.Tensor]:
        """Zeros, not empty: a hidden column takes part in products with weight 0, and 0 * NaN is NaN."""
        s = self.shape
        size = (2, rows, s.heads, columns, s.size)
        return [torch.zeros(size, dtype=s.dtype, device=s.device) for _ in range(s.layers)]

    @property
    def rows(self) -> int:
        return len(self.starts)

    @property
    def begin(self) -> int:
        return min(self.starts)

    @property
    def capacity(self) -> tuple[int, int]:
        """Rows and columns there is room for."""
        return self._kv[0].shape[1], self._kv[0].shape[3]

    @property
    def tokens(self) -> int:
        """Of memory: rows times columns there is room for."""
        rows, columns = self.capacity
        return rows * columns

    def update(
        self, keys: torch.Tensor, values: torch.Tensor, layer: int, *_args: object, **_kwargs: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Called by each attention layer: write the new columns, return all there are. [rows, heads, columns,
        size]
        """
        block = self._kv[layer]
        end = self.end + keys.shape[2]
        block[0, : self.rows, :, self.end : end] = keys
        block[1, : self.rows, :, self.end : end] = values
        return block[0, : self.rows, :, self.begin : end], block[1, : self.rows, :, self.begin : end]

    def get_seq_length(self, layer: int = 0) -> int:
        return self.end

    def advance(self, columns: int) -> None:
        """After a forward over `columns` new columns."""
        self.end += columns

    def mask(self, width: int) -> torch.Tensor:
        """What the `width` next columns may attend to: [rows, 1, width, begin..end + width], 0 or -inf.

        A column always sees itself, even to the left of its row's start: a row of nothing but -inf gives NaN.
        """
        device, begin = self.shape.device, self.begin
        columns = torch.arange(begin, self.end + width, device=device)
        starts = torch.tensor(self.starts, device=device)
        seen = columns[None, :] >= starts[:, None]
        if width == 1:
            allowed = seen[:, None, None, :]
        else:
            queries = torch.arange(self.end, self.end + width, device=device)
            causal = columns[None, :] <= queries[:, None]
            itself = columns[None, :] == queries[:, None]
            allowed = (seen[:, None, None, :] & causal) | itself
        hidden = torch.finfo(self.shape.dtype).min
        return torch.zeros_like(allowed, dtype=self.shape.dtype).masked_fill_(~allowed, hidden)

    def positions(self, width: int) -> torch.Tensor:
        """Position of each new column in its own row, 0 where the row has not begun. [rows, width]"""
        columns = torch.arange(self.end, self.end + width)
        starts = torch.tensor(self.starts)
        return (columns[None, :] - starts[:, None]).clamp_min_(0).to(self.shape.device)

    def reserve(self, room: int) -> None:
        """Make sure of one more column, by dropping unused ones on the left or by growing; if so, of `room`."""
        if self.end + 1 > self.capacity[1]:
            self._move(self.rows, self.end - self.begin, room)

    def trim(self) -> None:
        """Give back spare room."""
        if self.starts:
            self._move(self.rows, self.end - self.begin, 1, spare=False)
        else:
            self._kv, self.end = self._allocate(1, 0), 0

    def add(self, other: Slab, rows: Sequence[int], room: int) -> None:
        """Append rows of another slab, keeping `room` columns free on the right."""
        if not rows:
            return
        reach = max(other.end - other.starts[row] for row in rows)
        self._fit(self.rows + len(rows), reach, room)
        for row in rows:
            length = other.end - other.starts[row]
            source = slice(other.starts[row], other.end)
            target = slice(self.end - length, self.end)
            for mine, theirs in zip(self._kv, other._kv, strict=True):
                mine[:, self.rows, :, target] = theirs[:, row, :, source]
            self.starts.append(self.end - length)

    def _fit(self, rows: int, reach: int, room: int) -> None:
        """Grow or shift so that `rows` rows of up to `reach` columns and `room` more fit."""
        have_rows, capacity = self.capacity
        if not self.starts and rows <= have_rows and reach + room <= capacity:
            self.end = reach
        elif rows > have_rows or self.end < reach or self.end + room > capacity:
            length = max(reach, self.end - self.begin) if self.starts else reach
            self._move(rows, length, room)

    def _move(self, rows: int, length: int, room: int, *, spare: bool = True) -> None:
        """Copy into a new block for `rows` rows and `room` more columns, ending at column `length`."""
        have = self.end - self.begin if self.starts else 0
        need = length + room
        columns = max(need, min(need + _SLACK + need // 4, self._spare // rows)) if spare else need
        room_rows = max(rows, min(1 << (rows - 1).bit_length(), self._spare // columns)) if spare else rows
        old, old_begin, count = self._kv, self.end - have, self.rows
        self._kv = self._allocate(room_rows, columns)
        for mine, theirs in zip(self._kv, old, strict=True):
            mine[:, :count, :, length - have : length] = theirs[:, :count, :, old_begin : self.end]
        self.starts = [start + length - self.end for start in self.starts]
        self.end = length

    def put(self, row: int, kv: torch.Tensor) -> None:
        """Write the first tokens of a row from a copy [layers, 2, heads, tokens, size]."""
        start, tokens = self.starts[row], kv.shape[3]
        for mine, theirs in zip(self._kv, kv, strict=True):
            mine[:, row, :, start : start + tokens] = theirs

    def copy(self, row: int, tokens: int) -> torch.Tensor:
        """The first `tokens` tokens of a row: [layers, 2, heads, tokens, size]."""
        start = self.starts[row]
        return torch.stack([block[:, row, :, start : start + tokens] for block in self._kv])

    def drop(self, row: int) -> None:
        """Remove a row; the last one takes its place."""
        last = self.rows - 1
        if row != last:
            start = self.starts[last]
            for block in self._kv:
                block[:, row, :, start : self.end] = block[:, last, :, start : self.end]
            self.starts[row] = start
        self.starts.pop()
        if not self.starts:
            self.end = 0
