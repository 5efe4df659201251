"""Training pairs from recorded steps: the question as it was first asked, the answer that led to a pass.

1. A pair is kept once: its digest is unique, so harvesting a run again, after a crash or by two workers, adds nothing.
2. The prompt is the agent's own. Where the answer comes from a branch that was given feedback, the prompt is the
parent's, which no supervisor has touched (prompt erasure, MapCoder-Lite section 3.2). 3. People decide by judgements;
`settle` brings the examples to what the standing decisions say.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q

from solver.engines.protocol import FinishReason, Role
from solver.trace_events import NOT_RECORDED
from training.models import Example, ExampleState, Way
from trajectories import eventlog, events
from trajectories.models import Decision, Run

# How an answer ends that is whole, as the lab's engines say it and as other systems' recordings do.
WHOLE = (FinishReason.STOP.value, "end_turn", "stop_sequence", "eos")


def digest(role: str, messages: list[dict[str, str]], answer: str) -> str:
    """SHA-256 of role, messages and answer: what makes two examples the same one."""
    text = json.dumps([role, messages, answer], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Asked:
    """One finished model step of a run, as recorded."""

    started: events.StepStarted
    finished: events.StepFinished

    @property
    def number(self) -> int:
        return self.started.step

    @property
    def role(self) -> str:
        return self.started.role

    @property
    def agent(self) -> str:
        """The agent whose adapter learns this answer: the confidence call is the planner's."""
        return "planning" if self.role == Role.CONFIDENCE else self.role

    @property
    def messages(self) -> list[dict[str, str]]:
        return [{"role": turn["role"], "content": turn["content"]} for turn in self.started.messages]

    @property
    def is_retry(self) -> bool:
        """Asked again with its own format error shown: not a question that inference begins with."""
        return "retry_of" in self.started.detail

    @property
    def fault(self) -> str:
        """Why this answer teaches nothing; "" where it is whole and in the format that was asked for."""
        if not self.started.messages or not any(turn["content"].strip() for turn in self.messages):
            return "no prompt was recorded"
        if self.finished.detail.get("recorded"):
            return "the answer was not recorded, only what was taken from it"
        if self.finished.parse.failure or not self.finished.parse.usable:
            return self.finished.parse.failure or "unusable"
        if self.finished.finish_reason in WHOLE:
            return ""
        if self.finished.finish_reason == NOT_RECORDED:
            return "" if self._form_was_asked_for else "nothing shows that the answer is whole"
        return "cut off"

    @property
    def _form_was_asked_for(self) -> bool:
        """An answer that keeps a form to its closing mark was not cut off, even where nobody wrote down how it ended."""
        reading = self.finished.detail.get("reading")
        return isinstance(reading, dict) and reading.get("asked") not in ("", "prose", "plan", None)


def asked(run_id: int) -> Iterator[Asked]:
    """The finished model steps of a run, in the order in which they finished."""
    started: dict[int, events.StepStarted] = {}
    for row in eventlog.read_all(run_id):
        if row.kind not in ("step.started", "step.finished"):
            continue
        event = events.parse(row.kind, row.payload)
        if isinstance(event, events.StepStarted):
            started[event.step] = event
        elif isinstance(event, events.StepFinished):
            yield Asked(started[event.step], event)


def keep(
    way: Way,
    run: Run,
    step: Asked,
    *,
    origin: tuple[Run, Asked] | None = None,
    refused: str = "",
) -> Example | None:
    """Store the step's answer as a candidate; `origin` is where its question was first asked, if elsewhere.

    None where the answer teaches nothing (see `Asked.fault`). The same pair again is the row it made the first time.
    """
    question = origin[1] if origin else step
    if step.fault or (origin and not question.messages):
        return None
    found = digest(step.agent, question.messages, step.finished.text)
    try:
        with transaction.atomic():
            return Example.objects.create(
                role=step.agent,
                way=way,
                problem=run.problem,
                run=run,
                step=step.number,
                origin_run=origin[0] if origin else None,
                origin_step=question.number if origin else None,
                messages=question.messages,
                answer=step.finished.text,
                refused="" if refused == step.finished.text else refused,
                digest=found,
                author=step.finished.model[:200],
                licence=run.problem.licence,
            )
    except IntegrityError:
        return Example.objects.get(digest=found)


def settle() -> int:
    """Bring every example that is out of line with the standing decisions about its step to what they say.

    One acceptance is enough to keep a row; without any, a candidate that somebody rejected is rejected and an accepted
    row withdrawn. Returns how many steps were looked at. Cheap where nothing has changed: two indexed queries.
    """
    decided = Decision.objects.filter(run=OuterRef("run"), step=OuterRef("step"))
    accepted, refused = Exists(decided.filter(accepted=True)), Exists(decided.filter(accepted=False))
    rows = Example.objects.filter(run__isnull=False).annotate(yes=accepted, no=refused)
    stray = rows.filter(
        Q(state=ExampleState.ACCEPTED, yes=False)
        | Q(state=ExampleState.REJECTED, yes=False, no=False)
        | Q(state=ExampleState.CANDIDATE, yes=False, no=True)
    )
    wanted = rows.exclude(state=ExampleState.ACCEPTED).filter(yes=True)
    has_row = Exists(Example.objects.filter(run=OuterRef("run"), step=OuterRef("step"), state="accepted"))
    steps = set(stray.values_list("run", "step")) | set(wanted.exclude(has_row).values_list("run", "step"))
    for run_id, step in steps:
        if run_id is not None and step is not None:
            settle_step(run_id, step)
    return len(steps)


def settle_step(run_id: int, step: int, taken: int | None = None) -> None:
    """`taken`: the row that somebody chose; else the newest is meant. A step teaches one answer: what was accepted of it before
    gives way to a chosen one."""
    rows = Example.objects.filter(run=run_id, step=step)
    decisions = list(Decision.objects.filter(run=run_id, step=step).values_list("accepted", flat=True))
    if any(decisions):
        newest = rows.order_by("-pk").values_list("pk", flat=True)[:1]
        rows.filter(pk__in=[taken] if taken else list(newest)).move(ExampleState.ACCEPTED)
        if taken:
            rows.filter(state=ExampleState.ACCEPTED).exclude(pk=taken).move(ExampleState.WITHDRAWN)
    elif decisions:
        rows.filter(state=ExampleState.CANDIDATE).move(ExampleState.REJECTED)
        rows.filter(state=ExampleState.ACCEPTED).move(ExampleState.WITHDRAWN)
    else:
        rows.filter(state=ExampleState.ACCEPTED).move(ExampleState.WITHDRAWN)
        rows.filter(state=ExampleState.REJECTED).move(ExampleState.CANDIDATE)
