"""Projections of the event log: one `Step` row a step and the counters of `Run`, kept in the log's transaction."""

from __future__ import annotations

from datetime import datetime
from functools import singledispatch
from typing import Any

from django.db.models import F

from trajectories import events, money
from trajectories.decisions import UNUSED
from trajectories.models import (
    Blame,
    Decision,
    Judgement,
    Preference,
    Run,
    RunQuerySet,
    RunStatus,
    Step,
    StepState,
)


@singledispatch
def _project(event: events.Event, run_id: int, seq: int, at: datetime) -> None:
    """Starts of a run change no projection."""


def apply(run_id: int, seq: int, at: datetime, event: events.Event) -> None:
    _project(event, run_id, seq, at)


@_project.register
def _(event: events.RunImported, run_id: int, seq: int, at: datetime) -> None:
    Run.objects.filter(pk=run_id).update(
        imported_from=event.format[:32],
        recorded_solved=event.solved,
        prompt_tokens=event.prompt_tokens or 0,
        completion_tokens=event.completion_tokens or 0,
        started_at=at,
    )


@_project.register
def _(event: events.StepStarted, run_id: int, seq: int, at: datetime) -> None:
    _open(run_id, event.step, seq, at, role=event.role, attempt=event.attempt, gist=event.gist[:200])


@_project.register
def _(event: events.TestsStarted, run_id: int, seq: int, at: datetime) -> None:
    _open(
        run_id, event.step, seq, at, role="judge", attempt=event.attempt, suite=event.suite, total=event.total
    )


def _open(run_id: int, number: int, seq: int, at: datetime, **fields: object) -> None:
    """A step started again after a crash reuses its row."""
    fresh = {
        "state": StepState.RUNNING,
        "started_seq": seq,
        "started_at": at,
        "finished_seq": None,
        "finished_at": None,
    }
    if not Step.objects.filter(run_id=run_id, number=number).update(**fresh, **fields):
        Step.objects.create(run_id=run_id, number=number, **fresh, **fields)
        Run.objects.filter(pk=run_id).update(step_count=F("step_count") + 1)


@_project.register
def _(event: events.StepFinished, run_id: int, seq: int, at: datetime) -> None:
    changes: dict[str, object] = {"gist": event.gist[:200]} if event.gist else {}
    Step.objects.filter(run_id=run_id, number=event.step).update(
        state=StepState.DONE,
        finished_seq=seq,
        finished_at=at,
        prompt_tokens=event.prompt_tokens,
        completion_tokens=event.completion_tokens,
        seconds=event.seconds,
        format_failure=event.parse.failure,
        **changes,
    )
    # What is asked about a run after its end, such as its supervisor, is not the run's own cost.
    open_run = Run.objects.filter(pk=run_id, finished_at=None)
    open_run.update(
        calls=F("calls") + 1,
        prompt_tokens=F("prompt_tokens") + event.prompt_tokens,
        completion_tokens=F("completion_tokens") + event.completion_tokens,
        model_seconds=F("model_seconds") + event.seconds,
        format_failures=F("format_failures") + int(bool(event.parse.failure)),
    )
    _spend(open_run, event.detail, 1)


def _spend(run: RunQuerySet, detail: dict[str, Any], calls: int) -> None:
    """`calls` of the run had the price that `detail` tells, where it tells one."""
    if spent := money.spent(detail):
        # Two currencies make no sum: of a routed engine's members only those that share the first one's count.
        run.filter(currency__in=["", spent.currency]).update(
            cost=F("cost") + spent.amount,
            saved=F("saved") + spent.saved,
            currency=spent.currency,
            priced_calls=F("priced_calls") + calls,
        )


@_project.register
def _(event: events.Note, run_id: int, seq: int, at: datetime) -> None:
    """Answers that were asked for ahead and not needed were paid for all the same."""
    calls, asked, answered = (
        event.detail.get(name) for name in ("calls", "prompt_tokens", "completion_tokens")
    )
    if event.name != UNUSED or not all(
        isinstance(n, int) and 0 <= n < 2**31 for n in (calls, asked, answered)
    ):
        return
    run = Run.objects.filter(pk=run_id)
    run.update(
        calls=F("calls") + calls,
        prompt_tokens=F("prompt_tokens") + asked,
        completion_tokens=F("completion_tokens") + answered,
    )
    priced = event.detail.get("priced_calls", calls)
    _spend(run, event.detail, priced if isinstance(priced, int) and 0 <= priced < 2**31 else 0)


