"""The event log is gap-free, ordered, fenced, and its projections never disagree with it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from django.db import connection
from pydantic import ValidationError

from tests.factories import append_notes, claimed_run, make_run, note, step_finished, step_started
from trajectories import eventlog, events, leases, projections
from trajectories.models import Run, RunStatus, Step, StepEvent

pytestmark = pytest.mark.django_db(transaction=True)


def seqs(run: Run) -> list[int]:
    return [event.seq for event in eventlog.read_all(run.pk)]


def test_events_are_numbered_from_one_without_gaps() -> None:
    run, fence = claimed_run()
    assert append_notes(run, fence, 3) == 3
    assert append_notes(run, fence, 2) == 5
    assert seqs(run) == [1, 2, 3, 4, 5]


def test_four_threads_appending_at_once_leave_no_gap_and_no_double() -> None:
    run, fence = claimed_run()
    failures: list[Exception] = []

    def write() -> None:
        try:
            for _ in range(25):
                append_notes(run, fence, 2)
        except Exception as error:  # noqa: BLE001  reported below, in the main thread
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert seqs(run) == list(range(1, 201))


def test_a_reader_pages_through_a_long_log_in_order() -> None:
    run, fence = claimed_run()
    append_notes(run, fence, eventlog.PAGE + 7)
    assert seqs(run) == list(range(1, eventlog.PAGE + 8))
    assert [event.seq for event in eventlog.read_all(run.pk, after=eventlog.PAGE)] == list(
        range(eventlog.PAGE + 1, eventlog.PAGE + 8)
    )


def test_a_stale_fence_writes_nothing() -> None:
    run, old = claimed_run()
    Run.objects.filter(pk=run.pk).update(lease_expires_at="2000-01-01T00:00:00Z")
    new = leases.claim(run.pk, "another worker")
    assert new == old + 1
    with pytest.raises(eventlog.StaleFence):
        eventlog.append(run.pk, [note(1)], fence=old)
    assert seqs(run) == []
    eventlog.append(run.pk, [note(1)], fence=new)
    assert seqs(run) == [1]


def test_nothing_is_written_after_the_final_event() -> None:
    run, fence = claimed_run()
    eventlog.append(
        run.pk, [events.RunFinished(status="finished", reason="judged", verdict="AC")], fence=fence
    )
    with pytest.raises(eventlog.StaleFence):
        append_notes(run, fence, 1)


def test_a_failing_projection_takes_its_event_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    run, fence = claimed_run()

    def broken(*args: object) -> None:
        raise RuntimeError("projection")

    monkeypatch.setattr(projections, "apply", broken)
    with pytest.raises(RuntimeError):
        append_notes(run, fence, 1)
    run.refresh_from_db()
    assert run.last_seq == 0
    assert not StepEvent.objects.exists()


def test_steps_and_counters_follow_from_the_events() -> None:
    run, fence = claimed_run()
    failed = {"usable": False, "failure": "no_code", "message": "no code"}
    eventlog.append(run.pk, [step_started(1, role="retrieval", attempt=0), step_finished(1)], fence=fence)
    eventlog.append(run.pk, [step_started(2), step_finished(2, parse=failed)], fence=fence)
    run.refresh_from_db()
    assert (run.step_count, run.calls, run.format_failures) == (2, 2, 1)
    assert (run.prompt_tokens, run.completion_tokens) == (200, 40)
    assert list(Step.objects.values_list("number", "role", "state", "format_failure")) == [
        (1, "retrieval", "done", ""),
        (2, "coding", "done", "no_code"),
    ]


def test_a_step_that_is_started_again_after_a_crash_keeps_its_row_and_number() -> None:
    run, fence = claimed_run()
    eventlog.append(run.pk, [step_started(1)], fence=fence)
    eventlog.append(run.pk, [step_started(1), step_finished(1)], fence=fence)
    run.refresh_from_db()
    step = Step.objects.get(run=run)
    assert (run.step_count, step.state, step.started_seq, step.finished_seq) == (1, "done", 2, 3)


def test_the_verdict_of_a_run_comes_from_the_hidden_tests() -> None:
    run, fence = claimed_run()
    started = {"attempt": 1, "language": "python", "code": "x", "code_digest": "d"}
    report = {"environment": {"level": "L2"}}
    eventlog.append(
        run.pk,
        [
            events.TestsStarted(step=1, suite="hidden", total=3, **started),
            events.TestsFinished(
                step=1,
                suite="hidden",
                verdict="WA",
                passed=2,
                total=3,
                strip="awa",
                seconds=0.1,
                report=report,
            ),
            events.RunFinished(status="finished", reason="judged", verdict="WA", code="x", attempt=1),
        ],
        fence=fence,
    )
    run.refresh_from_db()
    assert (run.status, run.verdict, run.strip, run.passed, run.total, run.judge_level) == (
        RunStatus.FINISHED, "WA", "awa", 2, 3, "L2",
    )  # fmt: skip
    assert run.finished_at is not None and run.lease_owner == ""


def test_an_outsider_writes_only_into_a_run_in_the_named_state() -> None:
    run = make_run()
    cancelled = events.RunFinished(status="cancelled", reason="cancelled")
    assert eventlog.append_unowned(run.pk, cancelled, when=[RunStatus.RUNNING]) is None
    assert eventlog.append_unowned(run.pk, cancelled, when=[RunStatus.QUEUED]) == 1
    run.refresh_from_db()
    assert run.status == RunStatus.CANCELLED


def test_every_kind_of_event_survives_the_way_through_the_database() -> None:
    run, fence = claimed_run()
    written: list[events.Event] = [
        events.RunStarted(fence=fence, worker="w", code_version="v"),
        events.RunImported(format="f", digest="0", problem="p", model="m", strategy="s", solved=True),
        step_started(1),
        step_finished(1, text="\u2028 <script> \U0001f600"),
        step_started(2),
        events.StepFailed(step=2, code="engine_unreachable", message="gone"),
        events.TestsStarted(
            step=3, attempt=1, suite="samples", language="python", code="x", code_digest="d", total=1
        ),
        events.TestsFinished(
            step=3, suite="samples", verdict="AC", passed=1, total=1, strip="a", seconds=0, report={}
        ),
        note(1),
        events.RunFinished(status="failed", reason="engine_unreachable"),
    ]
    eventlog.append(run.pk, written, fence=fence)
    later: list[events.Event] = [
        events.Rejudged(before="", verdict="AC", passed=1, total=1, strip="a", report={}),
        events.Judged(key="k", step=1, verb="comment", source="human", actor="a", value={"text": "why?"}),
    ]
    for event in later:
        eventlog.append_unowned(run.pk, event, when=[RunStatus.FAILED])
    branched = make_run()
    begun = events.RunBranched(parent=run.pk, parent_seq=run.last_seq, at=2, change="edit", frozen_steps=1)
    eventlog.restore(branched.pk, [begun], [datetime.now(UTC)])
    read = [events.parse(e.kind, e.payload) for r in (run, branched) for e in eventlog.read_all(r.pk)]
    assert read == [*written, *later, begun]
    assert {event.kind for event in read} == set(events.KINDS)


def test_a_payload_with_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValidationError):
        events.parse("note", {"name": "x", "secret": 1})


def test_a_log_from_elsewhere_keeps_its_times_and_only_fills_an_empty_run() -> None:
    run = make_run()
    long_ago = [datetime(2024, 10, 7, 12, 0, second, tzinfo=UTC) for second in (0, 4)]
    assert eventlog.restore(run.pk, [step_started(1), step_finished(1)], long_ago) == 2
    step = Step.objects.get(run=run)
    assert [step.started_at, step.finished_at] == long_ago
    assert [event.created_at for event in eventlog.read_after(run.pk, 0)] == long_ago
    with pytest.raises(eventlog.NotEmpty):
        eventlog.restore(run.pk, [note(1)], long_ago[:1])
    assert len(eventlog.read_after(run.pk, 0)) == 2
