"""What a module in `starter/problems` must define, read once and checked before anything is built from it.

TITLE, STATEMENT, INPUT_SPEC, OUTPUT_SPEC, NOTES   text; function problems leave the two specs empty
DIFFICULTY, TAGS, KIND                             see `Difficulty`, `TAG_VOCABULARY`, `TestKind`
TIME_LIMIT_S, MEMORY_LIMIT_MB                      CPU seconds and megabytes a test
ENTRY_POINT, STARTER_CODE                          function problems only
CHECKER                                            optional; the default compares tokens
SAMPLES, generate(rng)                             inputs: text for stdio, a list of arguments otherwise
assert_code(args, expected)                        optional, assert problems: the statements of one test
REFERENCE, WRONG                                   a right program; plausible wrong ones by name
WALKTHROUGH                                        hand-written answers of every agent
"""

from __future__ import annotations

import importlib
import pkgutil
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

import starter.problems
from starter.prose import unwrapped
from starter.walkthrough import Walkthrough
from trajectories.problem_schema import Difficulty, TestKind

TAG_VOCABULARY = frozenset(
    {
        "binary search",
        "bit manipulation",
        "combinatorics",
        "data structures",
        "dp",
        "geometry",
        "graphs",
        "greedy",
        "hashing",
        "intervals",
        "math",
        "matrices",
        "meet in the middle",
        "number theory",
        "recursion",
        "shortest paths",
        "simulation",
        "sorting",
        "strings",
        "trees",
        "two pointers",
    }
)

Input = str | list[Any]


class BadSource(ValueError):
    """A problem module that cannot be built; the message names module, constant and mend."""


@dataclass(frozen=True, slots=True)
class ProblemSource:
    """One problem as its author wrote it: nothing computed yet."""

    slug: str
    title: str
    statement: str
    input_spec: str
    output_spec: str
    notes: str
    difficulty: Difficulty
    tags: tuple[str, ...]
    kind: TestKind
    time_limit_s: float
    memory_limit_mb: float
    entry_point: str | None
    starter_code: str
    checker: dict[str, Any]
    samples: tuple[Input, ...]
    hidden: tuple[Input, ...]
    assert_code: Callable[[list[Any], Any], str] | None
    reference: str
    wrong: dict[str, str]
    walkthrough: Walkthrough

    @property
    def id(self) -> str:
        return f"starter/{self.slug}"


def slugs() -> list[str]:
    """Every problem there is, in the alphabetical order of the built file."""
    return sorted(info.name.replace("_", "-") for info in pkgutil.iter_modules(starter.problems.__path__))


@cache
def load(slug: str) -> ProblemSource:
    """Read and check one module. Hidden inputs depend on the slug alone, so every build gives the same."""
    name = f"starter.problems.{slug.replace('-', '_')}"
    module = importlib.import_module(name)
    samples = _constant(module, "SAMPLES", list)
    hidden = module.generate(random.Random(f"starter/{slug}"))
    source = ProblemSource(
        slug=slug,
        title=_constant(module, "TITLE", str),
        statement=_text(module, "STATEMENT"),
        input_spec=_text(module, "INPUT_SPEC"),
        output_spec=_text(module, "OUTPUT_SPEC"),
        notes=_text(module, "NOTES"),
        difficulty=Difficulty(_constant(module, "DIFFICULTY", str)),
        tags=tuple(_constant(module, "TAGS", list)),
        kind=TestKind(_constant(module, "KIND", str)),
        time_limit_s=_constant(module, "TIME_LIMIT_S", float),
        memory_limit_mb=_constant(module, "MEMORY_LIMIT_MB", float),
        entry_point=getattr(module, "ENTRY_POINT", None),
        starter_code=module.STARTER_CODE.strip() + "\n" if hasattr(module, "STARTER_CODE") else "",
        checker=getattr(module, "CHECKER", {"type": "default"}),
        samples=tuple(samples),
        hidden=tuple(hidden),
        assert_code=getattr(module, "assert_code", None),
        reference=_constant(module, "REFERENCE", str).strip() + "\n",
        wrong={key: text.strip() + "\n" for key, text in _constant(module, "WRONG", dict).items()},
        walkthrough=_constant(module, "WALKTHROUGH", Walkthrough),
    )
    _check(source)
    return source


def _constant(module: ModuleType, name: str, kind: type[Any]) -> Any:
    value = getattr(module, name, None)
    if not isinstance(value, kind):
        raise BadSource(f"{module.__name__}: {name} is {type(value).__name__}; define it as {kind.__name__}")
    return value


def _text(module: ModuleType, name: str) -> str:
    text: str = _constant(module, name, str)
    return unwrapped(text)


def _check(source: ProblemSource) -> None:
    where = f"starter problem {source.slug}"
    if unknown := set(source.tags) - TAG_VOCABULARY:
        raise BadSource(f"{where}: TAGS {sorted(unknown)} are not in TAG_VOCABULARY of starter/source.py")
    if (source.kind is TestKind.STDIO) == bool(source.entry_point):
        raise BadSource(f"{where}: ENTRY_POINT belongs to function problems and only to them")
    shape = str if source.kind is TestKind.STDIO else list
    wrong_shape = [i for i, one in enumerate((*source.samples, *source.hidden)) if not isinstance(one, shape)]
    if wrong_shape:
        raise BadSource(f"{where}: inputs {wrong_shape[:5]} are not {shape.__name__}, which KIND asks for")
    seen: list[Input] = []
    for index, one in enumerate((*source.samples, *source.hidden)):
        if one in seen:
            raise BadSource(
                f"{where}: input {index} repeats an earlier one; samples must not be hidden tests"
            )
        seen.append(one)
