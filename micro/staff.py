"""Who answers in a run of the recipe: the student's model, the teacher's server, or the supervisor's corrections."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from micro.oracle_server import MODEL, reply_to
from micro.tokenizer import LONGEST_ANSWER
from solver.agents.answer_grammar import answer_grammar
from solver.agents.prompts import Prompt
from solver.engines.protocol import (
    ChatModel,
    ChatRequest,
    ContextOverflow,
    FinishReason,
    Role,
    Sampling,
)
from solver.engines.spec import BASE
from trajectories.agents import AGENTS

Answerer = Callable[[Role, Prompt], tuple[str, bool]]


class Staff(Protocol):
    """Who answers which call of one run."""

    def answer(self, role: Role, prompt: Prompt) -> tuple[str, bool]:
        """The text, and whether it was cut off."""
        ...


class ModelStaff:
    """One engine for every role, each agent under its own model name; `constrained` holds answers to their forms."""

    def __init__(self, engine: ChatModel, models: Mapping[str, str], constrained: bool = False) -> None:
        self._engine, self._models, self._constrained = engine, models, constrained

    def answer(self, role: Role, prompt: Prompt) -> tuple[str, bool]:
        sampling = Sampling(max_tokens=LONGEST_ANSWER)
        form = prompt.form if self._constrained else None
        grammar = answer_grammar(form, sampling.max_tokens) if form is not None else None
        request = ChatRequest(role, self._models[role.agent], prompt.messages(), sampling, grammar)
        try:
            reply = self._engine.chat(request)
        except ContextOverflow:
            return "", True  # what the model was given of its own rambling leaves no room: it has no answer
        return reply.text, reply.finish_reason is FinishReason.LENGTH


class MixedStaff:
    """A staff whose calls in some roles go to somebody else."""

    def __init__(self, usual: Staff, others: Mapping[Role, Answerer]) -> None:
        self._usual, self._others = usual, others

    def answer(self, role: Role, prompt: Prompt) -> tuple[str, bool]:
        return self._others.get(role, self._usual.answer)(role, prompt)


def students(engine: ChatModel, adapted: Mapping[str, str], constrained: bool = False) -> Staff:
    """The small model in every role; `adapted` names the adapter of an agent, the base serves the others."""
    return ModelStaff(engine, {agent: adapted.get(agent, BASE) for agent in AGENTS}, constrained)


def teachers(engine: ChatModel) -> Staff:
    return ModelStaff(engine, dict.fromkeys(AGENTS, MODEL))


def supervisor(role: Role, prompt: Prompt) -> tuple[str, bool]:
    """The revised answer of a blamed agent: the oracle's."""
    return reply_to(prompt.text), False
