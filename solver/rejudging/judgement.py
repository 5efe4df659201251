"""Judging a run's program again, with today's judge, beside the verdict it was given then."""

from __future__ import annotations

from solver import judge_pool, judging
from solver.judge import JudgeError, Verdict
from solver.recorder import MOST_TIME_OUTS
from trajectories.events import Rejudged
from trajectories.models import Run, StepEvent
from trajectories.verdicts import strip


class NothingToJudge(ValueError):
    """The run has not ended with a program."""


def program_of(run: Run) -> str:
    """The program the run submitted. Raises NothingToJudge."""
    ending = StepEvent.objects.filter(run=run, kind="run.finished").order_by("-seq").first()
    code = ending.payload.get("code") if ending else None
    if not code:
        raise NothingToJudge(
            f"Run {run.pk} has not ended with a program; only such runs can be judged again."
        )
    return str(code)


def judge_again(run: Run) -> Rejudged:
    """The event to write; nothing is written here. Raises NothingToJudge, and JudgeError where the judge cannot judge."""
    code, problem = program_of(run), run.problem.spec()
    report = judge_pool.judge().judge(
        judging.program(code, run.language),
        judging.task(problem, problem.tests, run.language),
        profile=run.judge_profile,
        most_time_outs=MOST_TIME_OUTS,
    )
    if report.verdict is Verdict.IE:
        raise JudgeError(f"The judge itself failed, which says nothing of the program: {report.reason}")
    return Rejudged(
        before=run.verdict,
        verdict=report.verdict.value,
        passed=report.passed,
        total=report.total,
        strip=strip([result.verdict.value for result in report.results]),
        report=judging.slim(report),
    )
