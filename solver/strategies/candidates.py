"""The programs a run has written so far, and which of them it submits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from solver.agents.formats import FormatFailure
from solver.engines.protocol import Role
from solver.strategies.protocol import BudgetExceeded, Outcome, TestRun, Workbench


class AgentFailed(Exception):
    """An agent's answer cannot be used and the profile says that this ends the run."""

    def __init__(self, role: Role, failure: FormatFailure | None, message: str) -> None:
        super().__init__(f"{role} gave an unusable answer ({failure}): {message}")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A program that could be submitted. `run` is None where it was never tested."""

    code: str
    attempt: int
    confidence: int = 0
    run: TestRun | None = None

    def outcome(self, reason: str) -> Outcome:
        passed, total = (self.run.passed, self.run.total) if self.run else (0, 0)
        return Outcome(self.code, reason, self.attempt, passed, total)


class Candidates:
    """In the order written. Every way to an `Outcome` leads through here, so that each is noted."""

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self.all: list[Candidate] = []

    def add(self, code: str, attempt: int, run: TestRun | None = None, confidence: int = 0) -> Outcome | None:
        """Keep a program; the run's outcome if it passed all samples (or there are none to fail)."""
        candidate = Candidate(code, attempt, confidence, run)
        self.all.append(candidate)
        if run is None or not run.ok:
            return None
        return candidate.outcome(
            "all samples passed" if run.total else "the problem has no samples to test on"
        )

    def best(self, why: str) -> Outcome:
        """Most samples passed, then highest confidence, then the earliest; no program if none was written."""
        if not self.all:
            return self.nothing(why)
        best = max(self.all, key=lambda c: (c.run.passed if c.run else -1, c.confidence))
        return self._fallback(best, why, "the program that passed most samples")

    def last(self, why: str) -> Outcome:
        return (
            self._fallback(self.all[-1], why, "the last program written") if self.all else self.nothing(why)
        )

    def nothing(self, why: str) -> Outcome:
        self.bench.note("no_program", why=why)
        return Outcome(None, why)

    def _fallback(self, chosen: Candidate, why: str, instead: str) -> Outcome:
        outcome = chosen.outcome(f"{why}; {instead} is submitted")
        self.bench.note(
            "fallback",
            why=why,
            instead=instead,
            attempt=chosen.attempt,
            samples_passed=outcome.samples_passed,
            samples_total=outcome.samples_total,
        )
        return outcome

    def guard(self, solve: Callable[[], Outcome], *, keep_best: bool = True) -> Outcome:
        """Run `solve`; an aborting agent ends without a program, a spent budget with the best one so far.

        A budget spent before the first program, or without `keep_best`, is the workbench's to record.
        """
        try:
            return solve()
        except AgentFailed as failure:
            return self.nothing(str(failure))
        except BudgetExceeded as limit:
            if not self.all or not keep_best:
                raise
            return self.best(str(limit))
