"""The row decides who works: one owner at a time, orphans come back, nothing runs twice."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import InterfaceError, connection
from pytest_django import Settings

from tests.conftest import PATIENCE_S
from tests.factories import claimed_run, make_run
from trajectories import leases
from trajectories.beating import beating
from trajectories.models import Run, RunStatus

pytestmark = pytest.mark.django_db(transaction=True)
LONG_AGO = "2000-01-01T00:00:00Z"


def test_a_queued_run_is_claimed_once() -> None:
    run = make_run()
    assert leases.claim(run.pk, "a") == 1
    assert leases.claim(run.pk, "b") is None
    run.refresh_from_db()
    assert (run.status, run.lease_owner) == (RunStatus.RUNNING, "a")
    assert run.started_at is not None


def test_of_eight_workers_that_claim_at_once_exactly_one_wins() -> None:
    run = make_run()
    gate, won = threading.Barrier(8), []

    def claim(name: str) -> None:
        try:
            gate.wait()
            if leases.claim(run.pk, name) is not None:
                won.append(name)
        finally:
            connection.close()

    threads = [threading.Thread(target=claim, args=(str(n),)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1


@pytest.mark.parametrize("status", [RunStatus.FINISHED, RunStatus.CANCELLED, RunStatus.FAILED])
def test_an_ended_run_cannot_be_claimed(status: RunStatus) -> None:
    assert leases.claim(make_run(status=status).pk, "a") is None


def test_a_claim_is_told_its_own_fence_even_if_it_was_overtaken_at_once() -> None:
    """A worker that was paused past its lease right after it had won would else write under the next one's fence."""
    run = make_run()
    next_one: list[int | None] = []

    def overtake(execute: Any, sql: str, *rest: Any) -> Any:
        done = execute(sql, *rest)
        if sql.startswith("UPDATE") and '"lease_owner"' in sql and not next_one:
            next_one.append(None)
            Run.objects.filter(pk=run.pk).update(lease_expires_at=LONG_AGO)
            next_one[0] = leases.claim(run.pk, "next")
        return done

    with connection.execute_wrapper(overtake):
        mine = leases.claim(run.pk, "paused")
    assert (mine, next_one) == (1, [2])
    assert not leases.renew(run.pk, 1) and leases.renew(run.pk, 2)


def test_an_orphan_is_reaped_into_the_queue_and_can_be_claimed_again() -> None:
    run, fence = claimed_run()
    assert leases.reap() == 0
    Run.objects.filter(pk=run.pk).update(lease_expires_at=LONG_AGO)
    assert leases.reap() == 1
    run.refresh_from_db()
    assert (run.status, run.lease_owner, run.published_at) == (RunStatus.QUEUED, "", None)
    assert leases.claim(run.pk, "next") == fence + 1


def test_a_worker_that_lost_its_lease_cannot_renew_it() -> None:
    run, fence = claimed_run()
    assert leases.renew(run.pk, fence)
    Run.objects.filter(pk=run.pk).update(lease_expires_at=LONG_AGO)
    leases.claim(run.pk, "next")
    assert not leases.renew(run.pk, fence)


def test_a_released_run_waits_for_the_next_worker() -> None:
    run, fence = claimed_run()
    assert leases.release(run.pk, fence)
    assert not leases.release(run.pk, fence)
    assert leases.claim(run.pk, "next") == fence + 1


def test_the_lease_is_renewed_while_the_body_runs(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LEASE_SECONDS = 60
    run, fence = claimed_run()

    def ends_at() -> datetime:
        found = Run.objects.get(pk=run.pk).lease_expires_at
        assert found is not None
        return found

    first = ends_at()
    with leases.held(run.pk, fence) as hold:
        end = time.monotonic() + 2 * PATIENCE_S
        while ends_at() == first and time.monotonic() < end:
            time.sleep(0.1)
        monkeypatch.setattr(leases, "now", lambda: first + timedelta(seconds=0.1))
        assert leases.reap() == 0
    assert not hold.lost.is_set()


def test_the_holder_notices_within_a_beat_that_it_was_replaced_or_cancelled(settings: Settings) -> None:
    settings.LEASE_SECONDS = 2
    cancelled, fence = claimed_run()
    with leases.held(cancelled.pk, fence) as hold:
        Run.objects.filter(pk=cancelled.pk).update(cancel_requested=True)
        assert hold.cancel.wait(PATIENCE_S)
    lost, fence = claimed_run()
    with leases.held(lost.pk, fence) as hold:
        Run.objects.filter(pk=lost.pk).update(fence=fence + 1)
        assert hold.lost.wait(PATIENCE_S)


def test_a_database_that_was_away_for_a_moment_costs_a_beat_and_not_the_lease(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LEASE_SECONDS = 2
    run, fence = claimed_run()
    renew, beats, renewed = leases.renew, [], threading.Event()

    def cut_off_once(run_id: int, fence: int) -> bool:
        beats.append(run_id)
        if len(beats) == 1:
            connection.ensure_connection()
            connection.connection.close()  # as after a restart of the server
        found = renew(run_id, fence)
        renewed.set()
        return found

    monkeypatch.setattr(leases, "renew", cut_off_once)
    with leases.held(run.pk, fence) as hold:
        assert renewed.wait(PATIENCE_S), f"none of {len(beats)} beats reached the database"
    assert not hold.lost.is_set() and len(beats) > 1


def test_an_error_of_the_driver_itself_does_not_end_the_beats() -> None:
    beats: list[int] = []
    again = threading.Event()

    def beat() -> None:
        beats.append(0)
        if len(beats) == 1:
            raise InterfaceError("the connection is closed")
        again.set()

    with beating("test", beat, 0.01):
        assert again.wait(PATIENCE_S)


def test_only_allowed_transitions_move_a_run() -> None:
    for status, then in Run.MOVES.items():
        for to in RunStatus:
            run = make_run(status=status)
            assert Run.objects.filter(pk=run.pk).move(to) == (to in then), (status, to)
