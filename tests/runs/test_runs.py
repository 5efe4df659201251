"""A run's life: started once, recorded step by step, resumed after a crash, ended by an event whatever happens."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import OperationalError

from solver import judge_pool, runs
from solver.engines.protocol import ChatRequest, EngineUnreachable, Role
from solver.judge import SandboxUnavailable
from tests.conftest import PATIENCE_S
from tests.runs.conftest import WRONG, Scripted
from trajectories import eventlog, leases
from trajectories.models import Problem, Run, RunStatus, Step

pytestmark = pytest.mark.django_db(transaction=True)


class Killed(BaseException):
    """Stands for kill -9: nothing after it runs in the worker."""


def start(problem: Problem, **changes: Any) -> Run:
    return runs.start(
        problem, **{"engine": "scripted", "params": {"k": 1, "t": 2}, "publish_to_workers": False, **changes}
    )


def solve(problem: Problem, **changes: Any) -> Run:
    run = start(problem, **changes)
    assert runs.execute(run.pk, "test")
    run.refresh_from_db()
    return run


def roles(run: Run) -> list[str]:
    return [f"{step.role}{'/' + step.suite if step.suite else ''}" for step in Step.objects.filter(run=run)]


def kinds(run: Run) -> list[str]:
    return [event.kind for event in eventlog.read_all(run.pk) if event.kind != "note"]


def test_a_run_records_every_agent_and_ends_with_the_verdict_of_the_hidden_tests(
    engine: Scripted, problem: Problem
) -> None:
    run = solve(problem)
    assert (run.status, run.verdict, run.passed, run.total, run.strip) == (
        RunStatus.FINISHED,
        "AC",
        3,
        3,
        "aaa",
    )
    assert roles(run) == ["retrieval", "planning", "confidence", "coding", "judge/samples", "judge/hidden"]
    assert kinds(run)[0] == "run.started" and kinds(run)[-1] == "run.finished"
    assert (run.calls, run.prompt_tokens, run.completion_tokens) == (4, 40, 20)
    assert run.judge_level in {"L1", "L2", "L3"}


def test_a_wrong_program_is_repaired_after_the_sample_test(engine: Scripted, problem: Problem) -> None:
    engine.answers[Role.CODING] = WRONG
    run = solve(problem)
    assert run.verdict == "AC"
    assert roles(run)[3:] == ["coding", "judge/samples", "debugging", "judge/samples", "judge/hidden"]


def test_no_prompt_ever_holds_a_hidden_test(engine: Scripted, problem: Problem) -> None:
    engine.answers[Role.CODING] = engine.answers[Role.DEBUGGING] = WRONG
    solve(problem)
    prompts = "\n".join(message.content for request in engine.asked for message in request.messages)
    assert "1 2" in prompts
    assert "1000000000000" not in prompts and "2000000000001" not in prompts


def test_a_killed_worker_costs_only_the_unfinished_step(engine: Scripted, problem: Problem) -> None:
    run = start(problem)

    def die_at_coding(request: ChatRequest) -> None:
        if request.role is Role.CODING and len(engine.asked) == 4:
            raise Killed

    engine.before = die_at_coding
    with pytest.raises(Killed):
        runs.execute(run.pk, "first")
    assert not runs.execute(run.pk, "second"), "the dead worker's lease still stands"
    Run.objects.filter(pk=run.pk).update(lease_expires_at="2000-01-01T00:00:00Z")
    assert leases.reap() == 1
    assert runs.execute(run.pk, "second")
    run.refresh_from_db()
    assert (run.verdict, run.fence, run.calls) == ("AC", 2, 4)
    assert [request.role for request in engine.asked].count(Role.RETRIEVAL) == 1
    assert roles(run) == ["retrieval", "planning", "confidence", "coding", "judge/samples", "judge/hidden"]
    started = [event.payload for event in eventlog.read_all(run.pk) if event.kind == "run.started"]
    assert [event["resumed_steps"] for event in started] == [0, 3]


def test_a_resumed_run_tells_the_same_story_as_an_undisturbed_one(engine: Scripted, problem: Problem) -> None:
    undisturbed = solve(problem)
    for victim in range(1, 5):
        run, count = start(problem), len(engine.asked)

        def die(request: ChatRequest, at: int = count + victim) -> None:
            if len(engine.asked) == at:
                raise Killed

        engine.before = die
        with pytest.raises(Killed):
            runs.execute(run.pk, "first")
        Run.objects.filter(pk=run.pk).update(lease_expires_at="2000-01-01T00:00:00Z")
        assert runs.execute(run.pk, "second")
        run.refresh_from_db()
        assert (run.verdict, run.calls, run.prompt_tokens) == (
            "AC",
            undisturbed.calls,
            undisturbed.prompt_tokens,
        )
        assert roles(run) == roles(undisturbed)
        assert _notes(run) == _notes(undisturbed)


def _notes(run: Run) -> list[Any]:
    return [event.payload for event in eventlog.read_all(run.pk) if event.kind == "note"]


def test_two_workers_told_about_one_run_work_on_it_once(engine: Scripted, problem: Problem) -> None:
    run, results = start(problem), []
    workers = [threading.Thread(target=lambda: results.append(runs.execute(run.pk, "w"))) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(results) == [False, False, True]
    assert len(engine.asked) == 4


def test_cancel_stops_a_running_run_within_its_present_call(
    engine: Scripted, problem: Problem, cancel_noticed: threading.Event
) -> None:
    run = start(problem)

    def cancel_while_planning(request: ChatRequest) -> None:
        if request.role is Role.PLANNING:
            assert runs.cancel(run.pk)
            assert cancel_noticed.wait(PATIENCE_S)

    engine.before = cancel_while_planning
    runs.execute(run.pk, "test")
    run.refresh_from_db()
    assert (run.status, run.reason) == (RunStatus.CANCELLED, "cancelled")
    assert len(engine.asked) == 2


def test_cancel_ends_a_queued_run_at_once_and_an_ended_one_not_at_all(
    engine: Scripted, problem: Problem
) -> None:
    run = start(problem)
    assert runs.cancel(run.pk)
    run.refresh_from_db()
    assert (run.status, kinds(run)) == (RunStatus.CANCELLED, ["run.finished"])
    assert not runs.cancel(run.pk)
    assert not runs.execute(run.pk, "test")


def test_a_cancelled_run_whose_worker_died_asks_nobody_any_more(engine: Scripted, problem: Problem) -> None:
    run = start(problem)
    assert leases.claim(run.pk, "killed") and runs.cancel(run.pk)
    Run.objects.filter(pk=run.pk).update(lease_expires_at="2000-01-01T00:00:00Z")
    assert leases.reap() == 1
    assert runs.execute(run.pk, "next")
    run.refresh_from_db()
    assert (run.status, engine.asked) == (RunStatus.CANCELLED, [])


def test_a_cancel_reaches_a_run_that_comes_back_to_the_queue_meanwhile(
    engine: Scripted, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start(problem)
    assert leases.claim(run.pk, "killed")
    append = eventlog.append_unowned

    def reaped_meanwhile(*given: Any, **more: Any) -> int | None:
        written = append(*given, **more)
        Run.objects.filter(pk=run.pk).update(status=RunStatus.QUEUED, lease_expires_at=None)
        return written

    monkeypatch.setattr(eventlog, "append_unowned", reaped_meanwhile)
    assert runs.cancel(run.pk)
    assert runs.execute(run.pk, "next")
    run.refresh_from_db()
    assert (run.status, engine.asked) == (RunStatus.CANCELLED, [])


def test_a_dead_engine_ends_the_run_with_a_reason_and_retry_goes_on_where_it_stopped(
    engine: Scripted, problem: Problem
) -> None:
    def unplugged(request: ChatRequest) -> None:
        if request.role is Role.CODING:
            raise EngineUnreachable("No answer from http://127.0.0.1:9/v1; start the server there.")

    engine.before = unplugged
    run = solve(problem)
    assert (run.status, run.reason) == (RunStatus.FAILED, "engine_unreachable")
    assert "start the server" in run.message
    assert Step.objects.get(run=run, role="coding").state == "failed"
    engine.before = lambda request: None
    assert runs.retry(run.pk)
    assert runs.execute(run.pk, "test")
    run.refresh_from_db()
    assert (run.verdict, run.calls) == ("AC", 4)
    assert [request.role for request in engine.asked].count(Role.PLANNING) == 1


def test_an_answer_that_cannot_be_parsed_is_recorded_with_its_code(
    engine: Scripted, problem: Problem
) -> None:
    engine.answers[Role.CODING] = "I would rather not."
    engine.answers[Role.RETRIEVAL] = "<root><problem>"
    run = solve(problem)
    assert run.status == RunStatus.FINISHED
    assert run.format_failures >= 2
    codes = set(
        Step.objects.filter(run=run).exclude(format_failure="").values_list("format_failure", flat=True)
    )
    assert codes and run.verdict != "AC"


def test_bytes_that_a_database_refuses_are_stored_as_escapes(engine: Scripted, problem: Problem) -> None:
    engine.answers[Role.PLANNING] = "1. Add.\0 \ud800 done"
    run = solve(problem)
    assert run.verdict == "AC"
    texts = [event.payload["text"] for event in eventlog.read_all(run.pk) if event.kind == "step.finished"]
    assert "1. Add.\\x00 \\ud800 done" in texts


def test_a_machine_without_a_sandbox_refuses_to_judge_and_says_why(
    engine: Scripted, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise SandboxUnavailable("level L0 is below L1: no seccomp")

    monkeypatch.setattr(judge_pool, "judge", refuse)
    run = solve(problem)
    assert (run.status, run.reason, run.verdict) == (RunStatus.FAILED, "judge_unavailable", "")


def test_a_defect_of_the_lab_ends_the_run_and_not_the_worker(engine: Scripted, problem: Problem) -> None:
    def broken(request: ChatRequest) -> None:
        raise ZeroDivisionError

    engine.before = broken
    run = solve(problem)
    assert (run.status, run.reason) == (RunStatus.FAILED, "internal_error")
    assert "ZeroDivisionError" in run.message


def test_a_run_whose_prompts_have_changed_since_is_not_mixed(engine: Scripted, problem: Problem) -> None:
    def unplugged(request: ChatRequest) -> None:
        if request.role is Role.CODING:
            raise EngineUnreachable("gone")

    engine.before = unplugged
    run = solve(problem)
    Run.objects.filter(pk=run.pk).update(seed=7)  # stands for a changed template: another request digest
    engine.before = lambda request: None
    runs.retry(run.pk)
    runs.execute(run.pk, "test")
    run.refresh_from_db()
    assert (run.status, run.reason) == (RunStatus.FAILED, "diverged")


def test_the_same_request_starts_one_run(engine: Scripted, problem: Problem) -> None:
    first = start(problem, request_id="double-click")
    assert start(problem, request_id="double-click").pk == first.pk
    assert Run.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"engine": "nobody"}, "engine"),
        ({"strategy": "magic"}, "strategy"),
        ({"language": "cobol"}, "language"),
        ({"judge_profile": "lenient"}, "judge_profile"),
        ({"seed": 2**40}, "seed"),
        ({"params": {"k": 0}}, "k"),
        ({"params": {"k": "three"}}, "k"),
        ({"params": {"depth": 3}}, "depth"),
    ],
)
def test_a_start_that_makes_no_sense_names_the_field(
    engine: Scripted, problem: Problem, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(runs.StartRefused) as refused:
        runs.start(problem, **{"engine": "scripted", "publish_to_workers": False, **changes})
    assert refused.value.field == field
    assert not Run.objects.exists()


def test_a_run_that_is_claimed_while_its_worker_stops_is_given_back_too(
    engine: Scripted, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, claim = start(problem), leases.claim
    monkeypatch.setattr(runs, "_stopping", threading.Event())

    def stopped_meanwhile(run_id: int, worker: str) -> int | None:
        fence = claim(run_id, worker)
        runs.shut_down()
        return fence

    with monkeypatch.context() as patched:
        patched.setattr(leases, "claim", stopped_meanwhile)
        assert not runs.execute(run.pk, "stopping")
    run.refresh_from_db()
    assert (run.status, run.lease_owner, engine.asked) == (RunStatus.QUEUED, "", [])


def test_a_database_that_is_away_for_a_moment_ends_no_run(
    engine: Scripted, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, append, locked = start(problem), eventlog.append, [OperationalError("database is locked")]

    def busy(run_id: int, events: Any, *, fence: int) -> int:
        if locked and events[0].kind == "step.finished":
            raise locked.pop()
        return append(run_id, events, fence=fence)

    monkeypatch.setattr(eventlog, "append", busy)
    with pytest.raises(OperationalError):
        runs.execute(run.pk, "first")
    run.refresh_from_db()
    assert run.status == RunStatus.RUNNING
    Run.objects.filter(pk=run.pk).update(lease_expires_at="2000-01-01T00:00:00Z")
    assert runs.execute(run.pk, "second")
    run.refresh_from_db()
    assert (run.verdict, run.calls) == ("AC", 4)


def test_a_run_that_the_database_breaks_off_every_time_ends_at_last(
    engine: Scripted, problem: Problem
) -> None:
    def broken(request: ChatRequest) -> None:
        raise OperationalError("a row is too large for its index")

    engine.before = broken
    run = start(problem)
    Run.objects.filter(pk=run.pk).update(fence=runs.MOST_CLAIMS - 1)
    assert runs.execute(run.pk, "test")
    run.refresh_from_db()
    assert (run.status, run.reason) == (RunStatus.FAILED, "internal_error")


def test_a_stopping_worker_gives_its_run_back_for_the_next_one(
    engine: Scripted, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start(problem)
    monkeypatch.setattr(runs, "_stopping", threading.Event())
    engine.before = lambda request: runs.shut_down() if request.role is Role.PLANNING else None
    assert not runs.execute(run.pk, "stopping")
    run.refresh_from_db()
    assert run.status == RunStatus.QUEUED
    monkeypatch.setattr(runs, "_stopping", threading.Event())
    engine.before = lambda request: None
    assert runs.execute(run.pk, "next")
