"""Judging a run's program again, with today's judge, beside the verdict it was given then."""

from __future__ import annotations

from solver import judge_pool, judging
from trajectories import eventlog
from trajectories.events import Rejudged
from trajectories.models import Run, RunStatus, StepEvent
from trajectories.verdicts import strip


class NothingToJudge(ValueError):
    """The run has not ended with a program."""


def program_of(run: Run) -> str:
    """The program the run submitted. Raises NothingToJudge."""
    ending = StepEvent.objects.filter(run=run, kind="run.finished").order_by("-seq").first()
    code = ending.payload.get("code") if ending else None
    if not code:
        raise NothingToJudge(f"run {run.pk} has not ended with a program; only such runs can be judged again")
    return str(code)


def rejudge(run_id: int) -> Rejudged:
    """Judge again and append the result to the run's log; the first verdict stays what it was."""
    run = Run.objects.select_related("problem__body").get(pk=run_id)
    code, problem = program_of(run), run.problem.spec()
    report = judge_pool.judge().judge(
        judging.program(code, run.language),
        judging.task(problem, problem.tests, run.language),
        profile=run.judge_profile,
    )
    event = Rejudged(
        before=run.verdict,
        verdict=report.verdict.value,
        passed=report.passed,
        total=report.total,
        strip=strip([result.verdict.value for result in report.results]),
        report=judging.slim(report),
    )
    eventlog.append_unowned(run_id, event, when=[RunStatus.FINISHED])
    return event
