from __future__ import annotations

import signal

import pytest

from solver.judge.outcome import Bounds, Kill, Outcome, rule
from solver.judge.verdict import Level, Verdict

_BOUNDS = Bounds(cpu_s=1.0, idle_s=1.0, memory=64 << 20, output=1000)


@pytest.mark.parametrize(
    ("outcome", "verdict", "reason"),
    [
        (Outcome(failed="no fork", hostile="mount", exit_code=1), Verdict.IE, "no fork"),
        (Outcome(hostile="mount", stdout_size=9999, exit_code=-9), Verdict.SV, "mount"),
        (Outcome(exit_code=-signal.SIGSYS, cpu_s=9.0), Verdict.SV, "SIGSYS"),
        (Outcome(compile_error="SyntaxError: no", exit_code=1), Verdict.CE, "SyntaxError: no"),
        (Outcome(compiled=False, exit_code=-11), Verdict.CE, "the compiler was stopped: SIGSEGV"),
        (Outcome(stdout_size=1000, cpu_s=9.0, exit_code=-9), Verdict.OLE, "stdout"),
        (Outcome(stderr_size=1000, exit_code=1), Verdict.OLE, "stderr"),
        (Outcome(peak=65 << 20), Verdict.MLE, "65 MB"),
        (Outcome(stderr=b"Traceback\nMemoryError\n", exit_code=1), Verdict.MLE, "out of memory"),
        (Outcome(stderr=b"std::bad_alloc", exit_code=-6), Verdict.MLE, "out of memory"),
        (Outcome(stderr=b"MemoryError\n", exit_code=0), None, ""),
        (Outcome(exit_code=-signal.SIGSEGV, peak=63 << 20), Verdict.MLE, "out of memory"),
        (Outcome(exit_code=-signal.SIGSEGV, peak=9 << 20), Verdict.RE, "SIGSEGV"),
        (Outcome(cpu_s=1.001, exit_code=0), Verdict.TLE, "cpu"),
        (Outcome(killed=Kill.CPU, cpu_s=1.001, exit_code=-9), Verdict.TLE, "cpu"),
        (
            Outcome(killed=Kill.CPU, cpu_s=0.2, exit_code=-9),
            Verdict.TLE,
            "cpu",
        ),  # its children's is not in it
        (Outcome(exit_code=-signal.SIGXCPU), Verdict.TLE, "cpu"),
        (Outcome(killed=Kill.IDLE, exit_code=-9), Verdict.TLE, "idle"),
        (Outcome(killed=Kill.STARVED, exit_code=-9), Verdict.IE, "starved"),
        (Outcome(exit_code=1, denied={"clone": 1}), Verdict.SV, "clone"),
        (Outcome(exit_code=3), Verdict.RE, "exit code 3"),
        (Outcome(exit_code=-9, own_signal=15, killed=Kill.SELF), Verdict.RE, "SIGTERM"),
        (Outcome(exit_code=1, stderr=b"Traceback\nKeyError: 3\n"), Verdict.RE, "KeyError"),
        (Outcome(exit_code=0, denied={"clone": 1}), None, ""),
        (Outcome(), None, ""),
    ],
)
def test_the_first_line_of_the_table_that_applies_decides(
    outcome: Outcome, verdict: Verdict | None, reason: str
) -> None:
    ruling = rule(outcome, _BOUNDS)
    assert (ruling.verdict, ruling.reason) == (verdict, reason)


def test_levels_are_ordered() -> None:
    assert Level.L0 < Level.L1 < Level.L2 < Level.L3
