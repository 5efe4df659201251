"""Training pairs for the four adapters, by the two ways of MapCoder-Lite and from the training split alone.

- Teacher trajectories: the served oracle runs the whole pipeline; what it wrote is kept if the program passes.
- On-policy repairs: the student plans and codes, the teacher repairs; the last repair is kept if it passes.
- Drafts: the teacher repairs programs with a known kind of mistake.
- Corrections: where the student's first program fails, the supervisor names the agent to blame, that agent's answer
  is replaced, everything after it is done again by the student, and the new answer is kept if the program passes.

A pair is the agent's own prompt and the answer: nothing of the supervisor's words is in it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from micro import oracle, whole_files
from micro.chain import Split
from micro.corpus import Document, failed_attempt, turn, wrong_chain
from micro.problem import MAX_TRANSFORMS, MicroProblem, complete
from micro.prompting import Prompter
from micro.staff import MixedStaff, students, supervisor, teachers
from micro.trajectory import Call, Trajectory
from micro.workbench import PARAMS, solve_all
from solver.engines.protocol import ChatModel, Role
from solver.judge import Judge, Program, StdioTest, Task
from trajectories.agents import AGENTS

TRAINING_TESTS = 8
Tell = Callable[[str, int, int], None]


@dataclass
class Pairs:
    """(prompt, answer) by agent; `counts` is the yield of each way."""

    of: dict[str, list[tuple[str, str]]] = field(default_factory=lambda: {agent: [] for agent in AGENTS})
    counts: dict[str, int] = field(default_factory=dict)

    def keep(self, agent: str, way: str, prompt: str, answer: str) -> None:
        self.of[agent].append((prompt, answer))
        self.count(f"{way}: {agent} pairs")

    def count(self, what: str, number: int = 1) -> None:
        self.counts[what] = self.counts.get(what, 0) + number

    def documents(self, agent: str) -> list[Document]:
        return [turn(prompt, answer) for prompt, answer in self.of[agent]]

    def save(self, path: Path) -> None:
        whole_files.write(path, json.dumps({"pairs": self.of, "counts": self.counts}))

    @classmethod
    def load(cls, path: Path) -> Pairs:
        data = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            {agent: [(p, a) for p, a in pairs] for agent, pairs in data["pairs"].items()}, data["counts"]
        )

    def extend(self, other: Pairs) -> None:
        for agent, pairs in other.of.items():
            self.of[agent] += pairs
        for what, number in other.counts.items():
            self.count(what, number)


def training_problems(seed: str, count: int, longest_chain: int = MAX_TRANSFORMS) -> list[MicroProblem]:
    """Longer chains more often: they are the harder ones."""
    rng = random.Random(f"micro training problems {seed}")
    options = [length for length in (1, 2, 2, 3, 3) if length <= longest_chain]
    lengths = [rng.choice(options) for _ in range(count)]
    return [complete(rng, length, Split.TRAIN, TRAINING_TESTS) for length in lengths]


def teacher_trajectories(
    problems: Sequence[MicroProblem], teacher: ChatModel, judge: Judge, tell: Tell
) -> Pairs:
    """Retrieval from every run that passes; the rest only where the first program did, so that no wrong plan or
    code is kept because a repair hid it."""
    pairs = Pairs()
    staff = teachers(teacher)
    runs = solve_all(problems, lambda _: staff, judge, progress=partial(tell, "teacher"))
    for run in runs:
        pairs.count("teacher: runs")
        if not run.passed:
            continue
        pairs.count("teacher: runs passed")
        _keep(pairs, "teacher", run.of("retrieval"))
        if run.first_passed:
            _keep(pairs, "teacher", run.of("planning") + run.of("confidence") + run.of("coding"))
    return pairs


def _keep(pairs: Pairs, way: str, calls: Sequence[Call]) -> None:
    for call in calls:
        pairs.keep(Role(call.role).agent, way, call.prompt, call.text)


def drafts(problems: Sequence[MicroProblem], judge: Judge, seed: str, tell: Tell) -> Pairs:
    """Programs with a known kind of mistake, really judged on the sample, and wrong plans for the confidence call."""
    rng = random.Random(f"micro drafts {seed}")
    pairs = Pairs()
    for number, problem in enumerate(problems, 1):
        plan, code = failed_attempt(rng, problem)
        task = Task((StdioTest(problem.sample.input, (problem.sample.output,)),))
        report = judge.judge(Program(code), task)
        pairs.count("drafts: judged")
        if report.verdict.value != "AC":
            result = report.results[0]
            prompt = Prompter(problem).debugging(
                plan, code, result.verdict.value, result.stdout, result.reason, report.compiler_output
            )
            pairs.keep("debugging", "drafts", prompt, oracle.debugging(problem.chain))
        wrong = oracle.planning(wrong_chain(rng, problem.chain))
        pairs.keep(
            "planning", "drafts", Prompter(problem).confidence(wrong), oracle.confidence(problem.chain, wrong)
        )
        if number % 200 == 0:
            tell("drafts", number, len(problems))
    return pairs


def student_trajectories(
    problems: Sequence[MicroProblem], student: ChatModel, teacher: ChatModel, judge: Judge, tell: Tell
) -> tuple[Pairs, list[Trajectory]]:
    """On-policy repairs, and the true verdict on the plans that the student really makes."""
    pairs = Pairs()
    staff = MixedStaff(students(student, {}), {Role.DEBUGGING: teachers(teacher).answer})
    runs = solve_all(problems, lambda _: staff, judge, progress=partial(tell, "student"))
    for run, problem in zip(runs, problems, strict=True):
        pairs.count("student: runs")
        if run.first_passed:
            pairs.count("student: first program passed")
        repairs = run.of("debugging")
        if repairs and run.passed:
            pairs.keep("debugging", "student", repairs[-1].prompt, repairs[-1].text)
        for asked, plan in zip(run.of("confidence"), run.of("planning"), strict=True):
            pairs.keep("planning", "student", asked.prompt, oracle.confidence(problem.chain, plan.text))
    return pairs, runs


def corrections(
    problems: Sequence[MicroProblem],
    runs: Sequence[Trajectory],
    student: ChatModel,
    judge: Judge,
    tell: Tell,
) -> Pairs:
    """Blame, revise, replay, keep on pass; when the replay still fails, the coder is blamed as well."""
    pairs = Pairs()
    blamed = {
        index: frozenset({blame(problem, run)})
        for index, (problem, run) in enumerate(zip(problems, runs, strict=True))
        if not run.first_passed
    }
    for round_name in ("supervisor, first blame", "supervisor, second blame"):
        failed = _replay(problems, blamed, student, judge, pairs, partial(tell, round_name))
        blamed = {i: blamed[i] | {Role.CODING} for i in failed if Role.CODING not in blamed[i]}
        if not blamed:
            break
    return pairs


def blame(problem: MicroProblem, run: Trajectory) -> Role:
    """The first agent whose answer does not say what the problem means."""
    plans = run.of("planning")
    right = plans and plans[0].text.strip() == oracle.planning(problem.chain)
    return Role.CODING if right else Role.PLANNING


def _replay(
    problems: Sequence[MicroProblem],
    blamed: dict[int, frozenset[Role]],
    student: ChatModel,
    judge: Judge,
    pairs: Pairs,
    tell: Callable[[int, int], None],
) -> list[int]:
    """Run the blamed problems again with the revised answers; the indexes of those that fail all the same."""
    indexes = sorted(blamed)
    usual = students(student, {})
    again = solve_all(
        [problems[i] for i in indexes],
        lambda place: MixedStaff(usual, dict.fromkeys(blamed[indexes[place]], supervisor)),
        judge,
        params=replace(PARAMS, t=0),
        progress=tell,
    )
    failed = []
    for index, run in zip(indexes, again, strict=True):
        pairs.count("supervisor: replays")
        if not run.passed:
            failed.append(index)
            continue
        pairs.count("supervisor: replays passed")
        for role in sorted(blamed[index]):
            _keep(pairs, "supervisor", run.of(role.value))
    return failed
