"""What a reader of trajectories reads from, and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from trajectories.importers.bounds import MB, Bounds
from trajectories.importers.fault import Malformed, Place
from trajectories.importers.row import Row
from trajectories.importers.source import Log
from trajectories.importers.tree import Tree
from trajectories.traces.lab_run import LabRun
from trajectories.traces.trajectory import Trajectory

Found = tuple[Place, Trajectory | LabRun]
BOUNDS = Bounds(file=8 << 30, row=256 * MB, text=64 * MB, problem=512 * MB, members=200_000)


@dataclass(frozen=True, slots=True)
class Source:
    """Rows of one file, or the members of an archive. `name` is the file's own name, without its folder."""

    log: Log
    place: Place
    name: str = ""
    rows: Iterable[tuple[Place, Row]] = field(default=())
    tree: Tree | None = None

    def attempt(
        self, place: Place, make: Callable[..., Trajectory | LabRun], *args: object
    ) -> Iterator[Found]:
        """What `make(*args)` gives, or nothing and a fault."""
        try:
            made = make(*args)
        except Malformed as malformed:
            self.log.complain(place, malformed)
        except ValidationError as error:
            for complaint in error.errors():
                where = ".".join(str(part) for part in complaint["loc"])
                self.log.complain(place, Malformed(where, complaint["msg"], "correct it in the file"))
        else:
            yield place, made


@dataclass(frozen=True, slots=True)
class TraceFormat:
    """A published file format. `telling` says by what it is known; `of_row` looks at a file's first rows, `of_tree` at
    the names in an archive."""

    name: str
    title: str
    telling: str
    read: Callable[[Source], Iterator[Found]]
    of_row: Callable[[Row], bool] | None = None
    of_tree: Callable[[list[str]], bool] | None = None


def row_by_row(convert: Callable[[Row], Trajectory]) -> Callable[[Source], Iterator[Found]]:
    """A reader of files in which every row is a whole trajectory."""

    def read(source: Source) -> Iterator[Found]:
        for place, row in source.rows:
            yield from source.attempt(place, convert, row)

    return read


def leftover(row: Row, known: Iterable[str]) -> dict[str, Any]:
    """Every field that is not among the known ones, null included: nothing of the row is lost."""
    taken = set(known)
    return {name: row.value(name) for name in row.fields() if name not in taken}


def section(row: Row, name: str) -> Row:
    """An object of the row; an absent one is empty."""
    value = row.value(name)
    return Row.of({} if value is None else value, row.at(name))


def count(row: Row, name: str) -> int | None:
    """A whole number of a field, or None where it is absent."""
    value = row.number(name)
    if value is None:
        return None
    if value != int(value) or value < 0:
        raise row.malformed(name, f"is {value:g}", "give a whole number of at least 0, or leave it out")
    return int(value)


def truth(row: Row, name: str) -> bool | None:
    value = row.value(name)
    if value is not None and not isinstance(value, bool):
        raise row.malformed(name, "is not true or false", "write true or false, or leave it out")
    return value
