"""Versions as files: written a row at a time, read back the same way. Provenance goes into a file of its own.

The training files hold nothing but what their readers know: a stray column stops some of them. `provenance` has a line a
row, in the same order, with where it came from.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from django.db import IntegrityError, transaction

from training.datasets.formats import FORMATS, BadRow, Format, Pair, read
from training.examples import digest
from training.models import DatasetRow, DatasetVersion, Example, Way
from trajectories.agents import AGENTS
from trajectories.importers.bounds import Bounds
from trajectories.importers.fault import Malformed
from trajectories.importers.json_stream import JsonStream
from trajectories.spec_text import Fault

CHUNK = 500
PARQUET_ROWS = 2000
MOST_FAULTS = 20
LARGEST_LINE = 4_000_000  # bytes
BOM = b"\xef\xbb\xbf"


def rows(version: DatasetVersion, split: str = "") -> Iterator[DatasetRow]:
    found = DatasetRow.objects.filter(version=version).select_related("example")
    if split:
        found = found.filter(split=split)
    return found.order_by("position").iterator(chunk_size=CHUNK)


def pair_of(example: Example) -> Pair:
    turns = [{"role": str(turn["role"]), "content": str(turn["content"])} for turn in example.messages]
    return Pair(turns, example.answer, example.refused)


def _pairs(version: DatasetVersion, form: Format, split: str) -> Iterator[Pair]:
    for row in rows(version, split):
        pair = pair_of(row.example)
        if not form.pairs_only or pair.refused:
            yield pair


def lines(version: DatasetVersion, form: Format, split: str = "") -> Iterator[str]:
    """The file's text in pieces: JSON lines, or one JSON list where the format is one."""
    pairs = (json.dumps(form.write(pair), ensure_ascii=False) for pair in _pairs(version, form, split))
    if form.suffix == "jsonl":
        yield from (f"{line}\n" for line in pairs)
        return
    yield "["
    for number, line in enumerate(pairs):
        yield f"{',' if number else ''}\n{line}"
    yield "\n]\n"


