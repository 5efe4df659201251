"""Celery's entry points of training runs and exams: one call each, ids only. `training.tasks` has the others."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down
from django.db import connection
from django.db.models import Q
from django.utils.timezone import now

from solver.tasks import worker_name
from training import evaluation, exams, launch, training_leases, training_runs
from training.models import Exam, TrainingRun
from training.run_models import TrainingStatus

log = logging.getLogger(__name__)
REPUBLISH_AFTER = timedelta(seconds=30)


@shared_task(name="training.train")
def train(run_id: int) -> None:
    if launch.execute(run_id, worker_name()):
        _next()


def _next() -> None:
    """A device is free: the oldest waiting run may have it now."""
    waiting = TrainingRun.objects.filter(status=TrainingStatus.QUEUED).order_by("pk")
    for run_id in waiting.values_list("pk", flat=True)[:4]:
        training_runs.publish(run_id)


@shared_task(name="training.exam")
def exam(exam_id: int) -> None:
    exams.execute(exam_id)


@shared_task(name="training.reap")
def reap_training() -> None:
    """Return orphans to the queue, ring for runs whose message is missing, settle evaluations."""
    training_leases.reap()
    stale = Q(published_at=None) | Q(published_at__lt=now() - REPUBLISH_AFTER)
    waiting = TrainingRun.objects.filter(stale, status=TrainingStatus.QUEUED).order_by("pk")
    for run_id in waiting.values_list("pk", flat=True)[:16]:
        training_runs.publish(run_id)
    for exam_id in Exam.objects.claimable().values_list("pk", flat=True)[:16]:
        exams.publish(exam_id)
    evaluation.catch_up()
    evaluation.settle()


@worker_shutting_down.connect
def _save_and_requeue(**_: Any) -> None:
    # The signal arrives on the main thread; database work belongs on another.
    def stop() -> None:
        try:
            launch.shut_down()
        finally:
            connection.close()

    thread = threading.Thread(target=stop, name="training-stop")
    thread.start()
    thread.join(3)
