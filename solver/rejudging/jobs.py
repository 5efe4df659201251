"""Judging many runs again, in workers: the row is the job, a place is judged by whoever holds its lease.

A second verdict and the end of its place are written in one transaction, so a worker that is killed leaves either both or
neither, and no run is judged twice by one job. First verdicts stay what they were.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import Error, IntegrityError, transaction
from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import Now

from solver import queue
from solver.judge import JudgeError
from solver.rejudging.judgement import NothingToJudge, judge_again
from solver.rejudging.models import PlaceState, RejudgedRun, Rejudging, RejudgingStatus
from trajectories import eventlog, queries
from trajectories.models import Run, RunQuerySet, RunStatus
from trajectories.row_leases import Hold, free, held
from trajectories.version import code_version
from trajectories.wilson import Share, share

log = logging.getLogger(__name__)
AT_ONCE = 10_000  # runs in one job
THREADS = 2  # messages at the start of a job: judging has processes of its own, more threads would only wait
_BATCH = 1000


class NothingToDo(ValueError):
    """No job can be started; the message is a sentence for people."""


def suited(runs: RunQuerySet) -> RunQuerySet:
    """Runs that ended with a verdict, hence with a program."""
    return runs.filter(status=RunStatus.FINISHED).exclude(verdict="")


def start(
    filters: Mapping[str, str], newest: int, *, request_id: str = "", created_by: str = ""
) -> Rejudging:
    """Those of the filters' runs that can be judged again, up to the run `newest`, oldest first and at most `AT_ONCE`.

    The same `request_id` again is the same job. Raises NothingToDo, and BadExpression where the filter cannot be read.
    """
    found = suited(queries.matching_runs(filters).order_by()).filter(pk__lte=newest)
    return _start(found.order_by("pk"), filters, request_id or uuid.uuid4().hex, created_by)


def start_one(run: Run, *, request_id: str = "", created_by: str = "") -> Rejudging:
    """Raises NothingToDo."""
    found = suited(Run.objects.filter(pk=run.pk))
    return _start(found, {}, request_id or uuid.uuid4().hex, created_by)


def _start(found: RunQuerySet, filters: Mapping[str, str], request_id: str, created_by: str) -> Rejudging:
    if known := Rejudging.objects.filter(request_id=request_id).first():
        return known
    keys = list(found.values_list("pk", "verdict")[:AT_ONCE])
    if not keys:
        raise NothingToDo("No run here has ended with a program, so there is nothing to judge again.")
    try:
        with transaction.atomic():
            job = Rejudging.objects.create(
                request_id=request_id,
                filters=dict(filters),
                total=len(keys),
                code_version=code_version(),
                created_by=created_by,
            )
            RejudgedRun.objects.bulk_create(
                (RejudgedRun(job=job, run_id=pk, before=verdict) for pk, verdict in keys), batch_size=_BATCH
            )
    except IntegrityError:  # the same request arrived twice at once
        return Rejudging.objects.get(request_id=request_id)
    for _ in range(min(THREADS, len(keys))):
        queue.publish_rejudging(job.pk)
    return job


def work(job_id: int, owner: str) -> int:
    """Judge what waits until nothing does; returns how many were judged here."""
    done = 0
    while place := _waiting(job_id).first():
        with held(RejudgedRun, place.pk, Q(state=PlaceState.WAITING), owner) as hold:
            if hold is not None:
                _judge(place.run_id, hold)
                done += 1
    _end(job_id)
    return done


def _waiting(job_id: int) -> QuerySet[RejudgedRun]:
    going = RejudgedRun.objects.filter(job=job_id, job__status=RejudgingStatus.RUNNING)
    return going.filter(free(), state=PlaceState.WAITING).order_by("pk")


def _judge(run_id: int, hold: Hold) -> None:
    run = Run.objects.select_related("problem__body").get(pk=run_id)
    try:
        event = judge_again(run)
    except (NothingToJudge, JudgeError) as error:
        hold.mine().update(state=PlaceState.NOT_JUDGED, message=str(error)[:1000])
        return
    except Error:
        raise  # says nothing of the program: the place waits, the reaper announces the job again
    except Exception as error:  # one program must not stop all others
        log.exception("run %s could not be judged again", run_id)
        told = f"The judge broke off ({type(error).__name__}); the log of the judge's worker says where."
        hold.mine().update(state=PlaceState.NOT_JUDGED, message=told)
        return
    with transaction.atomic():
        if not hold.is_mine():
            return
        if eventlog.append_unowned(run_id, event, when=[RunStatus.FINISHED]) is None:
            hold.mine().update(state=PlaceState.NOT_JUDGED, message="The run was taken up again meanwhile.")
            return
        hold.mine().update(state=PlaceState.JUDGED, verdict=event.verdict)


def _end(job_id: int) -> None:
    if not RejudgedRun.objects.filter(job=job_id, state=PlaceState.WAITING).exists():
        Rejudging.objects.filter(pk=job_id).move(RejudgingStatus.FINISHED)


def cancel(job_id: int) -> bool:
    """What waits is not judged; what was judged stays. False if the job had ended."""
    return Rejudging.objects.filter(pk=job_id).move(RejudgingStatus.CANCELLED) == 1


def abandoned() -> list[int]:
    """Jobs with places that wait while nobody is at any of them: their messages were lost, or their workers."""
    going = Rejudging.objects.filter(status=RejudgingStatus.RUNNING)
    at_work = Q(places__state=PlaceState.WAITING) & ~Q(places__lease_owner="")
    counted = going.annotate(held=Count("places", filter=at_work & Q(places__lease_expires_at__gt=Now())))
    return list(counted.filter(held=0).order_by("pk").values_list("pk", flat=True))


@dataclass(frozen=True, slots=True)
class Outcome:
    """`changed`: verdict before and after, how many, most first. `kept` of the judged have the verdict they had."""

    waiting: int
    judged: int
    not_judged: int
    kept: Share
    solved_before: int
    solved_now: int
    changed: list[tuple[str, str, int]]

    @property
    def other(self) -> int:
        return self.kept.n - self.kept.hits


def outcome(job: Rejudging) -> Outcome:
    places = RejudgedRun.objects.filter(job=job).order_by()
    states = dict(places.values_list("state").annotate(n=Count("pk")))
    judged = places.filter(state=PlaceState.JUDGED)
    pairs = judged.values_list("before", "verdict").annotate(n=Count("pk"))
    counted = sorted(pairs, key=lambda row: -row[2])
    total = states.get(PlaceState.JUDGED, 0)
    return Outcome(
        waiting=states.get(PlaceState.WAITING, 0),
        judged=total,
        not_judged=states.get(PlaceState.NOT_JUDGED, 0),
        kept=share(sum(n for before, now, n in counted if before == now), total),
        solved_before=sum(n for before, _, n in counted if before == "AC"),
        solved_now=sum(n for _, now, n in counted if now == "AC"),
        changed=[(before, now, n) for before, now, n in counted if before != now],
    )


def changed(job: Rejudging) -> QuerySet[RejudgedRun]:
    """Places whose second verdict is another one, and those without one; newest runs last."""
    moved = Q(state=PlaceState.JUDGED) & ~Q(verdict=F("before"))
    found = RejudgedRun.objects.filter(job=job).filter(moved | Q(state=PlaceState.NOT_JUDGED))
    return found.select_related("run__problem").order_by("pk")