def parquet(version: DatasetVersion, split: str = "") -> IO[bytes]:
    """A temporary file at its beginning; a row group is all that is in memory."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    turn = pa.struct([("role", pa.string()), ("content", pa.string())])
    schema = pa.schema([("messages", pa.list_(turn))])
    form = FORMATS["parquet"]
    file = tempfile.TemporaryFile(prefix="mcl-parquet-")  # noqa: SIM115 - the response closes it
    with pq.ParquetWriter(file, schema) as writer:
        part: list[dict[str, Any]] = []
        for pair in _pairs(version, form, split):
            part.append(form.write(pair))
            if len(part) == PARQUET_ROWS:
                writer.write_table(pa.Table.from_pylist(part, schema))
                part = []
        writer.write_table(pa.Table.from_pylist(part, schema))
    file.seek(0)
    return file


def provenance(version: DatasetVersion) -> Iterator[str]:
    found = DatasetRow.objects.filter(version=version).select_related("example__problem").order_by("position")
    for row in found.iterator(chunk_size=CHUNK):
        one = row.example
        told = {
            "version": str(version),
            "digest": version.digest,
            "position": row.position,
            "split": row.split,
            "example": one.pk,
            "example_digest": one.digest,
            "way": one.way,
            "author": one.author,
            "licence": one.licence,
            "problem": one.problem.external_id if one.problem else None,
            "run": one.run_id,
            "step": one.step,
            "origin_run": one.origin_run_id,
            "origin_step": one.origin_step,
        }
        yield json.dumps(told, ensure_ascii=False) + "\n"


# -- reading


class Imported:
    """What came of a file: `new` and `known` pairs, and the first faults, each with its row."""

    def __init__(self) -> None:
        self.new = self.known = self.bad = 0
        self.faults: list[Fault] = []

    def fault(self, where: str, message: str) -> None:
        self.bad += 1
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(where, f"{message[:1].upper()}{message[1:]}."))


def import_file(
    path: Path, role: str, *, author: str, licence: str, tell: Callable[[int], None] = lambda n: None
) -> Imported:
    """Every pair of the file as a candidate example of `role`. A bad row is told and skipped; the same pair is one row."""
    if role not in AGENTS:
        raise BadRow(f"there is no role {role!r}; use one of {', '.join(AGENTS)}")
    found = Imported()
    for number, data in enumerate(_data(path, found), 1):
        if data is None:
            continue
        try:
            pair = read(data)
            _require_text(pair)
        except BadRow as error:
            found.fault(f"row {number}", str(error))
            continue
        _store(pair, role, author, licence, found)
        if number % 1000 == 0:
            tell(number)
    return found


def _require_text(pair: Pair) -> None:
    """Raises BadRow for what is no text to a database or a tokenizer, though JSON can write it."""
    for text in (*(turn["content"] for turn in pair.prompt), pair.answer, pair.refused):
        if "\0" in text:
            raise BadRow("a text holds a zero character; take it out")
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise BadRow("a text holds half of a surrogate pair; write the whole character") from None


def _store(pair: Pair, role: str, author: str, licence: str, found: Imported) -> None:
    name = digest(role, pair.prompt, pair.answer)
    try:
        with transaction.atomic():
            Example.objects.create(
                role=role,
                way=Way.IMPORTED,
                messages=pair.prompt,
                answer=pair.answer,
                refused=pair.refused,
                digest=name,
                author=author[:200],
                licence=licence[:300],
            )
    except IntegrityError:
        found.known += 1
        return
    found.new += 1


def _data(path: Path, found: Imported) -> Iterator[Any]:
    """Rows of a JSON list, of JSON lines, or of Parquet, told by the first bytes; None for a line that cannot be read."""
    with path.open("rb") as file:
        begin = file.read(len(BOM) + 64).removeprefix(BOM)
    if begin.startswith(b"PAR1"):
        yield from _parquet_rows(path, found)
    elif begin.lstrip()[:1] == b"[":
        yield from _listed(path, found)
    else:
        yield from _lines(path, found)


def _lines(path: Path, found: Imported) -> Iterator[Any]:
    """A line that is too long is told and passed over; no more than LARGEST_LINE bytes of it are ever held."""
    with path.open("rb") as file:
        if file.read(len(BOM)) != BOM:
            file.seek(0)
        number = 0
        while line := file.readline(LARGEST_LINE + 1):
            number += 1
            if len(line) > LARGEST_LINE:
                size = len(line)
                while not line.endswith(b"\n") and (line := file.readline(LARGEST_LINE)):
                    size += len(line)
                found.fault(
                    f"line {number}", f"the line has {size:,} bytes; at most {LARGEST_LINE:,} are read"
                )
                yield None
            elif line.strip():
                yield _parsed(line, number, found)


def _parsed(line: bytes, number: int, found: Imported) -> Any:
    """None where the line holds no JSON, which is told."""
    try:
        return json.loads(line.decode("utf-8"))
    except UnicodeDecodeError:
        found.fault(f"line {number}", "this is not UTF-8 text; save the file as UTF-8")
    except (ValueError, RecursionError):
        found.fault(f"line {number}", "this is no JSON; each line must hold one object")
    return None


def _listed(path: Path, found: Imported) -> Iterator[Any]:
    with path.open("r", encoding="utf-8-sig") as text:
        try:
            yield from JsonStream(text, Bounds()).elements()
        except Malformed as error:
            found.fault("the list", str(error))
        except UnicodeDecodeError:
            found.fault("the list", "this is not UTF-8 text; save the file as UTF-8")


def _parquet_rows(path: Path, found: Imported) -> Iterator[Any]:
    import pyarrow
    import pyarrow.parquet as pq

    try:
        for batch in pq.ParquetFile(path).iter_batches(batch_size=CHUNK):
            yield from batch.to_pylist()
    except (pyarrow.ArrowException, OSError):
        found.fault("the file", "this Parquet file is damaged or cut off; export it anew")
