"""The workbench of a real run: every step a strategy takes is asked, judged and recorded here, or taken from the log.

Step numbers count what the strategy does, in order. On resume the strategy runs again from the top; steps that the
log holds finished are handed back without asking anybody, so a killed worker costs at most one unfinished step.
"""

from __future__ import annotations

import dataclasses
import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, Literal, TypeVar

from django.db import connection

from solver import judging
from solver.agents.answer_grammar import TooFewTokens, answer_grammar
from solver.agents.formats import Parsed
from solver.agents.prompts import Prompt, with_feedback
from solver.ahead import AskedAhead, Scout, send
from solver.change import Change
from solver.drafts import Draft
from solver.engines.protocol import (
    ChatModel,
    ChatReply,
    ChatRequest,
    EngineError,
    EngineRefused,
    FinishReason,
    Role,
    Sampling,
    Usage,
)
from solver.judge import Judge, Report
from solver.memo import Memo
from solver.strategies.protocol import Answer, BudgetExceeded, TestRun, Workbench
from trajectories import bell, eventlog, events, money
from trajectories.decisions import UNUSED
from trajectories.leases import Held
from trajectories.problem_schema import ProblemSpec
from trajectories.text import printable
from trajectories.verdicts import strip

T = TypeVar("T")
Suite = Literal["samples", "hidden"]
MOST_TIME_OUTS = 3  # of a hidden suite: 50 tests of 6 s each would say no more of a program that does not end


class LeaseLost(Exception):
    """Another worker owns the run now; stop without writing."""


class RunCancelled(Exception):
    """Somebody pressed Cancel."""


@dataclasses.dataclass(frozen=True, slots=True)
class Budget:
    """Limits of one run; the first to be reached ends it."""

    calls: int
    seconds: float = 3600.0
    tokens: int = 2_000_000


@dataclasses.dataclass(frozen=True, slots=True)
class Guest:
    """Another engine than the run's own, for the one step that a branch gives to it."""

    engine: ChatModel
    model_for: Callable[[Role], str]
    sampling: Sampling
    constrained: bool = False


