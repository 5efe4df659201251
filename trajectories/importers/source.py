"""What an importer reads from, and where it leaves its faults."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from pydantic import ValidationError

from trajectories.importers.bounds import Bounds
from trajectories.importers.fault import Fault, Malformed, Place
from trajectories.importers.row import Row
from trajectories.importers.row_file import RowFile
from trajectories.importers.tree import Tree
from trajectories.importers.vetting import complaints, vet
from trajectories.problem_schema import ProblemSpec

_T = TypeVar("_T")
Found = tuple[Place, ProblemSpec]


class TooManyFaults(Exception):
    """Ends an import of a file that is mostly not what it was taken for."""


@dataclass(slots=True)
class Log:
    """The faults of one import. The list is the report's own: it grows while problems are read."""

    faults: list[Fault]
    bounds: Bounds

    def complain(self, place: Place, malformed: Malformed) -> None:
        self.faults.append(place.fault(malformed))
        if len(self.faults) >= self.bounds.faults:
            raise TooManyFaults

    @contextmanager
    def whole(self, place: Place) -> Iterator[None]:
        """Whatever ends the reading of the file at `place` becomes its last fault."""
        try:
            yield
        except Malformed as malformed:
            self.faults.append(place.fault(malformed))
        except OSError as error:
            why = error.strerror or str(error)
            cannot = Malformed("", f"cannot be read: {why}", "check the path and its permissions")
            self.faults.append(place.fault(cannot))
        except TooManyFaults:
            stopped = f"reading stopped after {len(self.faults)} faults"
            self.faults.append(place.fault(Malformed("", stopped, "check that the format is the right one")))


@dataclass(frozen=True, slots=True)
class Source:
    """Either a file of rows or a tree of files; `sibling` finds a file that lies beside the rows."""

    log: Log
    place: Place
    file: RowFile | None = None
    tree: Tree | None = None
    sibling: Callable[[str], RowFile | None] = lambda _: None

    @property
    def bounds(self) -> Bounds:
        return self.log.bounds

    def rows(self) -> Iterator[tuple[Place, Row]]:
        if self.file is None:
            raise Malformed("", "is no file of rows", "give a JSON Lines or JSON file")
        return self.file.rows(self.log.complain)

    def files(self) -> Tree:
        if self.tree is None:
            raise Malformed("", "is a single file", "give a directory or a zip archive")
        return self.tree

    def attempt(self, place: Place, make: Callable[..., _T], *args: object) -> _T | None:
        """What `make(*args)` gives, or None when it complained."""
        try:
            return make(*args)
        except Malformed as malformed:
            self.log.complain(place, malformed)
        except ValidationError as error:
            for complaint in complaints(error):
                self.log.complain(place, complaint)
        return None

    def problem(self, place: Place, make: Callable[..., ProblemSpec], *args: object) -> Iterator[Found]:
        """The problem that `make(*args)` gives, if it is one."""
        spec = self.attempt(place, lambda: vet(make(*args), self.bounds))
        if spec is not None:
            yield place, spec


def row_by_row(convert: Callable[[Row], ProblemSpec]) -> Callable[[Source], Iterator[Found]]:
    """A reader of files in which every row is a whole problem."""

    def read(source: Source) -> Iterator[Found]:
        for place, row in source.rows():
            yield from source.problem(place, convert, row)

    return read


@dataclass(frozen=True, slots=True)
class Format:
    """A published file format.

    `telling` says by which fields or files it is known: the text of the message when nothing fits. `of_row` and
    `of_tree` answer for the first rows of a file, and for the names in a directory or archive.
    """

    name: str
    about: str
    telling: str
    read: Callable[[Source], Iterator[Found]]
    of_row: Callable[[Row], bool] | None = None
    of_tree: Callable[[list[str]], bool] | None = None
    sidecars: frozenset[str] = frozenset()
