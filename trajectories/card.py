"""One step of a run with everything its card shows, on the page, in an export and beside another run's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trajectories import money
from trajectories.lanes import agent_of
from trajectories.models import Step, StepState
from trajectories.opinions import Said
from trajectories.wording import TITLES

if TYPE_CHECKING:
    from trajectories.bodies import Body

PROGRAMS = ("coding", "debugging")


@dataclass(slots=True)
class Card:
    """One step with everything its card shows. `start`, `end` are payloads without the prompt; None: not there yet."""

    step: Step
    start: dict[str, Any] | None = None
    end: dict[str, Any] | None = None
    failure: dict[str, Any] | None = None
    previous: Card | None = None  # the program this one is compared with
    plan: Card | None = None  # the planning step this one follows
    scores: tuple[Score, ...] = ()
    at: int = 0
    body: Body | None = None
    said: Said = field(default_factory=Said)
    frozen: bool = False  # of a branch: the parent's own step
    position: str = ""  # "attempt 1 · step 2 · coding"

    @property
    def number(self) -> int:
        return self.step.number

    @property
    def agent(self) -> str:
        return agent_of(self.step.role)

    @property
    def spent(self) -> money.Spent | None:
        return money.spent((self.end or {}).get("detail") or {})

    @property
    def stored_at(self) -> str:
        """When the answer was really asked for; "" where it was asked for in this run."""
        stored = ((self.end or {}).get("detail") or {}).get("stored")
        return str(stored.get("asked_at", ""))[:32] if isinstance(stored, dict) else ""

    @property
    def title(self) -> str:
        return TITLES.get(self.step.role, self.step.role)

    @property
    def running(self) -> bool:
        return self.step.state == StepState.RUNNING

    @property
    def parse(self) -> dict[str, Any]:
        return (self.end or {}).get("parse") or {}

    @property
    def value(self) -> Any:
        return self.parse.get("value")

    @property
    def language(self) -> str:
        return str((self.start or {}).get("language") or self.step.run.language)

    @property
    def code(self) -> str | None:
        """The program this step wrote or judged."""
        if self.step.role == "judge":
            return (self.start or {}).get("code")
        value = self.value.get("code") if isinstance(self.value, dict) else self.value
        return value if writes_program(self.step) and isinstance(value, str) else None

    @property
    def retry_of(self) -> int | None:
        return _number((self.start or {}).get("detail"), "retry_of")

    @property
    def exemplar(self) -> int | None:
        return _number((self.start or {}).get("detail"), "exemplar")

    @property
    def rescued(self) -> bool:
        return bool(self.parse.get("failure") and self.parse.get("usable"))

    @property
    def flagged(self) -> bool:
        """A point worth stopping at: a failed test run, a format failure, a step without an answer."""
        judged_wrong = (
            self.step.role == "judge" and self.step.state == StepState.DONE and self.step.verdict != "AC"
        )
        return judged_wrong or bool(self.step.format_failure) or self.step.state == StepState.FAILED


@dataclass(frozen=True, slots=True)
class Score:
    """The confidence a planner stated for the plan after one exemplar."""

    exemplar: int
    score: int


def writes_program(step: Step) -> bool:
    """Coders and debuggers write programs, except where a debugger only reflects in words (Reflexion)."""
    return step.role in PROGRAMS and step.gist != "reflection"


def _number(detail: Any, name: str) -> int | None:
    value = detail.get(name) if isinstance(detail, dict) else None
    return value if isinstance(value, int) else None
