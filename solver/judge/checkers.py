"""Who decides whether an output is right. A checker is data: built from a problem's JSON, compared by value.

Text checkers decide in the judge's own process. `ProgramChecker` and `InteractiveChecker` run a program of
the problem's author, in a sandbox too.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from . import compare
from .compare import Comparison, KattisFlags
from .languages import LANGUAGES


@dataclass(frozen=True, slots=True)
class DefaultChecker:
    """White-space tokens, exact; any expected output."""

    def compare(self, got: bytes, want: bytes) -> Comparison:
        return compare.equal_tokens(got, want)


@dataclass(frozen=True, slots=True)
class FoldedChecker:
    """White-space tokens in any letter case."""

    def compare(self, got: bytes, want: bytes) -> Comparison:
        return compare.equal_tokens_folded(got, want)


@dataclass(frozen=True, slots=True)
class ExactChecker:
    def compare(self, got: bytes, want: bytes) -> Comparison:
        return compare.equal_exact(got, want)


@dataclass(frozen=True, slots=True)
class ExecEvalChecker:
    def compare(self, got: bytes, want: bytes) -> Comparison:
        return compare.equal_execeval(got, want)


@dataclass(frozen=True, slots=True)
class LiveCodeBenchChecker:
    def compare(self, got: bytes, want: bytes) -> Comparison:
        return compare.equal_livecodebench(got, want)


@dataclass(frozen=True, slots=True)
class FloatChecker:
    absolute: float = 1e-6
    relative: float = 1e-6

    def compare(self, got: bytes, want: bytes) -> Comparison:
        return compare.equal_float(got, want, absolute=self.absolute, relative=self.relative)


@dataclass(frozen=True, slots=True)
class UnorderedLinesChecker:
    def compare(self, got: bytes, want: bytes) -> Comparison:
        return compare.equal_unordered_lines(got, want)


@dataclass(frozen=True, slots=True)
class KattisChecker:
    flags: KattisFlags = field(default_factory=KattisFlags)

    def compare(self, got: bytes, want: bytes) -> Comparison:
        return compare.equal_kattis(got, want, self.flags)


@dataclass(frozen=True, slots=True)
class ProgramChecker:
    """A checker program, run as `checker INPUT OUTPUT ANSWER` on three files in its working directory.

    Exit code 0 or 42 accepts; 1, 2 or 43 rejects with what it printed as the reason; anything else is the
    checker's own failure and gives IE. These are the conventions of testlib and of the problem-package
    format.
    """

    source: str
    language: str


@dataclass(frozen=True, slots=True)
class InteractiveChecker:
    """An interactor that talks to the program: its stdout is the program's stdin and the reverse.

    It finds the test's input in the file named by its first argument and the answer in the second, and exits
    as a `ProgramChecker` does.
    """

    source: str
    language: str


@dataclass(frozen=True, slots=True)
class AssertChecker:
    """The tests themselves decide, by raising."""


TextChecker: TypeAlias = (
    DefaultChecker
    | FoldedChecker
    | ExactChecker
    | ExecEvalChecker
    | LiveCodeBenchChecker
    | FloatChecker
    | UnorderedLinesChecker
    | KattisChecker
)
Checker: TypeAlias = TextChecker | ProgramChecker | InteractiveChecker | AssertChecker


def checker_from_spec(spec: dict[str, Any]) -> Checker:
    """The checker a problem's JSON asks for; `{}` and `{"type": "default"}` are the default one."""
    if not isinstance(spec, dict):
        raise ValueError(
            f'a checker is a JSON object such as {{"type": "default"}}, got {type(spec).__name__}'
        )
    kind = spec.get("type", "default")
    build = _BUILDERS.get(kind) if isinstance(kind, str) else None
    if build is None:
        raise ValueError(f"unknown checker type {kind!r}: give one of {', '.join(sorted(_BUILDERS))}")
    return build(spec)


def _tokens(spec: dict[str, Any]) -> Checker:
    slack = spec.get("float_tol")
    if slack is not None:
        value = _slack(spec, "float_tol", 0.0)
        return FloatChecker(value, value)
    return FoldedChecker() if spec.get("case_insensitive") else DefaultChecker()


def _float(spec: dict[str, Any]) -> Checker:
    if "abs" not in spec and "rel" not in spec:
        return FloatChecker()
    return FloatChecker(_slack(spec, "abs", 0.0), _slack(spec, "rel", 0.0))


def _slack(spec: dict[str, Any], name: str, default: float) -> float:
    value = spec.get(name, default)
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not (math.isfinite(value) and value >= 0)
    ):
        raise ValueError(
            f"checker {spec.get('type')!r}: {name!r} must be a finite number >= 0, got {value!r}"
        )
    return float(value)


def _kattis(spec: dict[str, Any]) -> Checker:
    flags = spec.get("flags", [])
    words = flags.split() if isinstance(flags, str) else flags
    if not isinstance(words, list) or not all(isinstance(word, str | int | float) for word in words):
        raise ValueError(f"checker 'kattis': 'flags' must be a text or a list of words, got {flags!r}")
    return KattisChecker(KattisFlags.parse([str(word) for word in words]))


def _program(spec: dict[str, Any]) -> ProgramChecker:
    return ProgramChecker(*_source(spec))


def _interactive(spec: dict[str, Any]) -> InteractiveChecker:
    return InteractiveChecker(*_source(spec))


def _source(spec: dict[str, Any]) -> tuple[str, str]:
    source, language = spec.get("source"), spec.get("language", "python")
    if not isinstance(source, str) or not source.strip():
        raise ValueError(f"checker {spec['type']!r}: 'source' must hold the program's text")
    if language not in LANGUAGES:
        raise ValueError(
            f"checker {spec['type']!r}: unknown language {language!r}, give one of {', '.join(LANGUAGES)}"
        )
    return source, language


_BUILDERS: dict[str, Callable[[dict[str, Any]], Checker]] = {
    "default": lambda _: DefaultChecker(),
    "tokens": _tokens,
    "exact": lambda _: ExactChecker(),
    "execeval": lambda _: ExecEvalChecker(),
    "livecodebench": lambda _: LiveCodeBenchChecker(),
    "float": _float,
    "unordered_lines": lambda _: UnorderedLinesChecker(),
    "kattis": _kattis,
    "program": _program,
    "interactive": _interactive,
    "python_assert": lambda _: AssertChecker(),
}
