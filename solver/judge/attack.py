"""Runs every attack at every level the machine offers and says what got through. See `attacks` for the programs."""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import machine
from .attacks import ALL, Attack
from .attacks.attack import EARLIER
from .errors import LanguageUnavailable, SandboxUnavailable
from .judge import Judge
from .languages import find_toolchain
from .report import Report
from .slot import base_python
from .task import Program, StdioTest, Task
from .verdict import Level, Verdict

SECRET = "judge-suite-secret-5f1d"
_READABLE_PYTHON = "/usr/bin/python3"


@dataclass(frozen=True, slots=True)
class Trial:
    """`skipped` says why an attack could not be made at this level; `problem` what got through."""

    level: Level
    name: str
    verdict: str
    problem: str = ""
    skipped: str = ""
    wall_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Siege:
    level: Level
    trials: tuple[Trial, ...]
    python: str
    seconds: float

    @property
    def failures(self) -> list[Trial]:
        return [trial for trial in self.trials if trial.problem]

    @property
    def made(self) -> int:
        return sum(not trial.skipped for trial in self.trials)


def besiege(level: Level, attacks: Sequence[Attack] = ALL, *, python: str | None = None) -> Siege:
    """Every attack once, on a judge of its own; then look for what stayed behind."""
    started = time.monotonic()
    before = set(leftovers())  # of other judges in this process
    interpreter = python or _interpreter_for(level)
    with tempfile.TemporaryDirectory(prefix="judge-siege-") as folder:
        secret, escape = Path(folder, "secret.txt"), Path(folder, "escaped")
        secret.write_text(SECRET)
        os.chmod(folder, 0o755)
        secret.chmod(0o644)
        os.environ["JUDGE_SUITE_KEY"] = SECRET
        replacements = {
            "@SECRET_FILE@": str(secret),
            "@ESCAPE_FILE@": str(escape),
            "@OWNER@": str(os.getpid()),
        }
        try:
            with Judge(level=level, python=interpreter) as judge:
                if judge.isolation.level != level:
                    raise SandboxUnavailable(
                        f"{level.value} is not to be had: {'; '.join(judge.isolation.reasons)}"
                    )
                _leave_a_trace(judge)
                trials = _trials(judge, level, attacks, replacements)
            trials.append(_aftermath(level, escape, before))
        finally:
            del os.environ["JUDGE_SUITE_KEY"]
    return Siege(level, tuple(trials), interpreter, time.monotonic() - started)


def _interpreter_for(level: Level) -> str:
    """At L1 root cannot bind a private interpreter into the jail, so one that everybody can read is needed."""
    python = base_python()
    if level is Level.L1 and os.getuid() == 0 and machine.closed_directory(python):
        return _READABLE_PYTHON
    return python


def _leave_a_trace(judge: Judge) -> None:
    """A run with something to find in the heap of the next one."""
    program = Program(f"text = '{EARLIER}'\nprint(text, input())")
    task = Task((StdioTest(f"{EARLIER}\n", (f"{EARLIER} {EARLIER}\n",)),))
    for _ in range(4):
        report = judge.judge(program, task)
        if report.verdict is not Verdict.AC:
            raise SandboxUnavailable(f"an honest program got {report.verdict.value}: {report.reason}")


def _trials(
    judge: Judge, level: Level, attacks: Sequence[Attack], replacements: dict[str, str]
) -> list[Trial]:
    trials: list[Trial] = []
    todo: list[Attack] = []
    for attack in attacks:
        reason = _why_not(attack, level, judge)
        if reason:
            trials.append(Trial(level, attack.name, "", skipped=reason))
        else:
            todo.append(attack)
    jobs = [(attack.program(replacements), attack.task()) for attack in todo]
    for attack, report in zip(todo, judge.judge_many(jobs), strict=True):
        wall = sum(result.wall_s for result in report.results)
        problem = _problem(attack, report)
        trials.append(Trial(level, attack.name, report.verdict.value, problem, wall_s=round(wall, 3)))
    return trials


