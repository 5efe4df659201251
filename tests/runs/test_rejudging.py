"""Judging again: first verdicts stay, every program is judged once a job, whoever dies meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils.timezone import now

from solver import runs
from solver.judge import JudgeError, Verdict
from solver.rejudging import jobs
from solver.rejudging.models import PlaceState, RejudgedRun, Rejudging, RejudgingStatus
from tests.factories import make_problem, make_run
from tests.pages.markup import dangers
from tests.runs.conftest import WRONG, Scripted, engine, problem
from trajectories import eventlog
from trajectories.events import Rejudged
from trajectories.models import Problem, Run, StepEvent

__all__ = ["engine", "problem"]
pytestmark = pytest.mark.django_db(transaction=True)
FAR = 10**9


@pytest.fixture(autouse=True)
def messages(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What would have been sent to the workers; none listens here."""
    sent: list[int] = []
    monkeypatch.setattr("solver.queue.publish_rejudging", sent.append)
    return sent


def solved(problem: Problem, **changes: Any) -> Run:
    run = runs.start(problem, engine="scripted", strategy="direct", publish_to_workers=False, **changes)
    assert runs.execute(run.pk, "test")
    run.refresh_from_db()
    return run


def verdicts(run: Run) -> list[str]:
    again = StepEvent.objects.filter(run=run, kind="run.rejudged").order_by("seq")
    return [run.verdict, *(event.payload["verdict"] for event in again)]


def ended(count: int) -> list[Run]:
    """Runs that say they were accepted; no program was ever judged."""
    there = make_problem()
    return [make_run(there, status="finished", verdict="AC") for _ in range(count)]


def say(
    monkeypatch: pytest.MonkeyPatch, verdict: str = "AC", errors: Mapping[int, Exception] | None = None
) -> list[int]:
    """A judge that gives one verdict, or of some runs an error; the runs that it was asked about."""
    asked: list[int] = []

    def judge_again(run: Run) -> Rejudged:
        asked.append(run.pk)
        if errors and run.pk in errors:
            raise errors[run.pk]
        return Rejudged(before=run.verdict, verdict=verdict, passed=1, total=1, strip="", report={})

    monkeypatch.setattr(jobs, "judge_again", judge_again)
    return asked


def test_a_program_is_judged_again_beside_its_first_verdict(
    engine: Scripted, problem: Problem, client: Client
) -> None:
    right = solved(problem)
    engine.answers = dict.fromkeys(engine.answers, WRONG)
    wrong = solved(problem, seed=1)
    Run.objects.filter(pk=wrong.pk).update(verdict="AC")  # as if an earlier judge had been too kind
    job = jobs.start({}, FAR)
    assert jobs.work(job.pk, "test") == 2
    job.refresh_from_db()
    right.refresh_from_db()
    wrong.refresh_from_db()
    assert (verdicts(right), verdicts(wrong)) == (["AC", "AC"], ["AC", "WA"])
    told = jobs.outcome(job)
    assert job.status == RejudgingStatus.FINISHED and told.changed == [("AC", "WA", 1)]
    assert (told.kept.hits, told.kept.n, told.solved_before, told.solved_now) == (1, 2, 2, 1)
    html = client.get(f"/judged-again/{job.pk}/").content.decode()
    assert dangers(html) == [] and "became" in html and f'href="/runs/{wrong.pk}/"' in html
    assert f'href="/runs/{right.pk}/"' not in html and "of 2" in html
    assert "Judged again" in client.get(f"/runs/{wrong.pk}/").content.decode()