@_project.register
def _(event: events.StepFailed, run_id: int, seq: int, at: datetime) -> None:
    Step.objects.filter(run_id=run_id, number=event.step).update(
        state=StepState.FAILED, finished_seq=seq, finished_at=at, gist=event.message[:200]
    )


@_project.register
def _(event: events.TestsFinished, run_id: int, seq: int, at: datetime) -> None:
    outcome = {"verdict": event.verdict, "passed": event.passed, "total": event.total, "strip": event.strip}
    Step.objects.filter(run_id=run_id, number=event.step).update(
        state=StepState.DONE, finished_seq=seq, finished_at=at, seconds=event.seconds, **outcome
    )
    if event.suite == "hidden":
        level = str(event.report.get("environment", {}).get("level", ""))
        Run.objects.filter(pk=run_id).update(judge_level=level, **outcome)


@_project.register
def _(event: events.RunFinished, run_id: int, seq: int, at: datetime) -> None:
    Run.objects.filter(pk=run_id).update(
        status=RunStatus(event.status),
        reason=event.reason,
        message=event.message,
        verdict=event.verdict,
        finished_at=at,
        lease_owner="",
        lease_expires_at=None,
    )


@_project.register
def _(event: events.Judged, run_id: int, seq: int, at: datetime) -> None:
    """The row of the judgement, then what stands now of the thing that it, or what it takes back, is about."""
    fields = event.model_dump(mode="json")
    row = Judgement.objects.create(run_id=run_id, seq=seq, created_at=at, **fields)
    while row.verb == "undo":
        target = Judgement.objects.get(run_id=run_id, key=row.undoes)
        target.undone = not row.undone
        target.save(update_fields=["undone"])
        row = target
    if row.verb == "blame":
        _blame(row)
    elif row.verb in ("accept", "reject"):
        _decide(row)
    elif row.verb == "prefer":
        _prefer(row)


def _blame(said: Judgement) -> None:
    mine: dict[str, Any] = {"run_id": said.run_id, "source": said.source, "actor": said.actor}
    newest = Judgement.objects.standing().filter(**mine, verb="blame").order_by("seq").last()
    if newest is None:
        Blame.objects.filter(**mine).delete()
        return
    value = newest.value
    known = {name: value.get(name) for name in ("confidence", "flips", "trials")}
    about = {"agent": value["agent"], "cause": value.get("cause", ""), "step": newest.step}
    Blame.objects.update_or_create(**mine, defaults={**about, **known, "judgement": newest})


def _decide(said: Judgement) -> None:
    mine: dict[str, Any] = {"run_id": said.run_id, "step": said.step, "actor": said.actor}
    newest = Judgement.objects.standing().filter(**mine, verb__in=("accept", "reject")).order_by("seq").last()
    if newest is None:
        Decision.objects.filter(**mine).delete()
        return
    value = newest.value
    decided = {
        "accepted": newest.verb == "accept",
        "role": value.get("role", ""),
        "code": value.get("code", ""),
    }
    Decision.objects.update_or_create(**mine, defaults={**decided, "judgement": newest})


def _prefer(said: Judgement) -> None:
    """A preference over a run that is not here, as an imported run may have, is in the log alone."""
    value = said.value
    other = Run.objects.filter(request_id=value["other"]["run"]).values_list("pk", flat=True).first()
    if other is None:
        return
    mine: dict[str, Any] = {"run_id": said.run_id, "step": said.step, "actor": said.actor}
    about = {"value__other__run": value["other"]["run"], "value__other__step": value["other"]["step"]}
    newest = Judgement.objects.standing().filter(**mine, **about, verb="prefer").order_by("seq").last()
    mine |= {"other_id": other, "other_step": value["other"]["step"]}
    if newest is None:
        Preference.objects.filter(**mine).delete()
        return
    name, other_name = newest.value["names"]
    chosen = {
        "choice": newest.value["choice"],
        "on_left": newest.value["left"] == "this",
        "role": newest.value["role"],
        "name": name,
        "other_name": other_name,
    }
    Preference.objects.update_or_create(**mine, defaults={**chosen, "judgement": newest})
