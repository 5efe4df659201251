"""The rows of a dataset version as the trainer reads them: one JSON line a row, frozen when the run starts. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from training.encoding import CannotEncode, Encoded, Encoder


@dataclass(frozen=True, slots=True)
class Row:
    """`position` is the row's in its version; `refused` is what the agent answered instead, empty without one."""

    position: int
    split: str
    messages: list[dict[str, str]]
    answer: str
    refused: str = ""
    title: str = ""


def write(path: Path, rows: Iterable[Row]) -> int:
    """Leaves the whole file or none; returns how many rows it has."""
    unfinished, count = path.with_suffix(".part"), 0
    with unfinished.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(asdict(row), ensure_ascii=False) + "\n")
            count += 1
    unfinished.replace(path)
    return count


def read(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield Row(**json.loads(line))


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A row as tokens; `refused` is there for preference pairs alone."""

    row: Row
    encoded: Encoded
    refused: Encoded | None = None

    @property
    def length(self) -> int:
        return len(self.encoded.ids) + (len(self.refused.ids) if self.refused else 0)


@dataclass(frozen=True, slots=True)
class Left:
    """A row that is not trained, and why."""

    row: Row
    why: str


def tokenize(
    encoder: Encoder, rows: Iterable[Row], *, length: int, over_length: str, pairs: bool
) -> tuple[list[TokenRow], list[Left]]:
    """Rows as tokens, in order, and those left out. `over_length` "refuse" is for the caller: such rows are left out.

    With `pairs` a row without a refused answer is no part of what is trained, and so none that was left out.
    """
    kept: list[TokenRow] = []
    left: list[Left] = []
    for row in rows:
        if pairs and not row.refused:
            continue
        try:
            told = [encoder.encode(row.messages, row.answer)]
            if pairs:
                told.append(encoder.encode(row.messages, row.refused))
        except CannotEncode as error:
            left.append(Left(row, str(error)))
            continue
        if max(len(one.ids) for one in told) > length:
            if over_length != "cut":
                left.append(Left(row, f"{max(len(one.ids) for one in told):,} tokens, over {length:,}"))
                continue
            told = [one.cut(length) for one in told]
            if not all(one.trained for one in told):
                left.append(Left(row, "its prompt alone fills the length, so no token of the answer is left"))
                continue
        kept.append(TokenRow(row, *told))
    return kept, left
