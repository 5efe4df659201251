"""Answers a MapCoder run from the walkthroughs. The same question always gets the same answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from solver.agents.problem_text import count_in_words
from solver.engines.protocol import ChatReply, ChatRequest, EngineInfo, FinishReason, NoRecording, Role, Usage
from solver.engines.tokens import estimate_prompt, estimate_tokens
from starter.prose import unwrapped
from starter.source import ProblemSource
from starter.walkthrough import Attempt, Repair, Walkthrough

MODEL = "authored answers"
RETRY = "## Your last answer could not be used"  # the heading of the retry template


class ScriptedModel:
    """A `ChatModel` without a model: it finds out from the prompt which answer of which walkthrough is due.

    Nothing is remembered between calls, so an answer depends on role and prompt alone, as a recording needs it.
    """

    def __init__(self, sources: Iterable[ProblemSource]) -> None:
        self._sources = tuple(sources)

    def chat(
        self,
        request: ChatRequest,
        *,
        on_delta: Callable[[str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> ChatReply:
        prompt = "\n".join(message.content for message in request.messages)
        text = answer(self._walkthrough(prompt), request.role, prompt)
        if on_delta is not None:
            on_delta(text)
        usage = Usage(estimate_prompt(request.messages), estimate_tokens(text), estimated=True)
        return ChatReply(text, FinishReason.STOP, usage, MODEL, seconds=0.0)

    def _walkthrough(self, prompt: str) -> Walkthrough:
        for source in self._sources:
            if source.statement in prompt:
                return source.walkthrough
        raise NoRecording(
            "No starter problem's statement stands in this prompt; only those have walkthroughs."
        )

    def info(self) -> EngineInfo:
        label = "Walkthroughs of the starter problems: answers written by hand, no model runs"
        return EngineInfo("walkthrough", "scripted", label, simulated=True, models=(MODEL,))

    def close(self) -> None:
        """Nothing is held open."""


def answer(walkthrough: Walkthrough, role: Role, prompt: str) -> str:
    """What `role` says to `prompt`. Raises NoRecording where the walkthrough does not go."""
    match role:
        case Role.RETRIEVAL:
            return _retrieval(walkthrough, prompt)
        case Role.PLANNING:
            for exemplar, attempt in zip(walkthrough.exemplars, walkthrough.attempts, strict=True):
                if unwrapped(exemplar.description) in prompt and unwrapped(exemplar.planning) in prompt:
                    return attempt.wire_plan()
        case Role.CONFIDENCE | Role.CODING:
            for attempt in walkthrough.attempts:
                if attempt.wire_plan() in prompt:
                    return attempt.wire_code() if role is Role.CODING else attempt.wire_confidence()
        case Role.DEBUGGING:
            return _debugging(walkthrough, prompt)
    raise NoRecording(f"The walkthrough has no answer to this {role.value} prompt.")


def _retrieval(walkthrough: Walkthrough, prompt: str) -> str:
    if walkthrough.unusable_retrieval and RETRY not in prompt:
        return unwrapped(walkthrough.unusable_retrieval)
    for k in range(1, len(walkthrough.exemplars) + 1):
        if count_in_words(k) in prompt:
            return walkthrough.wire_retrieval(k)
    raise NoRecording(
        f"Walkthroughs hold {len(walkthrough.exemplars)} exemplars; this prompt asks for another number."
    )


def _debugging(walkthrough: Walkthrough, prompt: str) -> str:
    """The repair that follows the program in the prompt; the longest match, for one program may contain another."""
    found = [
        (len(program), attempt, index)
        for attempt in walkthrough.attempts
        for index, program in enumerate(attempt.programs())
        if program in prompt
    ]
    if not found:
        raise NoRecording("None of the walkthrough's programs stands in this debugging prompt.")
    _, attempt, index = max(found, key=lambda match: match[0])
    return _next_repair(attempt, index).wire()


def _next_repair(attempt: Attempt, index: int) -> Repair:
    if index < len(attempt.repairs):
        return attempt.repairs[index]
    if attempt.repairs:
        return attempt.repairs[-1]
    return Repair("I find no mistake in the plan. The program stays as it is.", attempt.code)
