"""Judgements as verbs: blame, accept, reject, correct, comment, prefer, undo. Every one is a `judged` event of its run.

1. The same `key` again returns the judgement it made the first time, so a double click, a retry after a lost answer
or a reload says nothing twice. 2. What is already so is not said again. 3. Nothing is overwritten: undo takes back by
name, undoing an undo brings back. The rows of `Judgement`, `Blame`, `Decision` and `Preference` are projections of these events.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, Literal

from django.db import IntegrityError, transaction

from trajectories import eventlog
from trajectories.agents import AGENTS
from trajectories.desk.models import Choice
from trajectories.events import Judged
from trajectories.models import Blame, Decision, Judgement, Preference, Run, RunStatus, Step

Source = Literal["human", "supervisor", "replay", "rule"]
NOBODY = "none"
LONGEST_TEXT = 200_000


class Refused(ValueError):
    """A judgement that cannot be made; the message is a sentence for people."""


def blame(
    run: Run,
    agent: str,
    *,
    actor: str,
    source: Source = "human",
    step: int | None = None,
    cause: str = "",
    confidence: float | None = None,
    flips: int | None = None,
    trials: int | None = None,
    reason: str = "",
    evidence: Sequence[dict[str, Any]] = (),
    key: str = "",
) -> Judgement | None:
    """Hold `agent` (or NOBODY) responsible for the run's failure. None where this source says so already."""
    if agent not in (*AGENTS, NOBODY):
        raise Refused(f"There is no agent {agent!r}; blame one of {', '.join(AGENTS)} or {NOBODY}.")
    known = {"confidence": confidence, "flips": flips, "trials": trials}
    value = {"agent": agent, "cause": cause, **{name: v for name, v in known.items() if v is not None}}
    stands = Blame.objects.filter(run=run, source=source, actor=actor).select_related("judgement").first()
    before = stands.judgement.value if stands else {}
    if stands and before == value and stands.step == step and stands.judgement.reason == reason:
        return None
    return _say(
        run,
        step,
        "blame",
        value,
        actor=actor,
        source=source,
        before=before,
        reason=reason,
        evidence=evidence,
        key=key,
    )


def accept(
    run: Run, step: int, *, actor: str, role: str = "", reason: str = "", key: str = ""
) -> Judgement | None:
    """Take the step's answer as a training example of its role. None where this reviewer has accepted it already."""
    return _decide(run, step, "accept", {"role": role or _step(run, step).role}, actor, reason, key)


def reject(
    run: Run, step: int, *, actor: str, code: str, reason: str = "", key: str = ""
) -> Judgement | None:
    """Refuse the step's answer as an example, with a reason code."""
    return _decide(run, step, "reject", {"code": code}, actor, reason, key)


def correct(
    run: Run,
    step: int,
    text: str,
    *,
    actor: str,
    source: Source = "human",
    branch: int | None = None,
    reason: str = "",
    key: str = "",
) -> Judgement | None:
    """A better answer for the step; `branch` is the run that shows what it leads to. The original stays."""
    value: dict[str, Any] = {"text": text[:LONGEST_TEXT]} | ({} if branch is None else {"branch": branch})
    return _say(run, step, "correct", value, actor=actor, source=source, reason=reason, key=key)


def comment(
    run: Run, step: int | None, text: str, *, actor: str, lines: tuple[int, int] | None = None, key: str = ""
) -> Judgement | None:
    if not text.strip():
        raise Refused("A comment needs some text.")
    value: dict[str, Any] = {"text": text[:LONGEST_TEXT]} | ({} if lines is None else {"lines": list(lines)})
    return _say(run, step, "comment", value, actor=actor, key=key)


def prefer(
    step: Step,
    other: Step,
    choice: Choice,
    *,
    on_left: bool,
    names: tuple[str, str],
    actor: str,
    key: str = "",
) -> Judgement | None:
    """Which of two steps is better, said in the run of `step`. None where this reviewer has said so already.

    `other` is named by its run's request id, which is the same in every lab. `on_left`: where `step` was shown.
    """
    run = step.run
    if (run.pk, step.number) == (other.run_id, other.number):
        raise Refused("A step cannot be compared with itself.")
    if run.problem_id != other.run.problem_id:
        raise Refused(f"Runs {run.pk} and {other.run_id} are of different problems, so neither is better.")
    said = Preference.objects.filter(
        run=run, step=step.number, other=other.run_id, other_step=other.number, actor=actor
    )
    stands = said.select_related("judgement").first()
    value = {
        "choice": choice.value,
        "other": {"run": other.run.request_id, "step": other.number},
        "left": "this" if on_left else "other",
        "role": step.role,
        "names": list(names),
    }
    if stands and stands.judgement.value == value:
        return None
    before = {"choice": stands.choice} if stands else {}
    return _say(run, step.number, "prefer", value, actor=actor, before=before, key=key)


def undo(judgement: Judgement, *, actor: str, key: str = "") -> Judgement | None:
    """Take back a judgement, or with an undo as `judgement` bring back what that one took. None if undone already."""
    if judgement.undone:
        return None
    run = judgement.run
    return _say(run, judgement.step, "undo", {}, actor=actor, undoes=judgement.key, key=key)


def _decide(
    run: Run,
    step: int,
    verb: Literal["accept", "reject"],
    value: dict[str, Any],
    actor: str,
    reason: str,
    key: str,
) -> Judgement | None:
    stands = Decision.objects.filter(run=run, step=step, actor=actor).select_related("judgement").first()
    before = {"verb": stands.judgement.verb, **stands.judgement.value} if stands else {}
    if before == {"verb": verb, **value} and stands and stands.judgement.reason == reason:
        return None
    return _say(run, step, verb, value, actor=actor, before=before, reason=reason, key=key)


def _step(run: Run, number: int) -> Step:
    step = Step.objects.filter(run=run, number=number).first()
    if step is None:
        raise Refused(f"Run {run.pk} has no step {number}.")
    return step


def _say(
    run: Run,
    step: int | None,
    verb: Literal["blame", "accept", "reject", "correct", "comment", "prefer", "undo"],
    value: dict[str, Any],
    *,
    actor: str,
    source: Source = "human",
    before: dict[str, Any] | None = None,
    reason: str = "",
    evidence: Sequence[dict[str, Any]] = (),
    undoes: str = "",
    key: str = "",
) -> Judgement:
    """Append the event in whatever state the run is; the judgement of the same key if it is there already."""
    key = key or uuid.uuid4().hex
    if known := Judgement.objects.filter(run=run, key=key).first():
        return known
    if step is not None:
        _step(run, step)
    event = Judged(
        key=key,
        step=step,
        verb=verb,
        source=source,
        actor=actor,
        value=value,
        before=before or {},
        reason=reason[:LONGEST_TEXT],
        evidence=list(evidence),
        undoes=undoes,
    )
    try:
        with transaction.atomic():
            eventlog.append_unowned(run.pk, event, when=list(RunStatus))
    except IntegrityError:  # the same request arrived twice at once
        pass
    return Judgement.objects.get(run=run, key=key)
