"""Marks of one answer, by the role's own measure: format, tags, plan agreement, first-try pass.

Retrieval is right when it names the teacher's algorithm tags, planning when the plan is the teacher's but for spacing (or the
confidence is on the same side of 50), coding and debugging when the program passes every test of the problem.
"""

from __future__ import annotations

from dataclasses import dataclass

from solver import judge_pool, judging
from solver.agents import coding, debugging, planning, retrieval
from solver.agents.languages import language
from solver.judge import JudgeError
from training.models import Example


@dataclass(frozen=True, slots=True)
class Mark:
    """`right` None: this prompt has no measure here, such as a program whose problem or whose language is not in the lab."""

    failure: str
    right: bool | None


def mark(role: str, example: Example, answer: str) -> Mark:
    if role == "retrieval":
        return _retrieval(example, answer)
    if role == "planning":
        return _planning(example, answer)
    return _program(role, example, answer)


def _retrieval(example: Example, answer: str) -> Mark:
    """As many exemplars were asked for as the teacher gave."""
    wanted = retrieval.parse_tolerant(example.answer).value
    told = retrieval.parse_tolerant(answer, k=len(wanted.exemplars) if wanted else None)
    failure = told.failure.value if told.failure else ""
    if wanted is None:
        return Mark(failure, None)
    return Mark(failure, told.value is not None and _tags(told.value.algorithm) == _tags(wanted.algorithm))


def _tags(text: str) -> frozenset[str]:
    return frozenset(tag.strip().lower() for tag in text.split(",") if tag.strip())


def _planning(example: Example, answer: str) -> Mark:
    """Planning answers two questions; the teacher's answer shows which one this is."""
    wanted = planning.parse_confidence_strict(example.answer).value
    if wanted is not None:
        strict = planning.parse_confidence_strict(answer)
        told = planning.parse_confidence_tolerant(answer).value
        right = told is not None and (told.score > 50) == (wanted.score > 50)
        return Mark(strict.failure.value if strict.failure else "", right)
    plan = planning.parse_plan_strict(answer)
    return Mark(plan.failure.value if plan.failure else "", answer.split() == example.answer.split())


def _program(role: str, example: Example, answer: str) -> Mark:
    """In the language that the run was asked for from which the row came."""
    reader = coding if role == "coding" else debugging
    wanted = example.run.language if example.run else "python"
    strict = reader.parse_strict(answer)
    failure = strict.failure.value if strict.failure else ""
    if example.problem is None or wanted not in judge_pool.languages():
        return Mark(failure, None)
    code = reader.parse_tolerant(answer, language(wanted)).value
    if code is None:
        return Mark(failure, False)
    problem = example.problem.spec()
    try:
        report = judge_pool.judge().judge(
            judging.program(code, wanted), judging.task(problem, problem.tests, wanted)
        )
    except (JudgeError, ValueError):
        return Mark(failure, None)
    return Mark(failure, report.verdict.value == "AC")
