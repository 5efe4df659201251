"""One hostile (or honest but delicate) program and what must become of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ..checkers import DefaultChecker
from ..task import AssertTest, Limits, Program, StdioTest, Task
from ..verdict import Verdict

INPUT, EXPECTED = "3\n1\n2\n3\n", "6\n"
ASSERTS = ("assert f(1, 2) == 3", "assert f(2, 2) == 4", "assert abs(f(-5, 2) + 3) < 1e-9")
# The right answer to INPUT, to be put after an attack: being right must not help.
RIGHT = "\nprint(sum(int(input()) for _ in range(int(input()))))\n"

# Replaced in sources by what the machine at hand has: a readable file with a secret, a path outside to write to, the
# number of the judge's own process.
SECRET_FILE, ESCAPE_FILE, OWNER = "@SECRET_FILE@", "@ESCAPE_FILE@", "@OWNER@"

# What the suite's first runs leave in their own memory, their input and their output.
EARLIER = "left by an earlier program"

_BRISK = Limits(cpu_s=0.5, idle_s=0.5, memory_mb=128, output_kb=1024, compile_s=8.0, compile_memory_mb=768)


@dataclass(frozen=True, slots=True)
class Attack:
    """`verdicts`: any of them is right. `must_print` has to be in its output. `function`: judged by asserts.
    `repeat`: the same test so many times; from two on a program runs in forks of a template."""

    name: str
    source: str
    verdicts: frozenset[Verdict]
    language: str = "python"
    limits: Limits = _BRISK
    function: bool = False
    needs_namespaces: bool = False
    repeat: int = 1
    must_print: str = ""
    stdin: str = INPUT
    outputs: tuple[str, ...] = field(default=(EXPECTED,))

    def program(self, replacements: dict[str, str]) -> Program:
        source = self.source
        for mark, text in replacements.items():
            source = source.replace(mark, text)
        return Program(source, self.language)

    def task(self) -> Task:
        if self.function:
            return Task(
                tuple(AssertTest(code) for code in ASSERTS), "assert", entry_point="f", limits=self.limits
            )
        return Task(
            (StdioTest(self.stdin, self.outputs),) * self.repeat,
            "stdio",
            DefaultChecker(),
            limits=self.limits,
        )


def verdicts(names: str) -> frozenset[Verdict]:
    return frozenset(Verdict(name) for name in names.split())


def brisk(**changes: float | int) -> Limits:
    return replace(_BRISK, **changes)  # type: ignore[arg-type]


def attack(name: str, right: str, source: str, **more: object) -> Attack:
    """`right`: the verdicts, in letters."""
    return Attack(name, source, verdicts(right), **more)  # type: ignore[arg-type]
