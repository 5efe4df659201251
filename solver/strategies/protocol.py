"""What a strategy may do: ask an agent, run tests, note what it decided. Nothing else has effects.

A strategy is a plain function from a problem and a `Workbench` to an `Outcome`. The workbench records every
step; on resume it hands back the recorded answers in order, so a strategy must be deterministic given those
answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, Protocol, TypeVar, runtime_checkable

from solver.agents.formats import Parsed
from solver.agents.prompts import Prompt
from solver.engines.protocol import Role
from trajectories.problem_schema import ProblemSpec

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Params:
    """`k` exemplars (one plan each), `t` repair rounds a plan; the paper's k=3, t=5 are the defaults."""

    k: int = 3
    t: int = 5
    language: str = "python"
    profile: str = "lab"  # "lab" (tolerant, best-so-far) or "upstream" (the published control flow)
    templates: str = "lab"  # which prompt template set
    retries: int = 1  # further tries of one call whose answer could not be parsed (lab profile)
    speculative: str = "off"  # what is asked ahead: "off", "plans", "programs" (and plans)
    max_calls: int | None = None  # defaults to the bound 1 + 2k + k(1 + t), plus retries
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """One finished model step: the raw text, and the parsed value or the format failure."""

    step: int
    text: str
    parsed: Parsed[T]
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One sample test as an agent may see it: nothing here comes from a hidden test."""

    input: str
    expected: str
    got: str
    verdict: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TestRun:
    """A judged program. `cases` is empty for hidden tests: expectations never reach a prompt."""

    step: int
    verdict: str
    passed: int
    total: int
    cases: tuple[CaseResult, ...] = ()
    compiler_output: str = ""

    __test__: ClassVar[bool] = False  # pytest, this is not a test class

    @property
    def ok(self) -> bool:
        return self.verdict == "AC"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the strategy submits. `code` None means that no program was produced; `reason` then says why."""

    code: str | None
    reason: str
    attempt: int | None = None
    samples_passed: int = 0
    samples_total: int = 0


class BudgetExceeded(Exception):
    """The run's limit of calls, tokens or seconds is reached; carries which. Ends the run, recorded."""


class Workbench(Protocol):
    def ask(
        self,
        role: Role,
        prompt: Prompt,
        parse: Callable[[str], Parsed[T]],
        *,
        attempt: int,
        gist: str = "",
        detail: dict[str, Any] | None = None,
    ) -> Answer[T]:
        """Render-free: `prompt` is final text. Records the step and the parse; never raises on bad format."""
        ...

    def run_samples(self, code: str, language: str, *, attempt: int) -> TestRun:
        """Judge on the problem's samples. A problem without samples gives verdict AC with total 0."""
        ...

    def note(self, kind: str, **detail: Any) -> None:
        """Record a decision (`plan_chosen`, `fallback`, ...) so that the trajectory explains itself."""
        ...


@runtime_checkable
class AsksAhead(Protocol):
    """A workbench that can send questions before the strategy gets to them. It changes nothing but the time it takes."""

    def ahead(self, branches: Sequence[Callable[[Workbench], object]], steps: int | None) -> None:
        """Each branch asks, at the workbench it is given, what the strategy is going to ask next, one branch after the
        other, `steps` steps each (None: not known)."""
        ...


class Strategy(Protocol):
    def __call__(self, problem: ProblemSpec, bench: Workbench, params: Params) -> Outcome: ...