class Recorder:
    """Implements `solver.strategies.protocol.Workbench` on the event log. One a run, used by one thread."""

    def __init__(
        self,
        problem: ProblemSpec,
        engine: ChatModel,
        judge: Judge,
        hold: Held,
        memo: Memo,
        *,
        model_for: Callable[[Role], str],
        sampling: Sampling,
        budget: Budget,
        judge_profile: str,
        change: Change | None = None,
        guest: Guest | None = None,
        constrained: bool = False,
        frozen: int = 0,
    ) -> None:
        """`frozen`: how many steps before the strategy's first are another system's, and not the strategy's to take."""
        self.problem, self.engine, self.judge, self.hold, self.memo = problem, engine, judge, hold, memo
        self.model_for, self.sampling, self.budget, self.judge_profile = (
            model_for,
            sampling,
            budget,
            judge_profile,
        )
        self.change, self.guest, self.constrained = change, guest, constrained
        self._ahead: AskedAhead | None = None
        self._scouts: list[threading.Thread] = []
        self.step, self.calls, self.tokens = frozen, 0, 0
        self.began = time.monotonic()

    # -- model steps

    def ask(
        self,
        role: Role,
        prompt: Prompt,
        parse: Callable[[str], Parsed[T]],
        *,
        attempt: int,
        gist: str = "",
        detail: dict[str, Any] | None = None,
    ) -> Answer[T]:
        self._checkpoint()
        self._spend()
        self.step += 1
        prompt = self._prompt(prompt)
        request = self.request_at(self.step, role, prompt)
        done = self.memo.take(self.step, request.digest())
        if done is None:
            done = self._call(request, prompt, parse, attempt=attempt, gist=gist, detail=detail or {})
        assert isinstance(done, events.StepFinished)
        self.tokens += done.prompt_tokens + done.completion_tokens
        truncated = done.finish_reason == FinishReason.LENGTH
        return Answer(self.step, done.text, parse(done.text), truncated)

    def request_at(self, step: int, role: Role, prompt: Prompt) -> ChatRequest:
        sampling = self._sampling(step)
        grammar = self._grammar(prompt, sampling.max_tokens)
        return ChatRequest(role, self._model(role), prompt.messages(), sampling, grammar)

    # -- asking ahead

    def ahead(self, branches: Sequence[Callable[[Workbench], object]], steps: int | None) -> None:
        """Send what all branches but the first, which the strategy asks at once, are going to ask (`solver.ahead`).

        Above temperature 0 a step's seed follows from its number, so it must be known; and a branch of a run from a
        changed step asks one after another.
        """
        seeded = self.sampling.temperature > 0 and self.sampling.seed is not None
        if self.change is not None or (steps is None and seeded):
            return
        if self._ahead is None:
            self.engine = self._ahead = AskedAhead(self.engine)
        affordable = (self.budget.calls - self.calls) // (steps or 1)
        sent = branches[1 : max(1, affordable)]
        scouts = [Scout(self, self._ahead, self.step + n * (steps or 0)) for n in range(1, len(sent) + 1)]
        self._scouts += send(sent, scouts, lambda: connection.close())  # each its own

    def recorded_answer(self, request: ChatRequest) -> str | None:
        return self.memo.answer(request.digest())

    def close(self) -> None:
        """Let nobody ask on, and note what was asked ahead and not needed: it was paid for."""
        if self._ahead is None:
            return
        self._ahead.stop()
        for scout in self._scouts:
            scout.join()
        unused = self._ahead.unused()
        if unused and not self.hold.lost.is_set():
            self.note(UNUSED, **_waste(unused))

    def _prompt(self, prompt: Prompt) -> Prompt:
        feedback = self.change.feedback_for(self.step) if self.change else ""
        return with_feedback(prompt, feedback) if feedback else prompt

    def _grammar(self, prompt: Prompt, max_tokens: int) -> str | None:
        """What the answer is held to in a constrained run. Raises EngineRefused where it cannot fit the token limit."""
        guest = self._guest()
        if prompt.form is None or not (guest.constrained if guest else self.constrained):
            return None
        try:
            return answer_grammar(prompt.form, max_tokens)
        except TooFewTokens as error:
            raise EngineRefused(str(error)) from None

    def _guest(self) -> Guest | None:
        return self.guest if self.change and self.change.guest_at(self.step) else None

    def _model(self, role: Role) -> str:
        if guest := self._guest():
            return guest.model_for(role)
        changed = self.change.model_for(self.step, role.value) if self.change else None
        return changed or self.model_for(role)

    def _sampling(self, step: int) -> Sampling:
        """Above temperature 0 each step draws with a seed of its own: the same question twice is two draws."""
        guest = self._guest()
        usual = guest.sampling if guest else self.sampling
        if self.change is not None:
            usual = self.change.sampling_for(step, usual)
        if usual.temperature == 0 or usual.seed is None:
            return usual
        return dataclasses.replace(usual, seed=usual.seed + step)

    def _call(
        self,
        request: ChatRequest,
        prompt: Prompt,
        parse: Callable[[str], Parsed[T]],
        *,
        attempt: int,
        gist: str,
        detail: dict[str, Any],
    ) -> events.StepFinished:
        self._write(
            events.StepStarted(
                step=self.step,
                role=request.role,
                attempt=attempt,
                gist=gist,
                messages=[{"role": m.role, "content": m.content} for m in request.messages],
                template=prompt.template,
                template_digest=prompt.template_digest,
                request_digest=request.digest(),
                model=request.model,
                sampling=dataclasses.asdict(request.sampling),
                grammar=request.grammar or "",
                detail=detail,
            )
        )
        draft = Draft(partial(bell.delta, self.hold.run_id, self.step))
        try:
            guest = self._guest()
            engine = guest.engine if guest else self.engine
            reply = self._edited() or engine.chat(request, on_delta=draft.push, cancelled=self._stopped)
        except EngineError as error:
            self._checkpoint()
            self._write(events.StepFailed(step=self.step, code=error.code, message=str(error)))
            raise
        self._checkpoint()  # an answer cut short by a cancel is no answer
        text = printable(reply.text)
        parsed = parse(text)
        finished = answered(self.step, reply, text, parsed, _plain(parsed.value))
        self._write(finished)
        return finished

    def _edited(self) -> ChatReply | None:
        """The answer that a person or a supervisor wrote in this step's place; no model runs."""
        text = self.change.edit_for(self.step) if self.change else None
        if self.change is None or text is None:
            return None
        return ChatReply(
            text=text,
            finish_reason=FinishReason.STOP,
            usage=Usage(0, 0),
            model=f"edited by {self.change.actor}" if self.change.actor else "edited",
            seconds=0.0,
            detail={"edited": True},
        )

    # -- judge steps

    def run_samples(self, code: str, language: str, *, attempt: int) -> TestRun:
        if not self.problem.samples:
            return TestRun(self.step, "AC", 0, 0)
        return self._judge("samples", code, language, attempt)

    def run_hidden(self, code: str, language: str, *, attempt: int) -> TestRun:
        """The verdict of the run. Its cases are never handed to a strategy."""
        return self._judge("hidden", code, language, attempt)

    def _judge(self, suite: Suite, code: str, language: str, attempt: int) -> TestRun:
        self._checkpoint()
        self.step += 1
        digest = hashlib.sha256(f"{suite}\0{language}\0{code}".encode("utf-8", "surrogatepass")).hexdigest()
        done = self.memo.take(self.step, digest)
        if done is None:
            done = self._run_tests(suite, code, language, attempt, digest)
        assert isinstance(done, events.TestsFinished)
        report = Report.from_dict(done.report)
        shown = judging.cases(self.problem, report) if suite == "samples" else ()
        return TestRun(self.step, done.verdict, done.passed, done.total, shown, report.compiler_output)

    def _run_tests(
        self, suite: Suite, code: str, language: str, attempt: int, digest: str
    ) -> events.TestsFinished:
        tests = judging.sample_tests(self.problem) if suite == "samples" else list(self.problem.tests)
        self._write(
            events.TestsStarted(
                step=self.step,
                attempt=attempt,
                suite=suite,
                language=language,
                code=code,
                code_digest=digest,
                total=len(tests),
            )
        )
        began = time.monotonic()
        report = self.judge.judge(
            judging.program(code, language),
            judging.task(self.problem, tests, language),
            profile=self.judge_profile,
            most_time_outs=MOST_TIME_OUTS if suite == "hidden" else None,
        )
        self._checkpoint()
        finished = events.TestsFinished(
            step=self.step,
            suite=suite,
            verdict=report.verdict.value,
            passed=report.passed,
            total=report.total,
            strip=strip([result.verdict.value for result in report.results]),
            seconds=round(time.monotonic() - began, 4),
            report=judging.slim(report) if suite == "hidden" else report.to_dict(),
        )
        self._write(finished)
        return finished

    # -- decisions and limits

    def note(self, kind: str, **detail: Any) -> None:
        note = events.Note(name=kind, detail=detail)
        if not self.memo.has_note(note):
            self._write(note)

    def _write(self, event: events.Event) -> None:
        eventlog.append(self.hold.run_id, [event], fence=self.hold.fence)

    def _stopped(self) -> bool:
        return self.hold.lost.is_set() or self.hold.cancel.is_set()

    def _checkpoint(self) -> None:
        if self.hold.lost.is_set():
            raise LeaseLost
        if self.hold.cancel.is_set():
            raise RunCancelled

    def _spend(self) -> None:
        self.calls += 1
        if self.calls > self.budget.calls:
            raise BudgetExceeded(f"the run's budget of {self.budget.calls} model calls is used up")
        if self.tokens > self.budget.tokens:
            raise BudgetExceeded(f"the run's budget of {self.budget.tokens} tokens is used up")
        if time.monotonic() - self.began > self.budget.seconds:
            raise BudgetExceeded(f"the run's budget of {self.budget.seconds:.0f} seconds is used up")


