"""Recorded programs and their problems, as JSON Lines in a folder (see docs/judge.md, "Agreement").

`problems/<source>.jsonl.gz` and `programs/<eval_set>.jsonl.gz`. Everything a record says is data; nothing of it runs
outside the sandbox.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from .checkers import DefaultChecker
from .languages import language_from_name
from .task import AssertTest, Limits, Program, StdioTest, Task

_TYPING = "from typing import *"


class Harness(StrEnum):
    """Who gave the recorded verdict, by what its rules were."""

    EXECEVAL = "execeval"
    LOCAL = "local subprocess"
    SHARED = "exec in shared globals"
    THREAD = "exec in a thread"
    EVALPLUS = "evalplus"
    JURY = "jury"


_HARNESSES = (
    ("ExecEval", Harness.EXECEVAL),
    ("local subprocess", Harness.LOCAL),
    ("python-exec-shared-globals", Harness.SHARED),
    ("reflexion-executor", Harness.SHARED),
    ("LDB/Reflexion", Harness.THREAD),
    ("evalplus", Harness.EVALPLUS),
    ("expected verdict", Harness.JURY),
)
_LIMITS = {"stdio": Limits(cpu_s=3.0, memory_mb=2048), "assert": Limits(cpu_s=5.0, memory_mb=2048)}
_PROFILES = {Harness.EXECEVAL: "execeval"}


@dataclass(frozen=True, slots=True)
class Recorded:
    """A program, its task and what was recorded. `profile`: the rules to judge it by."""

    id: str
    eval_set: str
    problem_id: str
    repository: str
    file: str
    line: int
    harness: Harness
    program: Program
    task: Task
    profile: str
    passed: bool
    quirks: tuple[str, ...]
    second: bool | None = None  # what the corpus's own second judging said, in a fresh process a program


@dataclass(frozen=True, slots=True)
class Unusable:
    """A record that cannot be judged here, and why."""

    id: str
    eval_set: str
    reason: str


def read_problems(folder: Path) -> dict[str, dict[str, Any]]:
    paths = sorted((folder / "problems").glob("*.jsonl.gz"))
    if not paths:
        raise ValueError(
            f"{folder}/problems holds no .jsonl.gz file; give the folder that contains problems/ and programs/"
        )
    return {row["id"]: row for path in paths for row in _rows(path)}


def eval_sets(folder: Path) -> list[str]:
    return sorted(path.name.removesuffix(".jsonl.gz") for path in (folder / "programs").glob("*.jsonl.gz"))


def read_programs(
    folder: Path, eval_set: str, problems: dict[str, dict[str, Any]]
) -> Iterator[Recorded | Unusable]:
    path = folder / "programs" / f"{eval_set}.jsonl.gz"
    if not path.exists():
        raise ValueError(f"no eval set {eval_set!r}: there are {', '.join(eval_sets(folder))}")
    for row in _rows(path):
        try:
            yield _recorded(row, problems)
        except ValueError as error:
            yield Unusable(row["id"], eval_set, str(error))


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def _recorded(row: dict[str, Any], problems: dict[str, dict[str, Any]]) -> Recorded:
    problem = problems.get(row["problem_id"])
    if problem is None:
        raise ValueError("its problem is not in the folder")
    if row.get("tests_available") is False:
        raise ValueError("its tests are not in the folder")
    if problem["checker"].get("type") == "interactive" or "interactive" in problem.get("quirks", ()):
        raise ValueError("its problem is interactive and has no interactor")
    harness = next((kind for text, kind in _HARNESSES if row["harness"].startswith(text)), None)
    if harness is None:
        raise ValueError(f"unknown harness {row['harness']!r}")
    passed = row.get("verdict_base") if harness is Harness.EVALPLUS else row["verdict"]
    if passed is None:
        raise ValueError("no verdict is recorded for the tests at hand")
    return Recorded(
        id=row["id"],
        eval_set=row["eval_set"],
        problem_id=row["problem_id"],
        repository=row["provenance"]["repo"],
        file=row["provenance"]["path"],
        line=row["provenance"].get("line", 0),
        harness=harness,
        program=Program(row["source"], language_from_name(row["language"])),
        task=_assert_task(problem) if problem["test_kind"] == "assert" else _stdio_task(problem),
        profile=_PROFILES.get(harness, "strict"),
        passed=bool(passed),
        quirks=tuple(problem.get("quirks", ())),
        second=(row.get("rejudge") or {}).get("passed"),
    )


def _stdio_task(problem: dict[str, Any]) -> Task:
    """Call problems too: the programs recorded for them read the flattened arguments from stdin."""
    tests = tuple(StdioTest(test["input"], tuple(test["outputs"])) for test in problem["tests"])
    return Task(tests, "stdio", DefaultChecker(), limits=_LIMITS["stdio"])


def _assert_task(problem: dict[str, Any]) -> Task:
    setup = problem.get("setup_code") or ""
    rows = problem.get("tests_recorded") or problem["tests"]
    tests = tuple(AssertTest(f"{setup}\n{row['code']}" if setup else row["code"]) for row in rows)
    preamble = problem["checker"].get("preamble", "")
    text = _TYPING if preamble.startswith(_TYPING) else ""
    if "prompt" in preamble:
        text = f"{text}\n{problem['starter_code']}"
    return Task(tests, "assert", entry_point=problem["entry_point"], preamble=text, limits=_LIMITS["assert"])
