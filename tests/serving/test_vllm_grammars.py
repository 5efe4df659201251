"""A real vLLM holds its answers to the grammar of every role's form (`make test-vllm`)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from solver.agents.answer_grammar import answer_grammar
from solver.engines.openai_api import OpenAIEngine
from solver.engines.protocol import ChatRequest, FinishReason, Message, Role, Sampling
from tests.agents.test_answer_grammar import FORMS
from tests.serving.micro_vllm import micro_vllm, needs_micro_vllm

pytestmark = needs_micro_vllm
TOKENS = 400
# The 1,280 tokens of the micro model spell words that it never learnt letter by letter, which costs more than the grammar
# sets aside for fixed text; its own prompts ask for none of them.
SPELLING = 24


@pytest.fixture(scope="module")
def engine() -> Iterator[OpenAIEngine]:
    opened = OpenAIEngine(micro_vllm())
    yield opened
    opened.close()


@pytest.mark.parametrize("name", FORMS)
def test_it_takes_the_grammar_of_each_form_and_the_parser_takes_the_answers(
    engine: OpenAIEngine, name: str
) -> None:
    """The base without an adapter, which breaks every form freely, hot enough to wander."""
    form, parse = FORMS[name]
    grammar = answer_grammar(form, TOKENS)
    for seed in range(3):
        request = ChatRequest(
            Role.CODING,
            "base",
            (Message("user", "Read two integers and print their sum."),),
            Sampling(temperature=1.5 if seed else 0.0, max_tokens=TOKENS + SPELLING, seed=seed),
            grammar,
        )
        reply = engine.chat(request)
        assert reply.finish_reason is FinishReason.STOP
        assert reply.detail["grammar_enforced"] is True
        parsed = parse(reply.text)
        assert parsed.value is not None and parsed.failure is None, reply.text
