"""Celery's entry points of this room: one call each, ids only. Everything they do is a verb that tests call directly."""

from __future__ import annotations

import logging

from celery import current_app, shared_task
from kombu.exceptions import OperationalError

from solver.tasks import worker_name
from training import blame, examples, training_tasks
from training.datasets import lifecycle as datasets
from training.datasets.build import build
from training.distillation import lifecycle as distillation
from training.supervision import lifecycle as supervision
from training.supervision.work import work

__all__ = ["training_tasks"]  # Celery looks for tasks in this module alone
log = logging.getLogger(__name__)
AT_ONCE = 4  # workers that look for cases; the `infer` workers have runs to do as well
CASES_A_MESSAGE = 8


@shared_task
def supervise(case_id: int) -> None:
    """Bring this case forward, then a few others that nobody is at."""
    work(case_id, worker_name())
    for _ in range(CASES_A_MESSAGE - 1):
        if not any(work(pk, worker_name()) for pk in supervision.workable(limit=AT_ONCE * 2)):
            return


@shared_task
def build_version(version_id: int) -> None:
    build(version_id, worker_name())


def ring_build(version_id: int) -> None:
    """Tell a worker about a version that waits to be built."""
    _send("training.tasks.build_version", version_id)


@shared_task
def curate() -> None:
    """What nobody is going to do otherwise: cases that can go on, versions to build, examples whose judgements changed."""
    for version_id in datasets.waiting():
        ring_build(version_id)
    for case_id in supervision.workable(limit=AT_ONCE):
        _send("training.tasks.supervise", case_id)
    for part in (distillation.keep_going, blame.settle_replays, examples.settle):
        try:
            part()
        except Exception:  # a defect in one job must not stop what others wait for
            log.exception("%s", part.__name__)


def _send(task: str, row: int) -> None:
    """A door bell; the next round of `curate` rings again where it was lost."""
    try:
        current_app.send_task(task, args=[row], retry=False)
    except (OperationalError, OSError) as error:
        log.warning("%s(%s) not sent: %s", task, row, error)