def test_a_fault_of_the_judge_is_no_second_verdict(
    engine: Scripted, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = solved(problem)

    class Starved:
        def judge(self, *given: Any, **named: Any) -> SimpleNamespace:
            return SimpleNamespace(verdict=Verdict.IE, reason="starved", results=(), passed=0, total=1)

    monkeypatch.setattr("solver.judge_pool.judge", Starved)
    job = jobs.start({}, FAR)
    jobs.work(job.pk, "test")
    place = job.places.get()
    assert place.state == PlaceState.NOT_JUDGED and "starved" in place.message
    assert verdicts(run) == ["AC"] and jobs.outcome(job).changed == []


def test_what_never_had_a_verdict_or_is_not_in_the_list_is_left_alone() -> None:
    (chosen, later) = ended(2)
    make_run(chosen.problem, status="failed")
    make_run(chosen.problem, status="finished")
    job = jobs.start({}, chosen.pk)
    assert list(job.places.values_list("run", flat=True)) == [chosen.pk] and later.pk > chosen.pk
    with pytest.raises(jobs.NothingToDo, match="ended with a program"):
        jobs.start({"verdict": "TLE"}, FAR)


def test_the_same_request_is_one_job(messages: list[int]) -> None:
    ended(3)
    first, second = (jobs.start({}, FAR, request_id="same") for _ in range(2))
    assert first == second and Rejudging.objects.count() == 1 and len(messages) == jobs.THREADS


def test_many_workers_judge_every_run_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = ended(12)
    asked = say(monkeypatch)
    job = jobs.start({}, FAR)
    workers = [threading.Thread(target=_work, args=(job.pk, str(at))) for at in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    job.refresh_from_db()
    assert sorted(asked) == [run.pk for run in made] and job.status == RejudgingStatus.FINISHED
    assert all(verdicts(run) == ["AC", "AC"] for run in made)


def _work(job: int, name: str) -> None:
    from django.db import connection

    jobs.work(job, name)
    connection.close()


def test_a_worker_that_dies_between_verdict_and_place_leaves_neither(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (run,) = ended(1)
    say(monkeypatch, "WA")
    job = jobs.start({}, FAR)
    append = eventlog.append_unowned

    def die(*given: Any, **named: Any) -> None:
        append(*given, **named)
        raise KeyboardInterrupt

    monkeypatch.setattr(eventlog, "append_unowned", die)
    with pytest.raises(KeyboardInterrupt):
        jobs.work(job.pk, "dies")
    assert verdicts(run) == ["AC"] and job.places.get().state == PlaceState.WAITING
    monkeypatch.setattr(eventlog, "append_unowned", append)
    assert jobs.work(job.pk, "next") == 1 and verdicts(run) == ["AC", "WA"]


def test_a_job_that_nobody_is_at_is_announced_again() -> None:
    ended(2)
    job = jobs.start({}, FAR)
    assert jobs.abandoned() == [job.pk]
    place = RejudgedRun.objects.filter(job=job)[:1].get()
    RejudgedRun.objects.filter(pk=place.pk).update(
        lease_owner="x", lease_expires_at=now() + timedelta(minutes=1)
    )
    assert jobs.abandoned() == []
    RejudgedRun.objects.filter(pk=place.pk).update(lease_expires_at=now() - timedelta(seconds=1))
    assert jobs.abandoned() == [job.pk]


def test_a_cancelled_job_judges_no_further(monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
    ended(3)
    asked = say(monkeypatch)
    job = jobs.start({}, FAR)
    client.post(f"/judged-again/{job.pk}/cancel/")
    assert jobs.work(job.pk, "test") == 0 and asked == [] and jobs.abandoned() == []
    assert "3 wait" in client.get(f"/judged-again/{job.pk}/").content.decode()


@pytest.mark.parametrize(
    ("error", "words"),
    [(JudgeError("no sandbox here"), "no sandbox here"), (TypeError("x"), "broke off (TypeError)")],
)
def test_a_program_that_cannot_be_judged_is_told_and_stops_no_other(
    error: Exception, words: str, monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    bad, good = ended(2)
    asked = say(monkeypatch, errors={bad.pk: error})
    job = jobs.start({}, FAR)
    assert jobs.work(job.pk, "test") == 2 and asked == [bad.pk, good.pk]
    html = client.get(f"/judged-again/{job.pk}/").content.decode()
    assert words in html and "1 could not be judged" in html
    assert jobs.outcome(job).kept.n == 1


def test_a_database_that_is_away_says_nothing_of_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    (run,) = ended(1)
    say(monkeypatch, errors={run.pk: OperationalError("away")})
    job = jobs.start({}, FAR)
    with pytest.raises(OperationalError):
        jobs.work(job.pk, "test")
    assert job.places.get().state == PlaceState.WAITING and jobs.abandoned() == [job.pk]
    say(monkeypatch)
    assert jobs.work(job.pk, "next") == 1


def test_from_the_page_of_all_runs_and_from_a_run(client: Client, messages: list[int]) -> None:
    assert "Nothing was judged again yet" in client.get("/judged-again/").content.decode()
    first, _ = ended(2)
    acts = client.get("/runs/all/").content.decode()
    assert "Judge 2 again" in acts
    form = {"newest": FAR, "request_id": "from-the-list"}
    answer = client.post("/judged-again/new/", form)
    job = Rejudging.objects.get()
    assert answer.headers["Location"] == f"/judged-again/{job.pk}/" and job.total == 2
    listed = client.get("/judged-again/").content.decode()
    assert dangers(listed) == [] and f'href="/judged-again/{job.pk}/">{job.pk}</a>' in listed
    assert "/judge-again/" in client.get(f"/runs/{first.pk}/").content.decode()
    told = client.post(f"/runs/{first.pk}/judge-again/", {"request_id": "one"}, follow=True)
    assert "being judged again" in told.content.decode()
    assert Rejudging.objects.order_by("-pk")[0].total == 1
    for wrong in ({}, {"newest": "x", "request_id": "y"}, {**form, "request_id": "z", "verdict": "TLE"}):
        client.post("/judged-again/new/", wrong)
    assert Rejudging.objects.count() == 2
