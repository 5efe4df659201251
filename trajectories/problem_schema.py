"""The one shape of a problem, whatever file it came from.

Pure Python: importers produce it, the database stores it, the judge and the agents read it. The field names are those
of the normalised JSON Lines layout described in docs/reference/problem-format.md.
"""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class TestKind(StrEnum):
    """How a test reaches the program: over stdin, by calling a function, or as assert statements."""

    STDIO = "stdio"
    CALL = "call"
    ASSERT = "assert"


class Difficulty(StrEnum):
    """The starter set's own scale; imported problems keep their source's label as free text."""

    EASY = "easy"
    MEDIUM = "medium"
    HARD = "hard"


class CheckerType(StrEnum):
    """Who decides whether an output is right; `solver.judge.checker_from_spec` says which fields each one takes."""

    DEFAULT = "default"
    TOKENS = "tokens"
    EXACT = "exact"
    EXECEVAL = "execeval"
    LIVECODEBENCH = "livecodebench"
    FLOAT = "float"
    UNORDERED_LINES = "unordered_lines"
    KATTIS = "kattis"
    PROGRAM = "program"
    INTERACTIVE = "interactive"
    PYTHON_ASSERT = "python_assert"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Sample(_Strict):
    """A test the agents may see. `assert_code` is set for function problems."""

    input: str
    output: str
    assert_code: str | None = Field(default=None, alias="assert")

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class StdioTest(_Strict):
    """`outputs`: any one of them is right."""

    kind: Literal["stdio"] = "stdio"
    input: str
    outputs: tuple[str, ...] = Field(min_length=1)
    group: str | None = None


class CallTest(_Strict):
    """A call of the entry point.

    `args` are JSON values. Sets that only publish flattened text (one argument a line) leave `args` empty and fill
    `input`; `outputs` are then compared as text with `str(result)`.
    """

    kind: Literal["call"] = "call"
    args: tuple[Any, ...] | None = None
    expected: Any = None
    input: str | None = None
    outputs: tuple[str, ...] = ()
    group: str | None = None

    @model_validator(mode="after")
    def _has_a_question(self) -> CallTest:
        if self.args is None and self.input is None:
            raise ValueError("a call test needs `args` (JSON values) or `input` (one argument a line)")
        return self


class AssertTest(_Strict):
    """Python statements that raise when the program is wrong; `check(entry_point)` is called when they define it."""

    kind: Literal["assert"] = "assert"
    code: str = Field(min_length=1)


Test = Annotated[StdioTest | CallTest | AssertTest, Field(discriminator="kind")]


_NOT_IN_DIGEST = {"provenance", "licence", "split", "group", "extra"}


class ProblemSpec(_Strict):
    """A problem with everything needed to show, solve and judge it. Times in seconds, memory in MB."""

    id: str = Field(min_length=1, max_length=200)
    source: str = Field(min_length=1, max_length=64)
    title: str = Field(min_length=1, max_length=200)
    statement: str = Field(min_length=1)
    input_spec: str = ""
    output_spec: str = ""
    notes: str = ""
    time_limit_s: float | None = Field(default=None, gt=0, le=600)
    memory_limit_mb: float | None = Field(default=None, gt=0, le=65536)
    tags: tuple[str, ...] = ()
    difficulty: str = ""
    samples: tuple[Sample, ...] = ()
    tests: tuple[Test, ...] = Field(min_length=1)
    test_kind: TestKind
    checker: dict[str, Any] = Field(default_factory=lambda: {"type": "default"})
    entry_point: str | None = None
    starter_code: str = ""
    preamble: str = ""
    reference_solution: str | None = None
    licence: str = ""
    provenance: dict[str, Any] = Field(default_factory=dict)
    # What the published file says beyond these fields: kept, shown to nobody who solves, never decisive.
    extra: dict[str, Any] = Field(default_factory=dict)
    quirks: tuple[str, ...] = ()
    split: str = ""
    group: str = ""

    @model_validator(mode="after")
    def _kinds_agree(self) -> ProblemSpec:
        wrong = [i for i, test in enumerate(self.tests) if test.kind != self.test_kind]
        if wrong:
            raise ValueError(
                f"tests {wrong[:5]} are not of kind {self.test_kind.value!r}; give each test the problem's test_kind"
            )
        if self.test_kind is not TestKind.STDIO and not self.entry_point:
            raise ValueError(
                f"a problem of kind {self.test_kind.value!r} needs `entry_point`, the function's name"
            )
        return self

    def digest(self) -> str:
        """SHA-256 over what decides a verdict or reaches a prompt; where it comes from does not count."""
        data = self.model_dump(mode="json", by_alias=True, exclude=_NOT_IN_DIGEST)
        return hashlib.sha256(json.dumps(data, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
