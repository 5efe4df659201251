"""Working on a campaign in this process, without a broker: the same claims, leases and verbs as any worker's.

May run beside real workers, and beside another of its kind: the rows decide who does what.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time

from django.db import Error, connection

from solver import runs
from solver.campaigns import execution
from solver.campaigns.models import Campaign, CampaignRun, CampaignStatus, SlotState

log = logging.getLogger(__name__)
IDLE_S = 0.2
ADVANCE_S = 1.0


class LocalWorkers:
    """Threads that take the campaign's runs until it has ended or `stop` was called."""

    def __init__(self, campaign_id: int, threads: int) -> None:
        self.campaign_id = campaign_id
        self.name = f"{socket.gethostname()}:{os.getpid()}:evaluate"
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._mine: set[int] = set()
        self._advanced = 0.0  # when one of the threads last did
        self._threads = [
            threading.Thread(target=self._work, name=f"evaluate-{number}", daemon=True)
            for number in range(threads)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def alive(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def wait(self, seconds: float) -> bool:
        """Whether all work has ended, after at most about this long."""
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        return not self.alive()

    def stop(self) -> None:
        """Give what is under way back to the queue; the next worker goes on after the last finished step."""
        self._stop.set()
        runs.shut_down()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        try:
            while not self._stop.is_set():
                try:
                    if self._round():
                        return
                except Error:
                    # The lease of a run under way runs out, and the run is taken up again, here or elsewhere.
                    log.exception("campaign %s: the database was away", self.campaign_id)
                    connection.close()  # or this thread would go on with the broken one
                    self._stop.wait(IDLE_S)
        finally:
            connection.close()

    def _round(self) -> bool:
        """Work on one run, or wait a little where there is none; whether nothing is left to do."""
        taken = self._take()
        try:
            if taken is not None:
                runs.execute(taken, self.name)
                execution.run_ended(taken, publish_to_workers=False)
            elif self._over():
                return True
            else:
                if time.monotonic() - self._advanced > ADVANCE_S:  # retries that are due, orphans of others
                    self._advanced = time.monotonic()
                    execution.advance(self.campaign_id, publish_to_workers=False)
                self._stop.wait(IDLE_S)
        finally:
            self._drop(taken)
        return False

    def _take(self) -> int | None:
        with self._lock:
            free = [run for run in execution.claimable(self.campaign_id) if run not in self._mine]
            if not free:
                return None
            self._mine.add(free[0])
            return free[0]

    def _drop(self, run_id: int | None) -> None:
        with self._lock:
            self._mine.discard(run_id or 0)

    def _over(self) -> bool:
        """Nothing is left to do here: ended, or stopped with nothing under way."""
        status = Campaign.objects.values_list("status", flat=True).get(pk=self.campaign_id)
        if status == CampaignStatus.RUNNING:
            return False
        active = CampaignRun.objects.filter(campaign=self.campaign_id, state=SlotState.ACTIVE, retry_at=None)
        return status == CampaignStatus.FINISHED or not active.exists()
