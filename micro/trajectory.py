"""What happened while one micro problem was solved: every call, every sample run, and the hidden verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Call:
    """One model call. `failure` is the format failure's code, set even where the tolerant parser saved a value."""

    role: str
    prompt: str
    text: str
    failure: str | None
    usable: bool


@dataclass
class Trajectory:
    """`programs` are the programs in the order tested; `passed` and `first_passed` are verdicts on hidden tests."""

    index: int
    calls: list[Call] = field(default_factory=list)
    programs: list[str] = field(default_factory=list)
    submitted: str | None = None
    passed: bool = False
    first_passed: bool = False

    def of(self, role: str) -> list[Call]:
        return [call for call in self.calls if call.role == role]

    @property
    def failed_formats(self) -> dict[str, int]:
        """Format failures by the agent that made them; the confidence call is the planner's."""
        counts: dict[str, int] = {}
        for call in self.calls:
            if call.failure is not None:
                agent = "planning" if call.role == "confidence" else call.role
                counts[agent] = counts.get(agent, 0) + 1
        return counts

    @property
    def strictly_passed(self) -> bool:
        """Right, and no answer on the way broke its format."""
        return self.passed and not self.failed_formats

    def summary(self) -> dict[str, Any]:
        return {
            "index": self.index,
            "passed": self.passed,
            "strictly_passed": self.strictly_passed,
            "first_passed": self.first_passed,
            "calls": len(self.calls),
            "failed_formats": self.failed_formats,
        }
