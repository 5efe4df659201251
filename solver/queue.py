"""Ringing the workers: a message carries a row's id and nothing else. A lost message is sent again by the reaper."""

from __future__ import annotations

import logging

from celery import current_app
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)


def publish_run(run_id: int) -> bool:
    """Tell the `infer` workers about a queued run; False if the broker is away (the reaper will try again)."""
    return _send("solver.tasks.run", run_id)


def publish_rejudging(job_id: int) -> bool:
    return _send("solver.tasks.rejudge", job_id)


def publish_export(export_id: int) -> bool:
    return _send("solver.tasks.export_runs", export_id)


def _send(task: str, run_id: int) -> bool:
    try:
        current_app.send_task(task, args=[run_id], retry=False)
    except (OperationalError, OSError) as error:
        log.warning("%s(%s) not sent, the reaper will: %s", task, run_id, error)
        return False
    return True
