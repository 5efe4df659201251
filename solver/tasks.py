"""Celery's entry points: one call each, ids only. Everything they do is a verb that tests call directly."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from datetime import timedelta
from typing import Any

from celery import shared_task
from celery.signals import worker_ready, worker_shutting_down
from django.conf import settings
from django.db import Error, connection
from django.db.models import Q
from django.utils.timezone import now

from solver import queue, replays, runs, scheduler
from solver.answers import store as answers
from solver.campaigns import execution as campaigns
from solver.rejudging import jobs as rejudging
from trajectories import leases
from trajectories.exporters import bulk
from trajectories.models import Run, RunStatus, Worker

log = logging.getLogger(__name__)
REPUBLISH_AFTER = timedelta(seconds=60)
PUBLISH_AT_ONCE = 500
BEAT_S = 5.0


def worker_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


seats = scheduler.Seats(settings.RUNS_PER_WORKER)
FRUITLESS = 20  # rounds in which others were faster, after which the reaper's next message has to do


@shared_task
def run(run_id: int) -> None:
    """Work until nothing waits that this thread may take. The message says that something does; which, the rows say."""
    fruitless = 0
    while fruitless < FRUITLESS and (waiting := _take()) is not None:
        campaign = waiting.campaign is not None
        with seats.taken(campaign) as seated:
            done = seated and runs.execute(waiting.run, worker_name())
        if not done and runs.stopping():
            return
        fruitless = 0 if done else fruitless + 1
        campaigns.run_ended(waiting.run)
        replays.run_ended(waiting.run)


def _take() -> scheduler.Waiting | None:
    """Without a free seat for campaigns only single runs: a thread that ends one of a campaign takes its next."""
    return scheduler.next_run(campaigns_too=seats.campaign_runs < seats.campaign_most)


@shared_task
def rejudge(job_id: int) -> None:
    rejudging.work(job_id, worker_name())


@shared_task
def export_runs(export_id: int) -> None:
    bulk.work(export_id, worker_name())


@shared_task
def reap() -> None:
    """Return orphans to the queue and tell the workers about runs whose message is missing."""
    leases.reap()
    stale = Q(published_at=None) | Q(published_at__lt=now() - REPUBLISH_AFTER)
    waiting = Run.objects.filter(stale, status=RunStatus.QUEUED).order_by("id")
    for run_id in waiting.values_list("pk", flat=True)[:PUBLISH_AT_ONCE]:
        runs.publish(run_id)
    for export_id in bulk.waiting():
        queue.publish_export(export_id)
    for job_id in rejudging.abandoned():
        queue.publish_rejudging(job_id)
    campaigns.tick()
    answers.evict()
    replays.settle_missed()
    Worker.objects.filter(beat_at__lt=now() - timedelta(days=1)).delete()


@worker_ready.connect
def _sign_of_life(sender: Any, **_: Any) -> None:
    """A row of the worker's own, beaten from a thread: "process up" is not "worker alive"."""
    kind = str(sender.hostname).partition("@")[0]

    def beats() -> None:
        while True:
            try:
                Worker.objects.update_or_create(name=worker_name(), defaults={"kind": kind, "beat_at": now()})
            except Error:  # psycopg's InterfaceError is no DatabaseError
                log.exception("sign of life not written")
            connection.close()
            time.sleep(BEAT_S)

    threading.Thread(target=beats, name="sign-of-life", daemon=True).start()


@worker_shutting_down.connect
def _give_runs_back(**_: Any) -> None:
    # The signal arrives on the main thread; database work belongs on another.
    thread = threading.Thread(target=_shut_down, name="give-back")
    thread.start()
    thread.join(3)


def _shut_down() -> None:
    try:
        runs.shut_down()
        Worker.objects.filter(name=worker_name()).delete()
    finally:
        connection.close()
