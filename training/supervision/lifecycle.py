"""Supervision as verbs: start, pause, resume, cancel, try again; and what keeps a job going."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.timezone import now

from solver import engine_book, runs
from solver.campaigns.models import Campaign, CampaignRun
from solver.engines.protocol import EngineUnreachable
from training.spec_text import BadJob
from training.supervision.models import (
    CaseState,
    Supervision,
    SupervisionCase,
    SupervisionStatus,
)
from training.supervision.spec import FailedRuns, SupervisionSpec
from trajectories.models import Run, RunQuerySet, RunStatus
from trajectories.spec_text import Fault
from trajectories.version import code_version

MOST_RUNS = 100_000
AWAY = (EngineUnreachable.code, "judge_unavailable")  # how a revision ends that can go on once they are back


def failed_runs(wanted: FailedRuns) -> tuple[list[int], list[Fault]]:
    """Runs that ended with a verdict other than accepted, or without a program, and that can be branched."""
    found: RunQuerySet = Run.objects.filter(status=RunStatus.FINISHED, imported_from="").exclude(verdict="AC")
    # What a feedback or another model changed cannot be replayed as a frozen part of yet another branch.
    found = found.filter(Q(branch_of=None) | Q(branch__kind="edit"))
    faults = []
    if wanted.campaign is not None:
        if not Campaign.objects.filter(pk=wanted.campaign).exists():
            return [], [Fault("runs.campaign", f"There is no campaign {wanted.campaign}.")]
        slots = CampaignRun.objects.filter(campaign=wanted.campaign, run__isnull=False)
        found = found.filter(pk__in=slots.values("run"))
    if wanted.ids:
        found = found.filter(pk__in=wanted.ids)
        missing = sorted(set(wanted.ids) - set(found.values_list("pk", flat=True)))
        if missing:
            names = ", ".join(map(str, missing[:5]))
            why = "not there, not finished, imported, accepted, or itself a replay; only finished runs that failed are supervised"
            faults.append(Fault("runs.ids", f"Run {names}: {why}."))
    ids = list(
        found.filter(steps__role__in=["planning", "coding"])
        .distinct()
        .order_by("pk")
        .values_list("pk", flat=True)[: wanted.limit or MOST_RUNS]
    )
    if not ids and not faults:
        faults.append(Fault("runs", "No failed run is among these; there is nothing to correct."))
    return ids, faults


def check(spec: SupervisionSpec) -> list[int]:
    """The runs to supervise. Raises BadJob with every mistake found."""
    ids, faults = failed_runs(spec.runs)
    for field, name in (("supervisor", spec.supervisor), ("teacher", spec.teacher)):
        if name:
            try:
                engine_book.get(name)
            except LookupError as error:
                faults.append(Fault(field, f"{error}."))
    if faults:
        raise BadJob(faults)
    return ids


def start(spec: SupervisionSpec, *, request_id: str = "", created_by: str = "") -> Supervision:
    """The same `request_id` again returns the job it started first. Raises BadJob."""
    request_id = request_id or uuid.uuid4().hex
    if known := Supervision.objects.filter(request_id=request_id).first():
        return known
    ids = check(spec)
    try:
        with transaction.atomic():
            job = Supervision.objects.create(
                name=spec.name,
                spec=spec.canonical(),
                spec_digest=spec.digest(),
                request_id=request_id,
                created_by=created_by,
                code_version=code_version(),
            )
            SupervisionCase.objects.bulk_create(
                (SupervisionCase(supervision=job, run_id=pk, position=at) for at, pk in enumerate(ids)),
                batch_size=1000,
            )
    except IntegrityError:  # the same request arrived twice at once
        return Supervision.objects.get(request_id=request_id)
    return job


def pause(job_id: int, *, reason: str = "", message: str = "") -> bool:
    return bool(_job(job_id).move(SupervisionStatus.PAUSED, reason=reason, message=message))


def resume(job_id: int) -> bool:
    """Go on; cases that could not be decided are tried again, with the votes they have, and revisions that ended because an
    engine or the judge was away go on as the runs they are: read as they stand they would pause the job again."""
    with transaction.atomic():
        if not _job(job_id).move(SupervisionStatus.RUNNING, reason="", message="", finished_at=None):
            return False
        cases = SupervisionCase.objects.filter(supervision=job_id)
        cases.filter(state=CaseState.FAILED).update(state=CaseState.WAITING, message="")
        away = cases.filter(
            state=CaseState.REVISING,
            branch__status=RunStatus.FAILED,
            branch__reason__in=AWAY,
        )
        for branch in away.values_list("branch", flat=True):
            assert branch is not None
            runs.retry(branch)
    return True


def cancel(job_id: int) -> bool:
    return bool(_job(job_id).move(SupervisionStatus.CANCELLED, finished_at=now()))


def finish_if_done(job_id: int) -> None:
    if not SupervisionCase.objects.open().filter(supervision=job_id).exists():
        running = Supervision.objects.filter(pk=job_id, status=SupervisionStatus.RUNNING)
        running.move(SupervisionStatus.FINISHED, finished_at=now())


def _job(job_id: int) -> Any:
    return Supervision.objects.filter(pk=job_id)


def workable(job_id: int | None = None, limit: int = 64) -> list[int]:
    found = SupervisionCase.objects.workable()
    if job_id is not None:
        found = found.filter(supervision=job_id)
    return list(found.order_by("supervision_id", "position").values_list("pk", flat=True)[:limit])
