"""Asking the supervisor about a failed run: each vote is a step with role `supervisor` in that run's own log.

The log decides what has been asked: after a crash finished votes are taken from it and nobody is paid twice; a vote that
was cut short is asked again under its own step number. Every write names the case's fence.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from solver.agents import supervisor
from solver.agents.prompts import Prompt
from solver.agents.supervisor import Opinion, ShownStep
from solver.engines.protocol import ChatModel, ChatReply, ChatRequest, EngineError, Role, Sampling
from solver.recorder import answered
from training import leakage
from training.supervision.models import SupervisionCase
from training.supervision.spec import SupervisionSpec
from trajectories import eventlog, events
from trajectories.models import Run, StepEvent
from trajectories.problem_schema import ProblemSpec
from trajectories.row_leases import Hold
from trajectories.text import printable


@dataclass(frozen=True, slots=True)
class Vote:
    """One answer of the supervisor. `opinion` is None where it could not be used; `faults`: why its feedback is not
    passed on, `diagnosis_faults`: why its diagnosis is not; `unknown` of its `citations` cite what is not there."""

    step: int
    opinion: Opinion | None
    evidence: tuple[dict[str, Any], ...] = ()
    unknown: int = 0
    faults: tuple[str, ...] = ()
    diagnosis_faults: tuple[str, ...] = ()
    failure: str = ""

    def to_json(self) -> dict[str, Any]:
        said = self.opinion
        return {
            "step": self.step,
            "agent": said.agent if said else "",
            "others": list(said.others) if said else [],
            "confidence": said.confidence if said else None,
            "diagnosis": said.diagnosis if said else "",
            "feedback": said.feedback if said else "",
            "blamed_step": said.step if said else None,
            "citations": len(self.evidence),
            "unknown": self.unknown,
            "faults": list(self.faults),
            "diagnosis_faults": list(self.diagnosis_faults),
            "failure": self.failure,
        }


@dataclass(frozen=True, slots=True)
class Desk:
    """What every vote about one run is asked with."""

    case: SupervisionCase
    run: Run
    problem: ProblemSpec
    steps: Sequence[ShownStep]
    attempt: int
    spec: SupervisionSpec

    @property
    def prompt(self) -> Prompt:
        return supervisor.prompt(self.problem, self.steps)


def votes(desk: Desk, engine: ChatModel, model: str, max_tokens: int, hold: Hold) -> list[Vote]:
    """All votes of the case, asked where the log does not hold them yet. Raises EngineError and StaleFence."""
    known = _recorded(desk)
    found = []
    for number in range(desk.spec.votes):
        step, finished = known.get(number, (None, None))
        if finished is None:
            temperature = desk.spec.temperature if desk.spec.votes > 1 else 0.0
            sampling = Sampling(temperature, 0.95, max_tokens, desk.spec.seed + number)
            request = ChatRequest(Role.SUPERVISOR, model, desk.prompt.messages(), sampling)
            step, finished = _ask(desk, engine, request, number, step, hold)
        assert step is not None
        found.append(_vote(desk, step, finished.text))
    return found


def _recorded(desk: Desk) -> dict[int, tuple[int, events.StepFinished | None]]:
    """Vote -> its step, and its answer if there is one."""
    mine = StepEvent.objects.filter(run=desk.run, payload__role=Role.SUPERVISOR.value, kind="step.started")
    found: dict[int, tuple[int, events.StepFinished | None]] = {}
    for row in mine.filter(payload__detail__supervision=desk.case.pk).order_by("seq"):
        answers = StepEvent.objects.filter(run=desk.run, step=row.step, kind="step.finished")
        answer = answers.order_by("-seq").first()
        finished = events.StepFinished.model_validate(answer.payload) if answer else None
        assert row.step is not None
        found[int(row.payload["detail"]["vote"])] = (row.step, finished)
    return found


def _ask(
    desk: Desk, engine: ChatModel, request: ChatRequest, vote: int, step: int | None, hold: Hold
) -> tuple[int, events.StepFinished]:
    started = partial(_started, desk, request, vote, step)
    number = eventlog.append_afterword(desk.run.pk, lambda free: [started(free)], still_mine=hold.is_mine)
    number = step or number
    try:
        reply = engine.chat(request, cancelled=hold.lost.is_set)
    except EngineError as error:
        failed = events.StepFailed(step=number, code=error.code, message=str(error))
        eventlog.append_afterword(desk.run.pk, lambda _: [failed], still_mine=hold.is_mine)
        raise
    finished = _finished(desk, number, reply)
    eventlog.append_afterword(desk.run.pk, lambda _: [finished], still_mine=hold.is_mine)
    return number, finished


def _started(desk: Desk, request: ChatRequest, vote: int, step: int | None, free: int) -> events.StepStarted:
    return events.StepStarted(
        step=step or free,
        role=Role.SUPERVISOR.value,
        attempt=desk.attempt,
        gist=f"vote {vote + 1} of {desk.spec.votes}",
        messages=[{"role": m.role, "content": m.content} for m in request.messages],
        template=desk.prompt.template,
        template_digest=desk.prompt.template_digest,
        request_digest=request.digest(),
        model=request.model,
        sampling=dataclasses.asdict(request.sampling),
        detail={"supervision": desk.case.pk, "vote": vote},
    )


def _finished(desk: Desk, number: int, reply: ChatReply) -> events.StepFinished:
    text = printable(reply.text)
    parsed = supervisor.parse(text)
    value = None
    if parsed.value is not None:
        value = supervisor.to_json(parsed.value, supervisor.checked(parsed.value.evidence, desk.steps))
    gist = f"blames {parsed.value.agent}" if parsed.value else ""
    return answered(number, reply, text, parsed, value, gist)


def _vote(desk: Desk, step: int, text: str) -> Vote:
    parsed = supervisor.parse(text)
    opinion = parsed.value
    if opinion is None:
        return Vote(step, None, failure=parsed.message)
    evidence = supervisor.checked(opinion.evidence, desk.steps)
    shown = desk.prompt.text
    return Vote(
        step,
        opinion,
        tuple(citation.to_json() for citation in evidence),
        sum(not citation.known for citation in evidence),
        tuple(leakage.faults(opinion.feedback, desk.problem, shown)),
        tuple(leakage.faults(opinion.diagnosis, desk.problem, shown)),
    )
