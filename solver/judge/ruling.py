"""From a finished run to a test's result: the verdict table first, then the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .outcome import Bounds, Outcome, rule
from .profiles import Profile
from .report import FirstDiff, TestResult, clip
from .verdict import Verdict

_NEAR = 0.75


@dataclass(frozen=True, slots=True)
class Answer:
    """What a checker thinks of an output; `verdict` is AC, WA, or IE where the checker itself failed."""

    verdict: Verdict
    reason: str = ""
    first_diff: FirstDiff | None = None
    expected: str = ""
    flags: tuple[str, ...] = ()


Decide = Callable[[Outcome], Answer]


def result_of(index: int, outcome: Outcome, bounds: Bounds, profile: Profile, decide: Decide) -> TestResult:
    """`decide` is asked only when the run ended well: an answer never redeems a crash or a limit."""
    ruling = rule(outcome, bounds)
    verdict, reason = ruling.verdict, ruling.reason
    answer = Answer(Verdict.AC)
    flags = [f"denied:{name}" for name in ruling.soft]
    if (
        verdict is Verdict.RE
        and not profile.exit_code_counts
        and outcome.exit_code > 0
        and not outcome.stderr
    ):
        verdict, reason = None, ""
    if verdict is None:
        answer = decide(outcome)
        verdict, reason = answer.verdict, answer.reason
        flags += answer.flags
        if ruling.soft and verdict is not Verdict.IE and (verdict is not Verdict.AC or profile.soft_denials):
            verdict, reason = Verdict.SV, ruling.soft[0]
    if _NEAR * bounds.cpu_s < outcome.cpu_s < bounds.cpu_s / _NEAR:
        flags.append("near_limit:cpu")
    return TestResult(
        index=index,
        verdict=verdict,
        reason=reason,
        cpu_s=round(outcome.cpu_s, 6),
        wall_s=round(outcome.wall_s, 6),
        memory_mb=round(outcome.peak / (1 << 20), 2),
        stdout=clip(outcome.stdout.decode("utf-8", "backslashreplace")),
        stderr=clip(outcome.stderr.decode("utf-8", "backslashreplace")),
        expected=answer.expected,
        first_diff=answer.first_diff,
        flags=tuple(flags),
    )