def _why_not(attack: Attack, level: Level, judge: Judge) -> str:
    if attack.needs_namespaces and level is Level.L1:
        return "needs a scratch directory, which takes a mount namespace"
    if attack.language != "python" and find_toolchain(attack.language) is None:
        return f"no toolchain for {attack.language}"
    try:
        machine.require_language(attack.language, judge.isolation)
    except LanguageUnavailable as error:
        return str(error)
    return ""


def _problem(attack: Attack, report: Report) -> str:
    """What is wrong with the outcome; empty when the attack was met as it should be."""
    wrong = [result for result in report.results if result.verdict not in attack.verdicts | {Verdict.AC}]
    if report.verdict not in attack.verdicts or wrong:
        expected = " or ".join(sorted(verdict.value for verdict in attack.verdicts))
        last = report.results[-1].stderr.strip().splitlines()[-1:] if report.results else []
        return f"{report.verdict.value} ({report.reason}), {expected} expected {' '.join(last)}"[:300]
    seen = "".join((*(f"{r.stdout}{r.stderr}" for r in report.results), report.compiler_output))
    if SECRET in seen or "root:" in seen:
        return "a secret got out"
    if attack.must_print and attack.must_print not in seen:
        return f"it should have printed {attack.must_print!r}, got {seen[:120]!r}"
    return ""


def _aftermath(level: Level, escape: Path, before: set[int]) -> Trial:
    if escape.exists():
        return Trial(level, "aftermath", "", "a program wrote outside its sandbox")
    left = sorted(set(leftovers()) - before)
    return Trial(level, "aftermath", "", f"processes left behind: {left}" if left else "")


def leftovers(owner: int | None = None) -> list[int]:
    """Sandbox processes of `owner` (this process by default) that are still there."""
    mark = str(os.getpid() if owner is None else owner)
    found: list[int] = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            command = Path(f"/proc/{name}/cmdline").read_bytes()
            state = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if (
            b"from jail import launcher" in command
            and f'"owner": {mark}'.encode() in command
            and state != "Z"
        ):
            found.append(int(name))
    return found


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", metavar="OUT", help="write the result as JSON")
    parser.add_argument("--level", action="append", choices=["L1", "L2", "L3"], help="only this level")


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="attack", description=__doc__)
    add_arguments(parser)
    options = parser.parse_args(argv)
    return run(options.level, options.json)


def run(levels: Sequence[str] | None, out: str | None) -> int:
    """Exit code 0 when the suite was run, whatever it found; 1 when no level is to be had."""
    sieges: list[Siege] = []
    for level in (Level.L3, Level.L2, Level.L1):
        if levels and level.value not in levels:
            continue
        try:
            siege = besiege(level)
        except SandboxUnavailable as error:
            print(f"{level.value}: not offered here: {error}")
            continue
        sieges.append(siege)
        print_siege(siege)
    if out:
        Path(out).write_text(json.dumps(document(sieges), indent=2) + "\n")
    return 0 if sieges else 1


def print_siege(siege: Siege) -> None:
    print(f"{siege.level.value} ({siege.python}): {siege.made - len(siege.failures)} of {siege.made} met, "
          f"{len(siege.trials) - siege.made} not possible here, {siege.seconds:.1f} s")  # fmt: skip
    for trial in siege.trials:
        if trial.problem:
            print(f"  FAIL {trial.name}: {trial.problem}")
        elif trial.skipped:
            print(f"  skip {trial.name}: {trial.skipped}")


def document(sieges: Sequence[Siege]) -> dict[str, Any]:
    bars = [
        {
            "name": f"attacks met at {siege.level.value}",
            "value": round(100 * (siege.made - len(siege.failures)) / siege.made, 2) if siege.made else 0.0,
            "unit": "%",
            "goal": 100,
            "direction": "min",
            "n": siege.made,
        }
        for siege in sieges
    ]
    rows = [
        {"level": trial.level.value, "name": trial.name, "verdict": trial.verdict, "problem": trial.problem,
         "skipped": trial.skipped, "wall_s": trial.wall_s}
        for siege in sieges
        for trial in siege.trials
    ]  # fmt: skip
    return {
        "name": "attack",
        "bars": bars,
        "rows": rows,
        "machine": machine.description(),
        "code_version": machine.code_version(),
    }
