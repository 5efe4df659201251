"""Batches: rows in bins end to end (packing), or side by side with padding on the right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.utils.data import Dataset

from training.encoding import Encoded
from training.packing import pack
from training.rows_file import TokenRow
from training.trainer_model import IGNORED


class Bins(Dataset[list[int]]):
    """Item i is the list of rows that share a bin; without packing each row is a bin of its own."""

    def __init__(self, rows: Sequence[TokenRow], length: int, *, packing: bool, seed: int) -> None:
        self.rows = rows
        capacity = max([length, *(row.length for row in rows)])  # a preference pair is never parted
        self.bins = (
            pack([row.length for row in rows], capacity, seed)
            if packing
            else [[place] for place in range(len(rows))]
        )

    def __len__(self) -> int:
        return len(self.bins)

    def __getitem__(self, place: int) -> list[int]:
        return self.bins[place]


class Collator:
    """Bins to tensors. `rows` are the positions of the rows in the dataset version."""

    def __init__(self, rows: Sequence[TokenRow], *, flat: bool, pad: int) -> None:
        self.rows, self.flat, self.pad = rows, flat, pad

    def __call__(self, bins: list[list[int]]) -> dict[str, Any]:
        chosen = [self.rows[place] for one in bins for place in one]
        parts = [part for row in chosen for part in (row.encoded, row.refused) if part is not None]
        batch = _end_to_end(parts) if self.flat else _side_by_side(parts, self.pad)
        batch["rows"] = [row.row.position for row in chosen]
        return batch


def _labels(part: Encoded) -> list[int]:
    return [IGNORED] * part.start + list(part.ids[part.start :])


def _end_to_end(parts: Sequence[Encoded]) -> dict[str, Any]:
    """(1, tokens of all rows); positions begin anew with each row."""
    lengths = [len(part.ids) for part in parts]
    return {
        "input_ids": torch.tensor([[token for part in parts for token in part.ids]]),
        "labels": torch.tensor([[label for part in parts for label in _labels(part)]]),
        "position_ids": torch.tensor([[at for length in lengths for at in range(length)]]),
        "owner": torch.tensor([[place for place, length in enumerate(lengths) for _ in range(length)]]),
        "segments": lengths,
        "tokens": sum(lengths),
    }


def _side_by_side(parts: Sequence[Encoded], pad: int) -> dict[str, Any]:
    """(rows, longest row)."""
    longest = max(len(part.ids) for part in parts)
    ids = [list(part.ids) + [pad] * (longest - len(part.ids)) for part in parts]
    labels = [_labels(part) + [IGNORED] * (longest - len(part.ids)) for part in parts]
    tokens = sum(len(part.ids) for part in parts)
    return {
        "input_ids": torch.tensor(ids),
        "labels": torch.tensor(labels),
        "position_ids": torch.arange(longest).expand(len(parts), -1),
        "segments": None,
        "tokens": tokens,
    }
