"""Counterfactual replay: a run that is another's up to a step, and differs from there.

A branch starts with a copy of the parent's events before the step: frozen, so that they are neither asked nor judged
nor paid again. At the step one thing changes, and whatever follows is asked and judged anew. Several branches of one
change, each with a seed of its own, tell how often it flips the verdict: that number is evidence of blame.

Of an imported run the lab has neither the strategy nor the engine: a branch of it names the engine that goes on, and
`solver.strategies.takeover` is how.
"""

from __future__ import annotations

import uuid
from dataclasses import replace

from django.db import IntegrityError, transaction
from django.utils.timezone import now

from solver import engine_book, runs
from solver.change import Change
from solver.strategies import takeover
from solver.strategies.registry import TAKEOVER
from trajectories import eventlog, events, opinions
from trajectories.models import Run, Step, StepEvent, StepState
from trajectories.version import code_version

LONGEST_TEXT = 200_000
REPLAY_TEMPERATURE = 0.7
COPIED = ("step.started", "step.finished", "tests.started", "tests.finished", "note")


class BranchRefused(ValueError):
    """A branch that cannot be made; the message is a sentence for people."""


def start(
    parent: Run,
    change: Change,
    *,
    reason: str = "",
    request_id: str = "",
    goes_on: str = "",
    publish_to_workers: bool = True,
) -> Run:
    """Queue a branch of an ended run. `goes_on` names the engine that answers what follows, of an imported run alone.

    The same `request_id` again returns the run it started. Raises BranchRefused."""
    request_id = request_id or uuid.uuid4().hex
    if known := Run.objects.filter(request_id=request_id).first():
        return known
    _check(parent, change)
    successor = _successor(parent, change, goes_on)
    try:
        with transaction.atomic():
            run = _create(parent, change, request_id, publish_to_workers, successor)
            frozen = _copy(parent, change, run, reason)
            # What was copied was paid for in the parent.
            unpaid = {"cost": 0, "saved": 0, "currency": "", "priced_calls": 0}
            Run.objects.filter(pk=run.pk).update(
                calls=0, prompt_tokens=0, completion_tokens=0, model_seconds=0, format_failures=0, **unpaid
            )
    except IntegrityError:  # the same request arrived twice at once
        return Run.objects.get(request_id=request_id)
    run.refresh_from_db()
    run.step_count = frozen
    if publish_to_workers:
        transaction.on_commit(lambda: runs.publish(run.pk))
    return run


def repeat(
    parent: Run, change: Change, times: int, *, reason: str = "", request_id: str = "", goes_on: str = ""
) -> list[Run]:
    """`times` branches of the same change, each with a draw that no other branch of it has: the run's own decoding first,
    sampled after that. Drawing the parent's answer again begins with a sample, for its own decoding would repeat it.

    The same `request_id` again returns the runs it started. Raises BranchRefused."""
    request_id = request_id or uuid.uuid4().hex
    started = []
    for index in range(times):
        key = request_id if times == 1 else f"{request_id[:56]}-{index}"
        with transaction.atomic():
            Run.objects.select_for_update().get(pk=parent.pk)  # two who ask at once get different draws
            one = _next_draw(parent, change, goes_on)
            started.append(start(parent, one, reason=reason, request_id=key, goes_on=goes_on))
    return started


def taken(parent: Run, change: Change, goes_on: str = "") -> set[opinions.Draw]:
    """The draws of the change that a branch has which counts or is under way; one that said nothing leaves its draw free."""
    mine = opinions.identity(change.to_json(), goes_on if needs_engine(parent) else parent.engine_name)
    return {
        branch.draw
        for branch, same in opinions.branches(parent.pk)
        if same == mine and (not branch.ended or branch.counts)
    }


def _next_draw(parent: Run, change: Change, goes_on: str) -> Change:
    there = taken(parent, change, goes_on)
    draw = 1 if change.kind == "again" and change.temperature is None else 0
    while True:
        temperature = change.temperature if not draw else (change.temperature or REPLAY_TEMPERATURE)
        if (temperature, draw) not in there:
            return replace(change, temperature=temperature, draw=draw)
        draw += 1


def why_not(parent: Run) -> str:
    """Why no branch can be made of this run whatever changes, as a sentence; empty where one can."""
    if not parent.ended:
        return f"Run {parent.pk} has not ended; wait for its end or cancel it first."
    return ""


def needs_engine(parent: Run) -> bool:
    """Whether somebody has to say which engine goes on."""
    return bool(parent.imported_from)


