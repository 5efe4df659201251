"""From a path to trajectories and faults. The format is told, or found by looking at the content."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from trajectories.importers.bounds import Bounds
from trajectories.importers.fault import Fault, Malformed, Place
from trajectories.importers.row import Row
from trajectories.importers.row_file import RowFile
from trajectories.importers.source import Log, TooManyFaults
from trajectories.importers.tree import DirectoryTree, Tree, ZipTree
from trajectories.text import printable
from trajectories.traces import (
    inspect_log,
    lab_export,
    mapcoder_results,
    mini_swe_agent,
    normalised,
    otel,
    swe_agent,
)
from trajectories.traces.lab_run import LabRun
from trajectories.traces.source import BOUNDS, Found, Source, TraceFormat
from trajectories.traces.trajectory import Trajectory

# The more telling come first.
FORMATS: tuple[TraceFormat, ...] = (
    lab_export.FORMAT,
    otel.FORMAT,
    inspect_log.FORMAT,
    mini_swe_agent.FORMAT,
    swe_agent.FORMAT,
    normalised.FORMAT,
    mapcoder_results.FORMAT,
)
_ROW_FILES = (".jsonl", ".json", ".ndjson", ".traj", ".html", ".htm", ".eval")
_SNIFFED_ROWS = 5
_ZIP = b"PK\x03\x04"
_PAGE = re.compile(rb"\s*(?:<!doctype html|<html)", re.IGNORECASE)
_SECRET = re.compile(
    r"(?:api|access|secret)[_-]?(?:key|token)|authorization|password|^secret$", re.IGNORECASE
)
REMOVED = "[a secret, not imported]"


@dataclass(slots=True)
class TraceReport:
    """`found` is read once, while the file is; `faults`, `formats` and the count are complete after it."""

    file: str
    found: Iterator[tuple[Place, Trajectory | LabRun]] = field(default_factory=lambda: iter(()))
    faults: list[Fault] = field(default_factory=list)
    formats: list[str] = field(default_factory=list)
    read: int = 0


def read_traces(
    path: Path | str, format: str | None = None, *, limit: int | None = None, bounds: Bounds = BOUNDS
) -> TraceReport:
    """Read a file, a directory or an archive. Never raises for what is in it: every complaint is a fault."""
    path = Path(path)
    report = TraceReport(file=path.name)
    log = Log(report.faults, bounds)
    report.found = itertools.islice(_counted(path, format, report, log), limit)
    return report


def _counted(path: Path, wanted: str | None, report: TraceReport, log: Log) -> Iterator[Found]:
    place = Place(report.file)
    with log.whole(place):
        for where, found in _found(path, place, _named(wanted), report, log):
            report.read += 1
            yield where, _without_secrets(found)


def _found(
    path: Path, place: Place, chosen: TraceFormat | None, report: TraceReport, log: Log
) -> Iterator[Found]:
    if path.is_dir():
        yield from _directory(path, place, chosen, report, log)
        return
    with path.open("rb") as stream:
        head = stream.read(512)
    if head.startswith(_ZIP):
        yield from _archive(path, place, chosen, report, log)
        return
    if _PAGE.match(head):
        with path.open("rb") as stream:
            page = stream.read(log.bounds.row + 1)
        rows = [(place, row) for row in lab_export.html_rows(page, log.bounds.row)]
        yield from _rows(path.name, place, lab_export.FORMAT, rows, report, log)
        return
    file = RowFile(lambda: path.open("rb"), place, log.bounds)
    known = chosen or _detect(file, log)
    yield from _rows(path.name, place, known, file.rows(log.complain), report, log)


def _rows(
    name: str,
    place: Place,
    known: TraceFormat,
    rows: Iterable[tuple[Place, Row]],
    report: TraceReport,
    log: Log,
) -> Iterator[Found]:
    _note(report, known)
    yield from known.read(Source(log, place, name=name, rows=rows))


def _directory(
    path: Path, place: Place, chosen: TraceFormat | None, report: TraceReport, log: Log
) -> Iterator[Found]:
    """Every file below that may hold trajectories; a file that none of the formats fits is a fault of its own."""
    names = [
        name
        for name in DirectoryTree(path, log.bounds).names()
        if name.removesuffix(".gz").endswith(_ROW_FILES)
    ]
    if not names:
        raise Malformed("", "holds no file of trajectories", f"give files named {', '.join(_ROW_FILES)}")
    for name in names:
        inside = place.inside(name)
        try:
            yield from _found(path / name, inside, chosen, report, log)
        except Malformed as malformed:
            log.complain(inside, malformed)


def _archive(
    path: Path, place: Place, chosen: TraceFormat | None, report: TraceReport, log: Log
) -> Iterator[Found]:
    tree = ZipTree(path, log.bounds)
    with closing(tree):
        names = tree.names()
        known = next(
            (one for one in ([chosen] if chosen else FORMATS) if one.of_tree and one.of_tree(names)), None
        )
        if known is not None:
            _note(report, known)
            yield from known.read(Source(log, place, name=path.name, tree=tree))
            return
        files = [name for name in names if name.removesuffix(".gz").endswith(_ROW_FILES[:4])]
        if not files:
            raise _unknown("holds no file that any format is known by", chosen)
        for name in files:
            inside = place.inside(name)
            file = RowFile(_opener(tree, name), inside, log.bounds)
            try:
                one = chosen or _detect(file, log)
                yield from _rows(name.rpartition("/")[2], inside, one, file.rows(log.complain), report, log)
            except Malformed as malformed:
                log.complain(inside, malformed)


def _opener(tree: Tree, name: str) -> Callable[[], BinaryIO]:
    return lambda: tree.open(name)


def _detect(file: RowFile, log: Log) -> TraceFormat:
    """By the first rows that are rows at all; raises Malformed with the fields found when no format fits."""
    spare = Log([], log.bounds)
    looked: list[Row] = []
    try:
        for _, row in itertools.islice(file.rows(spare.complain), _SNIFFED_ROWS):
            looked.append(row)
            for known in FORMATS:
                if known.of_row and known.of_row(row):
                    return known
    except TooManyFaults:
        pass  # none of the rows is a row
    if looked:
        fields = ", ".join(sorted(looked[0].fields())[:20]) or "no field"
        raise _unknown(f"no format is known by its first row, which has {fields}", None)
    if spare.faults:
        first = spare.faults[0]
        raise Malformed(first.field, f"line {first.line}: {first.problem}", first.mend)
    raise Malformed("", "is empty", "give a file that holds trajectories")


def _named(name: str | None) -> TraceFormat | None:
    if name is None:
        return None
    for known in FORMATS:
        if known.name == name:
            return known
    names = ", ".join(known.name for known in FORMATS)
    raise Malformed("", f"no format is called {name!r}", f"give one of {names}, or none to have it found")


def _unknown(problem: str, chosen: TraceFormat | None) -> Malformed:
    known = [chosen] if chosen else FORMATS
    return Malformed("", problem, "give one of: " + "; ".join(f"{one.name} ({one.telling})" for one in known))


def _note(report: TraceReport, known: TraceFormat) -> None:
    if known.name not in report.formats:
        report.formats.append(known.name)


def _without_secrets(found: Trajectory | LabRun) -> Trajectory | LabRun:
    """Configurations that agents store beside their steps hold keys; those never reach the database."""
    if isinstance(found, LabRun):
        return found
    return found.model_copy(
        update={
            "extra": _cleaned(found.extra),
            "provenance": _cleaned(found.provenance),
            "steps": tuple(step.model_copy(update={"extra": _cleaned(step.extra)}) for step in found.steps),
        }
    )


def _cleaned(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {printable(str(key)): _cleaned(item, str(key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_cleaned(item, name) for item in value]
    if isinstance(value, str) and value and _SECRET.search(name):
        return REMOVED
    return value
