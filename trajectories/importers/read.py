"""From a path to problems and faults. The format is told, or found by looking at the content."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from trajectories.importers.bounds import Bounds
from trajectories.importers.fault import Fault, Malformed, Place
from trajectories.importers.formats import FORMATS
from trajectories.importers.row import Row
from trajectories.importers.row_file import RowFile
from trajectories.importers.source import Format, Found, Log, Source, TooManyFaults
from trajectories.importers.tree import DirectoryTree, Tree, ZipTree
from trajectories.problem_schema import ProblemSpec

_ROW_FILES = (".jsonl", ".jsonl.gz", ".json", ".json.gz", ".ndjson", ".ndjson.gz")
_SNIFFED_ROWS = 5
_ZIP = b"PK\x03\x04"


@dataclass(slots=True)
class ImportReport:
    """`problems` is read once, while the file is; `faults`, `formats` and the counts are complete after it.

    `repeats` counts problems that the file holds again, word for word; they are not given twice.
    """

    file: str
    problems: Iterator[ProblemSpec] = field(default_factory=lambda: iter(()))
    faults: list[Fault] = field(default_factory=list)
    formats: list[str] = field(default_factory=list)
    read: int = 0
    repeats: int = 0

    def note(self, known: Format) -> None:
        if known.name not in self.formats:
            self.formats.append(known.name)


def read_problems(
    path: Path | str,
    format: str | None = None,
    *,
    limit: int | None = None,
    bounds: Bounds | None = None,
    shown_as: str | None = None,
) -> ImportReport:
    """Read a file, directory or zip archive. Never raises for what is in it: every complaint is a fault.

    `shown_as` is the name in faults, for uploads that lie in a temporary file.
    """
    path = Path(path)
    report = ImportReport(file=shown_as or path.name)
    log = Log(report.faults, bounds or Bounds())
    report.problems = itertools.islice(_problems(path, format, report, log), limit)
    return report


def _problems(path: Path, wanted: str | None, report: ImportReport, log: Log) -> Iterator[ProblemSpec]:
    place = Place(report.file)
    seen: dict[str, str] = {}
    with log.whole(place):
        for where, spec in _found(path, place, wanted, report, log):
            digest = spec.digest()
            known = seen.setdefault(spec.id, digest)
            if known is not digest:
                if known != digest:
                    log.complain(where, _other_with_same_id(spec.id))
                else:
                    report.repeats += 1
                continue
            report.read += 1
            yield spec


def _other_with_same_id(name: str) -> Malformed:
    return Malformed(
        "id", f"{name!r} stands for another problem further up", "give each problem an id of its own"
    )


def _found(path: Path, place: Place, wanted: str | None, report: ImportReport, log: Log) -> Iterator[Found]:
    chosen = _named(wanted) if wanted else None
    if "\0" in str(path):
        raise Malformed("", "cannot be read: its name holds a zero byte", "check the path")
    if path.is_dir():
        yield from _in_tree(DirectoryTree(path, log.bounds), place, chosen, report, log)
        return
    with path.open("rb") as stream:
        is_zip = stream.read(4) == _ZIP
    if is_zip:
        yield from _in_tree(ZipTree(path, log.bounds), place, chosen, report, log)
        return
    beside = DirectoryTree(path.parent, log.bounds)
    yield from _in_file(_row_source(beside, path.name, place, place, log), chosen, report)


def _in_tree(
    tree: Tree, place: Place, chosen: Format | None, report: ImportReport, log: Log
) -> Iterator[Found]:
    """A tree that is problems as a whole, or else each of its row files."""
    with closing(tree):
        names = tree.names()
        candidates = [chosen] if chosen else FORMATS
        for known in candidates:
            if known.of_tree and known.of_tree(names):
                report.note(known)
                yield from known.read(Source(log, place, tree=tree))
                return
        skipped = {name for known in candidates for name in known.sidecars}
        files = [name for name in names if name.endswith(_ROW_FILES) and _base(name) not in skipped]
        if not files or (chosen and not chosen.of_row):
            raise _unknown("holds no file that any format is known by", chosen)
        for name in files:
            source = _row_source(tree, name, place, place.inside(name), log)
            try:
                yield from _in_file(source, chosen, report)
            except Malformed as malformed:
                log.complain(source.place, malformed)


def _row_source(tree: Tree, name: str, whole: Place, place: Place, log: Log) -> Source:
    def sibling(wanted: str) -> RowFile | None:
        other = f"{name.rpartition('/')[0]}/{wanted}".lstrip("/")
        if not tree.has(other):
            return None
        return RowFile(lambda: tree.open(other), whole.inside(other), log.bounds)

    return Source(log, place, file=RowFile(lambda: tree.open(name), place, log.bounds), sibling=sibling)


def _in_file(source: Source, chosen: Format | None, report: ImportReport) -> Iterator[Found]:
    known = chosen or _detect(source)
    if not known.of_row:
        raise _unknown("is a single file", chosen)
    report.note(known)
    yield from known.read(source)


def _detect(source: Source) -> Format:
    """By the first rows that are rows at all; raises `Malformed` with the fields found when no format fits."""
    spare = Log([], source.bounds)
    looked: list[Row] = []
    try:
        for _, row in itertools.islice(replace(source, log=spare).rows(), _SNIFFED_ROWS):
            looked.append(row)
            for known in FORMATS:
                if known.of_row and known.of_row(row):
                    return known
    except TooManyFaults:
        pass
    if looked:
        fields = ", ".join(sorted(looked[0].fields())[:20]) or "no field"
        raise _unknown(f"no format is known by its first row, which has {fields}", None)
    if spare.faults:
        first = spare.faults[0]
        raise Malformed(first.field, f"line {first.line}: {first.problem}", first.mend)
    raise Malformed("", "is empty", "give a file that holds problems")


def _named(name: str) -> Format:
    for known in FORMATS:
        if known.name == name:
            return known
    names = ", ".join(known.name for known in FORMATS)
    raise Malformed("", f"no format is called {name!r}", f"give one of {names}, or none to have it found")


def _unknown(problem: str, chosen: Format | None) -> Malformed:
    known = [chosen] if chosen else FORMATS
    return Malformed("", problem, "give one of: " + "; ".join(f"{one.name} ({one.telling})" for one in known))


def _base(name: str) -> str:
    return name.rpartition("/")[2]