def _successor(parent: Run, change: Change, goes_on: str) -> dict[str, object]:
    """The columns of a branch of an imported run that its parent cannot give; nothing for a run of this lab."""
    if not needs_engine(parent):
        return {}
    start = _asked(parent, change.at)
    if not goes_on:
        raise BranchRefused(
            f"Run {parent.pk} was imported, so the lab does not have the engine that made it: "
            "choose the engine that goes on from this step."
        )
    if change.kind not in ("edit", "feedback", "again"):
        raise BranchRefused(
            "Of an imported run an answer can be edited, asked again, or asked again with feedback."
        )
    if start is None or start.role not in takeover.ROLES or not start.messages:
        raise BranchRefused(
            f"Step {change.at} cannot be gone on from: the lab needs a recorded question to "
            "a retrieval, planning, coding or debugging agent."
        )
    try:
        spec = engine_book.get(goes_on)
    except LookupError as error:
        raise BranchRefused(f"{error}.") from None
    usual = engine_book.usual_params(spec)
    given = {name: usual[name] for name in ("t",) if name in usual}
    told = {"role": start.role, "attempt": start.attempt, "messages": start.messages, "frozen": change.at - 1}
    return {
        "strategy": takeover.NAME,
        "params": {**TAKEOVER.check(given), "language": parent.language, **told},
        "engine": engine_book.copy_for_run(spec, engine_book.roles_of(spec)),
        "engine_name": spec.name,
    }


def _check(parent: Run, change: Change) -> None:
    if refused := why_not(parent):
        raise BranchRefused(refused)
    step = Step.objects.filter(run=parent, number=change.at).first()
    if step is None:
        raise BranchRefused(f"Run {parent.pk} has no step {change.at}.")
    if step.role == "judge":
        raise BranchRefused(
            f"Step {change.at} is the judge's; change the agent's step whose program it judged."
        )
    if change.needs_text and not change.text.strip():
        raise BranchRefused("The change is empty; write the answer, or the feedback for the agent.")
    if change.kind == "engine" and not change.engine:
        raise BranchRefused("Name the engine that is to answer this step.")
    if change.kind == "edit" and change.engine:
        raise BranchRefused("An edited answer asks nobody, so it cannot name an engine.")
    if len(change.text) > LONGEST_TEXT:
        raise BranchRefused(f"The change has {len(change.text):,} characters; at most {LONGEST_TEXT:,} fit.")
    unfinished = Step.objects.filter(run=parent, number__lt=change.at).exclude(state=StepState.DONE)
    if unfinished.exists():
        raise BranchRefused(
            f"A step before step {change.at} has not finished, so it cannot be kept as it is."
        )


def _asked(parent: Run, number: int) -> events.StepStarted | None:
    rows = StepEvent.objects.filter(run=parent, step=number, kind="step.started").order_by("-seq")
    payload = rows.values_list("payload", flat=True).first()
    return events.StepStarted.model_validate(payload) if payload else None


def _create(
    parent: Run, change: Change, request_id: str, publish_to_workers: bool, successor: dict[str, object]
) -> Run:
    own = successor or {
        "strategy": parent.strategy,
        "params": parent.params,
        "engine": parent.engine | _guest(change, constrained=bool(parent.engine.get("constrained"))),
        "engine_name": parent.engine_name,
    }
    return Run.objects.create(
        **own,
        problem=parent.problem,
        seed=parent.seed,
        language=parent.language,
        judge_profile=parent.judge_profile,
        code_version=code_version(),
        request_id=request_id,
        created_by=change.actor,
        branch_of=parent,
        branch=change.to_json(),
        published_at=None if publish_to_workers else now(),
    )


def _guest(change: Change, *, constrained: bool) -> dict[str, object]:
    """What the branch keeps of the engine that answers one step of it. It is constrained if the run is and it can be."""
    if not change.engine:
        return {}
    try:
        spec = engine_book.get(change.engine)
    except LookupError as error:
        raise BranchRefused(f"{error}.") from None
    roles = engine_book.roles_of(spec)
    return {"guest": engine_book.copy_for_run(spec, roles, constrained=constrained and spec.constrains)}


def _copy(parent: Run, change: Change, run: Run, reason: str) -> int:
    """Write the parent's events before the step into the branch, at their own times; how many steps that are."""
    kept: list[events.Event] = []
    times = []
    for row in eventlog.read_all(parent.pk):
        if row.kind not in COPIED:
            continue
        event = events.parse(row.kind, row.payload)
        if isinstance(event, events.StepStarted | events.TestsStarted) and event.step >= change.at:
            break
        kept.append(event)
        times.append(row.created_at)
    begun = events.RunBranched(
        parent=parent.pk,
        parent_seq=parent.last_seq,
        at=change.at,
        change=change.kind,
        frozen_steps=change.at - 1,
        actor=change.actor,
        reason=reason,
    )
    first = times[0] if times else now()
    eventlog.restore(run.pk, [begun, *kept], [first, *times])
    return change.at - 1
