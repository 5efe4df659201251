"""What is judged: a program, the tests it must pass and the limits it must keep.

Expected outputs live in these objects and in the judge's own process only; they are never sent into a sandbox
that runs the program.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from .checkers import Checker, DefaultChecker

JSON: TypeAlias = bool | int | float | str | list["JSON"] | dict[str, "JSON"] | None
TaskKind = Literal["stdio", "call", "assert"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one test. Times are CPU seconds unless the name says otherwise; sizes count in 1024s.

    `idle_s` bounds wall time in which the program neither ran nor waited for a processor, so a loaded machine
    never uses it up. `scratch_mb` above zero gives the run a private writable directory of that size as its
    working directory; at zero nothing can be written.
    """

    cpu_s: float = 2.0
    memory_mb: int = 256
    output_kb: int = 16384
    idle_s: float = 3.0
    compile_s: float = 30.0
    compile_memory_mb: int = 2048
    scratch_mb: int = 0

    def __post_init__(self) -> None:
        for name in ("cpu_s", "idle_s", "compile_s"):
            value = getattr(self, name)
            if not (math.isfinite(value) and 0 < value <= 3600):
                raise ValueError(f"Limits.{name} is {value!r}: give seconds above 0 and at most 3600")
        for name, low, high in (
            ("memory_mb", 16, 1 << 20),
            ("output_kb", 1, 1 << 22),
            ("compile_memory_mb", 64, 1 << 20),
            ("scratch_mb", 0, 1 << 16),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"Limits.{name} is {value!r}: give a whole number from {low} to {high}")


@dataclass(frozen=True, slots=True)
class Program:
    """`language` is a key of `languages.LANGUAGES` (python, cpp, ...); use `language_from_name` for free
    names."""

    source: str
    language: str = "python"


@dataclass(frozen=True, slots=True)
class StdioTest:
    """`outputs`: any one of them is right."""

    input: str
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CallTest:
    """A call of the task's entry point.

    With `args` the JSON values are passed and the result is compared with `expected` as a JSON value, or,
    where `outputs` are given, as text. Without `args`, `raw_input` holds one argument a line. A program that
    reads stdin is fed `raw_input` and its output compared with `outputs` instead: published sets accept both
    kinds of answer.
    """

    args: tuple[JSON, ...] | None = None
    expected: JSON = None
    raw_input: str | None = None
    outputs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.args is None and self.raw_input is None:
            raise ValueError("a CallTest needs `args` (JSON values) or `raw_input` (one argument a line)")


@dataclass(frozen=True, slots=True)
class AssertTest:
    """Python statements that raise when the program is wrong.

    They run in a process of their own, apart from the program. When they define `check` and do not call it,
    it is called with the task's entry point.
    """

    code: str


Test: TypeAlias = StdioTest | CallTest | AssertTest
_TEST_TYPES: dict[str, type[StdioTest | CallTest | AssertTest]] = {
    "stdio": StdioTest,
    "call": CallTest,
    "assert": AssertTest,
}


@dataclass(frozen=True, slots=True)
class Task:
    """`preamble` is code put before the program, such as `from typing import *`."""

    tests: tuple[Test, ...]
    kind: TaskKind = "stdio"
    checker: Checker = field(default_factory=DefaultChecker)
    entry_point: str | None = None
    preamble: str = ""
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        wanted = _TEST_TYPES.get(self.kind)
        if wanted is None:
            raise ValueError(f"Task.kind is {self.kind!r}: give one of {', '.join(_TEST_TYPES)}")
        for index, test in enumerate(self.tests):
            if not isinstance(test, wanted):
                raise ValueError(
                    f"test {index} is a {type(test).__name__}; a task of kind {self.kind!r} needs {wanted.__name__}"
                )
        if self.kind == "call" and not self.entry_point:
            raise ValueError("a task of kind 'call' needs `entry_point`, the function's name")
