"""A version as tokens of a base model: exact pieces with the loss mask, lengths, and what a cut-off would cut.

The tokenizer and the chat template are those of the base, through the code that the trainer uses. Counting a large
version takes minutes, so at most `COUNTED` rows are, spread evenly; the page says how many.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from solver import engine_book
from solver.engines.spec import EngineSpec
from training.encoding import CannotEncode, encoder
from training.models import DatasetRow, DatasetVersion

COUNTED = 1000
SHOWN = 5
BINS = 12
SHOWN_TOKENS = 600


@dataclass(frozen=True, slots=True)
class Bin:
    low: int
    high: int
    count: int


@dataclass(frozen=True, slots=True)
class Tokens:
    """`over` of `counted` rows are longer than `length`; `answers` of those lose a part of their answer."""

    length: int
    counted: int
    rows: int
    over: int
    answers: int
    mean: float
    longest: int
    bins: list[Bin]
    shown: list[dict[str, Any]]  # row, pieces as (text, trained, special), tokens, trained, over


def bases() -> list[EngineSpec]:
    """Engines whose base lies on this machine."""
    return [spec for spec in engine_book.all_engines() if spec.base and Path(spec.base).is_dir()]


def folder_of(name: str) -> Path:
    """Raises LookupError."""
    found = next((spec for spec in bases() if spec.name == name), None)
    if found is None or found.base is None:
        raise LookupError(f"There is no engine {name!r} with its base model on this machine.")
    return Path(found.base)


def count(version: DatasetVersion, base: Path, length: int) -> Tokens:
    """Raises CannotEncode where no row of the version can be encoded under this base's template."""
    rows = DatasetRow.objects.filter(version=version).select_related("example__problem").order_by("position")
    step = max(1, version.row_count // COUNTED)
    positions = range(0, version.row_count, step)[:COUNTED]
    lengths, over, answers = [], 0, 0
    shown: list[dict[str, Any]] = []
    tokens = encoder(base)
    fault: CannotEncode | None = None
    for row in rows.filter(position__in=list(positions)):
        try:
            encoded = tokens.encode(row.example.messages, row.example.answer)
        except CannotEncode as error:
            fault = error
            continue
        size = len(encoded.ids)
        lengths.append(size)
        over += size > length
        answers += size > length and encoded.trained > 0
        if len(shown) < SHOWN:
            pieces = [(one.text, one.trained, one.special) for one in tokens.pieces(encoded, SHOWN_TOKENS)]
            about = {"tokens": size, "trained": encoded.trained, "over": size > length}
            shown.append({"row": row, "pieces": pieces, **about})
    if not lengths:
        raise fault or CannotEncode("the version has no rows")
    mean = sum(lengths) / len(lengths)
    return Tokens(
        length, len(lengths), version.row_count, over, answers, mean, max(lengths), _bins(lengths), shown
    )


def _bins(lengths: list[int]) -> list[Bin]:
    width = max(1, -(-(max(lengths) + 1) // BINS))
    counts = [0] * BINS
    for length in lengths:
        counts[length // width] += 1
    last = max(at for at, n in enumerate(counts) if n)
    return [Bin(at * width, (at + 1) * width - 1, n) for at, n in enumerate(counts[: last + 1])]
