"""Which run is taken next: fair between campaigns and people, within the engines' room."""

from __future__ import annotations

import threading
import time

import pytest
from django.utils.timezone import now

from solver import scheduler, tasks
from solver.campaigns import lifecycle
from solver.campaigns.models import Campaign
from solver.engines.protocol import ChatRequest
from solver.models import Engine, EngineService
from solver.scheduler import Seats
from solver.serving import wishes
from solver.serving.models import Wanted
from tests.campaigns.conftest import spec as campaign_spec
from tests.campaigns.conftest import sums
from tests.conftest import PATIENCE_S
from tests.runs.conftest import Scripted, engine, problem
from tests.runs.test_runs import start
from trajectories.models import Problem, Run, RunStatus

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["engine", "problem"]
HOSTED = {
    "name": "hosted",
    "kind": "openai",
    "base_url": "http://127.0.0.1:8100/v1",
    "allow_loopback": True,
    "models": {"default": "m"},
    "max_concurrency": 2,
}


def campaign() -> Campaign:
    """Over the problems of `sums` only."""
    ids = list(
        Problem.objects.filter(external_id__startswith="test/sum-").values_list("external_id", flat=True)
    )
    direct = [{"name": "direct", "params": {"retries": 0}}]
    chosen = campaign_spec(problems={"ids": ids}, strategies=direct, at_once=64)
    return lifecycle.start(chosen, publish_to_workers=False)


def take() -> scheduler.Waiting:
    """Take the next run, as a worker would, without working on it."""
    found = scheduler.next_run()
    assert found is not None
    Run.objects.filter(pk=found.run).update(status=RunStatus.RUNNING)
    return found


def test_a_solve_overtakes_a_campaign_that_was_there_first(engine: Scripted, problem: Problem) -> None:
    sums(5)
    campaign()
    take()
    single = start(problem)
    assert take().run == single.pk


def test_two_campaigns_share_and_so_do_two_people(engine: Scripted, problem: Problem) -> None:
    sums(6)
    first, second = campaign(), campaign()
    assert [take().campaign for _ in range(4)] == [first.pk, second.pk, first.pk, second.pk]
    many = [start(problem, created_by="ann", seed=n) for n in range(3)]
    one = start(problem, created_by="ben")
    assert [take().run for _ in range(2)] == [many[0].pk, one.pk]


def test_runs_in_order_of_a_campaign_stay_in_order(engine: Scripted) -> None:
    sums(4)
    campaign()
    taken = [take().run for _ in range(4)]
    assert taken == sorted(taken) and scheduler.next_run() is None


def test_an_engine_without_room_or_closed_leaves_its_runs_where_they_are(
    engine: Scripted, problem: Problem
) -> None:
    Engine.objects.create(name="hosted", spec=HOSTED)
    for seed in range(3):
        start(problem, engine="hosted", seed=seed)
    other = start(problem)
    assert [take().engine for _ in range(2)] == ["hosted", "hosted"]
    assert take().run == other.pk
    assert scheduler.next_run() is None
    Run.objects.filter(status=RunStatus.RUNNING, engine_name="hosted").update(status=RunStatus.FINISHED)
    found = scheduler.next_run()
    assert found is not None and found.engine == "hosted"
    Engine.objects.filter(name="hosted").update(spec={**HOSTED, "vllm": {"python": "/x", "model": "/y"}})
    EngineService.objects.create(name="hosted", wanted=Wanted.DRAINED)
    assert scheduler.next_run() is None


def test_a_routed_engine_is_closed_while_one_that_it_leads_to_is(engine: Scripted, problem: Problem) -> None:
    Engine.objects.create(name="hosted", spec={**HOSTED, "vllm": {"python": "/x", "model": "/y"}})
    routes = {"default": "scripted", "debugging": "hosted"}
    Engine.objects.create(name="team", spec={"name": "team", "kind": "routed", "routes": routes})
    run = start(problem, engine="team")
    Run.objects.filter(pk=run.pk).update(published_at=now())
    assert wishes.want("hosted", Wanted.DRAINED) and wishes.closed_to_runs() == ["hosted", "team"]
    assert scheduler.next_run() is None
    assert wishes.want("hosted", Wanted.RUNNING) and wishes.closed_to_runs() == []
    run.refresh_from_db()
    assert run.published_at is None, "the reaper rings for it again"
    assert take().run == run.pk


def test_campaigns_leave_seats_free() -> None:
    seats = Seats(8)
    assert seats.campaign_most == 6 and Seats(1).campaign_most == 1 and Seats(2).campaign_most == 1
    held = [seats.taken(True) for _ in range(7)]
    assert [each.__enter__() for each in held] == [True] * 6 + [False]
    with seats.taken(False) as seated:
        assert seated
    for each in held:
        each.__exit__(None, None, None)
    assert seats.campaign_runs == 0


def test_one_message_works_until_nothing_waits_and_a_solve_goes_in_between(
    engine: Scripted, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("solver.runs.publish", lambda pk: None)
    sums(3)
    made = campaign()
    ids: list[int] = []
    order: list[str] = []

    def note(request: ChatRequest) -> None:
        if not ids:
            ids.append(start(problem, strategy="direct", params={"retries": 0}).pk)
        order.append("single" if "variant" not in request.messages[-1].content else "campaign")

    engine.before = note
    tasks.run(0)
    assert order == ["campaign", "single", "campaign", "campaign"]
    assert not Run.objects.exclude(status=RunStatus.FINISHED).exists()
    made.refresh_from_db()
    assert made.status == "finished"


def test_a_thousand_waiting_runs_do_not_keep_a_solve_waiting(engine: Scripted, problem: Problem) -> None:
    """Threads of one worker: the campaign fills its seats, the Solve is answered while none of its runs has ended."""
    sums(8)
    campaign()
    monkey, seats = threading.Event(), Seats(4)
    blocked = threading.Semaphore(0)

    def hold(request: ChatRequest) -> None:
        if "variant" in request.messages[-1].content:
            blocked.release()
            assert monkey.wait(2 * PATIENCE_S)

    engine.before = hold
    old, tasks.seats = tasks.seats, seats
    workers = [threading.Thread(target=_work) for _ in range(4)]
    try:
        for worker in workers:
            worker.start()
        for _ in range(3):
            assert blocked.acquire(timeout=PATIENCE_S)
        end = time.monotonic() + PATIENCE_S
        while all(worker.is_alive() for worker in workers) and time.monotonic() < end:
            time.sleep(0.02)
        assert sum(worker.is_alive() for worker in workers) == 3  # the fourth left its seat free
        single = start(problem, strategy="direct", params={"retries": 0})
        tasks.run(single.pk)
        single.refresh_from_db()
        assert single.status == RunStatus.FINISHED
        assert Run.objects.filter(status=RunStatus.RUNNING).count() == 3
    finally:
        monkey.set()
        for worker in workers:
            worker.join(PATIENCE_S)
        tasks.seats = old
    assert not Run.objects.exclude(status=RunStatus.FINISHED).exists()


def _work() -> None:
    from django.db import connection

    try:
        tasks.run(0)
    finally:
        connection.close()