def _waste(unused: list[ChatReply]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "calls": len(unused),
        "prompt_tokens": sum(reply.usage.prompt_tokens for reply in unused),
        "completion_tokens": sum(reply.usage.completion_tokens for reply in unused),
    }
    costs = [cost for reply in unused if (cost := money.spent(reply.detail))]
    costs = [cost for cost in costs if cost.currency == costs[0].currency]  # two currencies make no sum
    if costs:
        amount = sum((cost.amount for cost in costs), Decimal(0))
        told["cost"] = {"amount": f"{amount:f}", "currency": costs[0].currency}
        told["priced_calls"] = len(costs)
    return told


def answered(
    step: int, reply: ChatReply, text: str, parsed: Parsed[Any], value: Any, gist: str = ""
) -> events.StepFinished:
    """The event of a model's answer: `text` is the reply's, printable; `value` what was read from it, as JSON."""
    return events.StepFinished(
        step=step,
        text=text,
        finish_reason=reply.finish_reason,
        prompt_tokens=reply.usage.prompt_tokens,
        completion_tokens=reply.usage.completion_tokens,
        estimated=reply.usage.estimated,
        seconds=round(reply.seconds, 4),
        first_token_s=reply.first_token_s,
        model=reply.model,
        adapter_digest=reply.adapter_digest,
        parse=events.ParseResult(
            usable=parsed.usable,
            failure=parsed.failure.value if parsed.failure else "",
            message=parsed.message,
            where=parsed.where,
            value=value,
        ),
        gist=gist,
        detail=reply.detail,
    )


def _plain(value: Any) -> Any:
    return (
        dataclasses.asdict(value)
        if dataclasses.is_dataclass(value) and not isinstance(value, type)
        else value
    )
