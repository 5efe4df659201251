"""Plays the MapCoder strategy over every walkthrough and stores the answers for the `recorded` engine.

    python -m starter.record            writes starter/answers.jsonl
    python -m starter.record --check    exits 1 when the committed file is out of date

The real strategy asks and the real judge runs the samples; only the answers are authored. Every k from 1 to 3, both
profiles and any number of repair rounds t can be replayed: once a walkthrough has no further repair it repeats its
last answer, so the prompts repeat too and more rounds ask nothing new.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any, TypeVar

from solver import judging
from solver.agents.formats import Parsed
from solver.agents.prompts import Prompt
from solver.engines.protocol import ChatModel, ChatRequest, Role
from solver.engines.recording import Recording
from solver.judge import Judge
from solver.strategies.mapcoder import mapcoder
from solver.strategies.profiles import PROFILES
from solver.strategies.protocol import Answer, Outcome, Params, TestRun
from starter.build import committed
from starter.scripted import ScriptedModel
from starter.source import load
from trajectories.problem_schema import ProblemSpec

ANSWERS = Path(__file__).parent / "answers.jsonl"
NOTE = "written by hand for the starter set"
K = (1, 2, 3)

T = TypeVar("T")


@dataclass
class Bench:
    """The workbench of a recording: asks the walkthrough, judges the samples, keeps each answer once."""

    problem: ProblemSpec
    model: ChatModel
    judge: Judge
    steps: int = 0
    recordings: dict[str, Recording] = field(default_factory=dict)
    notes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    _judged: dict[str, TestRun] = field(default_factory=dict)

    def ask(
        self,
        role: Role,
        prompt: Prompt,
        parse: Callable[[str], Parsed[T]],
        *,
        attempt: int,
        gist: str = "",
        detail: dict[str, Any] | None = None,
    ) -> Answer[T]:
        self.steps += 1
        request = ChatRequest(role, "", prompt.messages())
        reply = self.model.chat(request)
        recording = Recording.of(request, reply, recorded_at="", note=NOTE)
        self.recordings.setdefault(recording.prompt_digest, recording)
        return Answer(self.steps, reply.text, parse(reply.text))

    def run_samples(self, code: str, language: str, *, attempt: int) -> TestRun:
        self.steps += 1
        if code not in self._judged:
            self._judged[code] = self._judge(code, language)
        return self._judged[code]

    def _judge(self, code: str, language: str) -> TestRun:
        task = judging.task(self.problem, judging.sample_tests(self.problem), language)
        report = self.judge.judge(judging.program(code, language), task)
        shown = judging.cases(self.problem, report)
        return TestRun(
            self.steps, report.verdict.value, report.passed, report.total, shown, report.compiler_output
        )

    def note(self, kind: str, **detail: Any) -> None:
        self.notes.append((kind, detail))

    def play(self, params: Params) -> Outcome:
        return mapcoder(self.problem, self, params)


def settings(longest: int) -> Iterator[Params]:
    """All settings whose prompts can differ; `longest` is the greatest number of repairs of one plan."""
    for k, t, profile in product(K, range(longest + 3), PROFILES):
        yield Params(k=k, t=t, profile=profile)


def record(problem: ProblemSpec, judge: Judge) -> list[Recording]:
    """Every answer that a run over this problem can ask for, in the order of the first asking."""
    source = load(problem.id.removeprefix("starter/"))
    bench = Bench(problem, ScriptedModel([source]), judge)
    for params in settings(max(len(attempt.repairs) for attempt in source.walkthrough.attempts)):
        bench.play(params)
    return list(bench.recordings.values())


def line(recording: Recording) -> str:
    """Without the messages: the digest finds the answer, and the prompts would make the file four times as long."""
    return recording.model_dump_json(exclude_defaults=True, exclude={"messages"}) + "\n"


def recorded_lines(judge: Judge) -> Iterator[tuple[ProblemSpec, list[str]]]:
    for problem in committed():
        yield problem, [line(recording) for recording in record(problem, judge)]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m starter.record", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the file differs")
    check = parser.parse_args(argv).check
    lines: list[str] = []
    with Judge() as judge:
        for problem, found in recorded_lines(judge):
            sys.stdout.write(f"{problem.id:32}{len(found):4} answers\n")
            lines += found
    text = "".join(lines)
    if not check:
        ANSWERS.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{len(lines)} answers written to {ANSWERS.name}\n")
        return 0
    if ANSWERS.exists() and ANSWERS.read_text(encoding="utf-8") == text:
        sys.stdout.write(f"{ANSWERS.name} is up to date\n")
        return 0
    sys.stderr.write(
        f"{ANSWERS.name} is not what templates and walkthroughs give; run python -m starter.record\n"
    )
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
