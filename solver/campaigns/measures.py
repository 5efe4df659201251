"""What one run's event log says, as the numbers that reports add up. Pure: events in, measures out.

*First program*: the program of the first test run, on samples or, where a strategy tests nothing, on the hidden tests.
*Origin* of the submitted program: the step whose answer it was. `first`: the first program, so the run was decided
before anything was repaired; `repair`: a debugging step; `other`: a later coding step, such as the next plan's program.
The hidden verdict of the first program is known only where that program was also submitted.
*Stated*: the confidence of the plan behind the first program, 0 to 100.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from trajectories import events
from trajectories.models import StepEvent


class Origin(StrEnum):
    FIRST = "first"
    REPAIR = "repair"
    OTHER = "other"
    NONE = "none"  # no program was submitted


@dataclass(slots=True)
class RoleMeasures:
    """`failures` counts what the strict parser refuses, by code; `rescued` of them the tolerant parser could use.

    `cut`: answers that the token limit ended, well-formed or not.
    """

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    estimated: int = 0
    seconds: float = 0.0
    failures: dict[str, int] = field(default_factory=dict)
    rescued: int = 0
    stored: int = 0  # answers that were kept from an earlier call
    cut: int = 0

    @property
    def format_failures(self) -> int:
        return sum(self.failures.values())

    def add(self, other: RoleMeasures) -> None:
        self.calls += other.calls
        self.prompt_tokens += other.prompt_tokens
        self.completion_tokens += other.completion_tokens
        self.estimated += other.estimated
        self.seconds += other.seconds
        self.rescued += other.rescued
        self.stored += other.stored
        self.cut += other.cut
        for code, count in other.failures.items():
            self.failures[code] = self.failures.get(code, 0) + count


@dataclass(slots=True)
class RunMeasures:
    roles: dict[str, RoleMeasures] = field(default_factory=dict)
    programs_tested: int = 0
    judge_seconds: float = 0.0
    first_samples: str = ""  # verdict of the first program on the samples; "" where it was not run on any
    first_hidden: str = ""  # its verdict on the hidden tests; "" where another program was submitted
    origin: Origin = Origin.NONE
    stated: int | None = None
    stated_unread: bool = False  # there was a plan to be sure of, and no number could be read
    last_seq: int = 0

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "origin": self.origin.value}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> RunMeasures:
        roles = {role: RoleMeasures(**measured) for role, measured in data["roles"].items()}
        return cls(**{**data, "roles": roles, "origin": Origin(data["origin"])})

    def whole(self) -> RoleMeasures:
        """All roles added up."""
        total = RoleMeasures()
        for measured in self.roles.values():
            total.add(measured)
        return total


@dataclass(slots=True)
class _Program:
    """A tested program; `role` is the model step just before its first test."""

    code: str
    role: str
    samples: str = ""


class _Reader:
    def __init__(self) -> None:
        self.found = RunMeasures()
        self.roles: dict[int, str] = {}  # step -> role
        self.last_role = ""
        self.programs: list[_Program] = []
        self.testing: dict[int, _Program] = {}
        self.unread: set[object] = set()  # exemplars whose plan has no confidence that could be read
        self.plan: events.Note | None = None  # the choice of the plan that is being coded

    def read(self, event: events.Event) -> None:
        match event:
            case events.StepStarted():
                self.roles[event.step] = event.role
            case events.StepFinished():
                self._answered(event)
            case events.Note(name="confidence_unknown"):
                self.unread.add(event.detail.get("exemplar"))
            case events.Note(name="plan_chosen"):
                self.plan = event
            case events.TestsStarted():
                self.testing[event.step] = self._program(event.code)
            case events.TestsFinished():
                self._judged(event)
            case _:
                pass

    def _answered(self, event: events.StepFinished) -> None:
        role = self.last_role = self.roles[event.step]
        measured = self.found.roles.setdefault(role, RoleMeasures())
        failure = event.parse.failure
        stored = event.detail.get(
            "stored"
        )  # its answer took time once, and that is what an engine is compared by
        seconds = float(stored["seconds"]) if isinstance(stored, dict) else event.seconds
        measured.add(
            RoleMeasures(
                1,
                event.prompt_tokens,
                event.completion_tokens,
                int(event.estimated),
                seconds,
                {failure: 1} if failure else {},
                int(bool(failure) and event.parse.usable),
                int(stored is not None),
                int(event.finish_reason == "length"),
            )
        )

    def _program(self, code: str) -> _Program:
        known = next((program for program in self.programs if program.code == code), None)
        if known is None:
            if not self.programs and self.plan:
                self._state(self.plan.detail)
            known = _Program(code, self.last_role)
            self.programs.append(known)
        return known

    def _state(self, chosen: dict[str, Any]) -> None:
        stated = chosen.get("confidence")
        self.found.stated_unread = chosen.get("exemplar") in self.unread
        if type(stated) is int and 0 <= stated <= 100 and not self.found.stated_unread:
            self.found.stated = stated

    def _judged(self, event: events.TestsFinished) -> None:
        program = self.testing[event.step]
        self.found.judge_seconds += event.seconds
        if event.suite == "samples":
            program.samples = program.samples or event.verdict
            return
        is_first = program is self.programs[0]
        self.found.first_hidden = event.verdict if is_first else ""
        repaired = program.role == "debugging"
        self.found.origin = Origin.FIRST if is_first else Origin.REPAIR if repaired else Origin.OTHER

    def result(self) -> RunMeasures:
        self.found.programs_tested = len(self.programs)
        self.found.first_samples = self.programs[0].samples if self.programs else ""
        for measured in self.found.roles.values():
            measured.seconds = round(measured.seconds, 4)
        self.found.judge_seconds = round(self.found.judge_seconds, 4)
        return self.found


def measure(log: Iterable[StepEvent]) -> RunMeasures:
    """Reads a run's events in order. A judging that a crash cut off and that was done again counts once."""
    reader = _Reader()
    last = 0
    for row in log:
        reader.read(events.parse(row.kind, row.payload))
        last = row.seq
    reader.found.last_seq = last
    return reader.result()
