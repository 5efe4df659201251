"""What is wrong with an imported file: where, what, and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Fault:
    """One complaint, JSON-safe. `line` counts from 1; `member` is a file inside a directory or an archive."""

    file: str
    field: str
    problem: str
    mend: str
    line: int | None = None
    member: str | None = None

    def __str__(self) -> str:
        where = [self.file]
        if self.member:
            where.append(self.member)
        if self.line is not None:
            where.append(f"line {self.line}")
        if self.field:
            where.append(self.field)
        return f"{', '.join(where)}: {self.problem}; {self.mend}"


class Malformed(Exception):
    """Raised while one problem is read; the reader makes it a `Fault` and goes on with the next problem."""

    def __init__(self, field: str, problem: str, mend: str, *, member: str | None = None) -> None:
        super().__init__(f"{field}: {problem}; {mend}" if field else f"{problem}; {mend}")
        self.field = field
        self.problem = problem
        self.mend = mend
        self.member = member


@dataclass(frozen=True, slots=True)
class Place:
    """Where a problem stands."""

    file: str
    line: int | None = None
    member: str | None = None

    def inside(self, member: str) -> Place:
        return replace(self, member=member, line=None)

    def fault(self, malformed: Malformed) -> Fault:
        return Fault(
            file=self.file,
            field=malformed.field,
            problem=malformed.problem,
            mend=malformed.mend,
            line=self.line,
            member=malformed.member or self.member,
        )
