"""The rows of a dataset version as training sees them: messages and answers, and their lengths in tokens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from training.encoding import CannotEncode, encoder
from training.models import DatasetRow, DatasetVersion
from training.rows_file import Row


class UnknownVersion(LookupError):
    """No such dataset version; the message says which there are."""


def find(name: str) -> DatasetVersion:
    """`planning@v8` as a row. Raises UnknownVersion."""
    role, _, number = name.partition("@v")
    version = DatasetVersion.objects.filter(role=role, number=int(number or 0)).first()
    if version is None:
        have = ", ".join(map(str, DatasetVersion.objects.filter(role=role)[:5])) or "none yet"
        raise UnknownVersion(f"There is no dataset version {name}; of {role} there are: {have}.")
    return version


def read(version: DatasetVersion) -> Iterator[Row]:
    found = DatasetRow.objects.filter(version=version).select_related("example", "example__problem")
    for row in found.order_by("position").iterator(chunk_size=500):
        example = row.example
        yield Row(
            row.position,
            row.split,
            [{"role": turn["role"], "content": turn["content"]} for turn in example.messages],
            example.answer,
            example.refused,
            example.problem.title if example.problem else "",
        )


@dataclass(frozen=True, slots=True)
class Length:
    """Tokens of a row: `answer` those that carry loss, `refused` those of the whole refused pair; `fault` if it has none."""

    position: int
    split: str
    title: str
    tokens: int = 0
    answer: int = 0
    refused: int = 0
    fault: str = ""


def lengths(version: DatasetVersion, base: Path, fingerprint: str) -> tuple[Length, ...]:
    return _lengths(version.pk, version.digest, base, fingerprint)


@lru_cache(maxsize=16)
def _lengths(version: int, _digest: str, base: Path, _fingerprint: str) -> tuple[Length, ...]:
    """Versions and bases do not change, so their lengths are counted once a process."""
    tokens = encoder(base)
    told = []
    for row in read(DatasetVersion.objects.get(pk=version)):
        try:
            whole = tokens.encode(row.messages, row.answer)
            refused = len(tokens.encode(row.messages, row.refused).ids) if row.refused else 0
        except CannotEncode as error:
            told.append(Length(row.position, row.split, row.title, fault=str(error)))
            continue
        told.append(Length(row.position, row.split, row.title, len(whole.ids), whole.trained, refused))
    return tuple(told)
