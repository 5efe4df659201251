"""What a judgement says. Everything here becomes JSON and comes back the same."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Self

from .verdict import Level, Verdict

CLIP = 4096


def clip(text: str, size: int = CLIP) -> str:
    """The head and tail of a long text, with the number of characters left out between them."""
    if len(text) <= size:
        return text
    head, tail = size * 3 // 4, size // 4
    return f"{text[:head]}\n[... {len(text) - head - tail} characters left out ...]\n{text[-tail:]}"


@dataclass(frozen=True, slots=True)
class FirstDiff:
    """The first token that differs: its index from 0; None where one side has ended."""

    index: int
    got: str | None
    want: str | None


@dataclass(frozen=True, slots=True)
class TestResult:
    """`reason` is short: an exception type, a denied system call, a signal, `cpu` or `idle`.

    `memory_mb` is the peak resident size with the interpreter's own share. `flags` are remarks that do not
    change the verdict, such as `denied:clone` or `near_limit:cpu`.
    """

    __test__: ClassVar[bool] = False  # pytest takes it for a test by its name

    index: int
    verdict: Verdict
    reason: str = ""
    cpu_s: float = 0.0
    wall_s: float = 0.0
    memory_mb: float = 0.0
    stdout: str = ""
    stderr: str = ""
    expected: str = ""
    first_diff: FirstDiff | None = None
    flags: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        data = asdict(self)
        data["verdict"] = self.verdict.value
        data["flags"] = list(self.flags)
        printable: dict[str, Any] = _printable(data)
        return printable

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        diff = data.get("first_diff")
        return cls(
            **{
                **data,
                "verdict": Verdict(data["verdict"]),
                "first_diff": FirstDiff(**diff) if diff else None,
                "flags": tuple(data.get("flags", ())),
            }
        )


@dataclass(frozen=True, slots=True)
class Environment:
    """Where and under what rules a verdict was reached; two verdicts compare fairly only when these agree.

    `policy` and `interpreter` are digests: of the seccomp filters and jail layout, and of the interpreter's
    binary.
    """

    level: Level
    reasons: tuple[str, ...] = ()
    kernel: str = ""
    interpreter: str = ""
    interpreter_hash: str = ""
    policy: str = ""
    profile: str = "strict"
    judge_version: str = ""
    load: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "level": self.level.value, "reasons": list(self.reasons)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        return cls(**{**data, "level": Level(data["level"]), "reasons": tuple(data.get("reasons", ()))})


@dataclass(frozen=True, slots=True)
class Report:
    """`verdict` is that of the first test that failed, or AC. `total` counts the task's tests, run or not."""

    verdict: Verdict
    results: tuple[TestResult, ...]
    passed: int
    total: int
    language: str
    environment: Environment
    compiler_output: str = ""
    reason: str = ""
    flags: tuple[str, ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict.value,
            "results": [result.to_dict() for result in self.results],
            "passed": self.passed,
            "total": self.total,
            "language": self.language,
            "environment": self.environment.to_dict(),
            "compiler_output": _printable(self.compiler_output),
            "reason": _printable(self.reason),
            "flags": list(self.flags),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        return cls(
            verdict=Verdict(data["verdict"]),
            results=tuple(TestResult.from_dict(result) for result in data["results"]),
            passed=data["passed"],
            total=data["total"],
            language=data["language"],
            environment=Environment.from_dict(data["environment"]),
            compiler_output=data.get("compiler_output", ""),
            reason=data.get("reason", ""),
            flags=tuple(data.get("flags", ())),
        )


def _printable(value: Any) -> Any:
    """Text that any JSON reader and database takes: no lone surrogates, no NUL."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
    if isinstance(value, dict):
        return {key: _printable(item) for key, item in value.items()}
    return value
