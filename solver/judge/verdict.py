"""The words of a judgement: verdicts, isolation levels, and what a finished run looked like to the kernel."""

from __future__ import annotations

from enum import StrEnum


class Verdict(StrEnum):
    AC = "AC"
    WA = "WA"
    TLE = "TLE"
    MLE = "MLE"
    OLE = "OLE"
    RE = "RE"
    CE = "CE"
    SV = "SV"
    IE = "IE"

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = {
    Verdict.AC: "accepted",
    Verdict.WA: "wrong answer",
    Verdict.TLE: "time limit exceeded",
    Verdict.MLE: "memory limit exceeded",
    Verdict.OLE: "output limit exceeded",
    Verdict.RE: "runtime error",
    Verdict.CE: "compile error",
    Verdict.SV: "security violation",
    Verdict.IE: "internal error",
}


class Level(StrEnum):
    """How well a machine can isolate. Ordered: `Level.L2 >= Level.L1` is true, by the digit."""

    L0 = "L0"
    L1 = "L1"
    L2 = "L2"
    L3 = "L3"

    @property
    def label(self) -> str:
        return _LEVEL_LABELS[self]


_LEVEL_LABELS = {
    Level.L0: "resource limits only (refused)",
    Level.L1: "kernel filters: seccomp and Landlock",
    Level.L2: "strong: namespaces, seccomp, Landlock",
    Level.L3: "full: namespaces, seccomp, Landlock, cgroup",
}
