"""The untidy base breaks its formats; held to the grammars of the same prompts, it cannot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from micro.engine_spec import engine_entry, shipped_problems
from solver.agents import coding, planning, retrieval
from solver.agents.answer_grammar import answer_grammar
from solver.agents.brief import Brief
from solver.agents.formats import Parsed
from solver.agents.languages import language
from solver.agents.prompts import Prompt
from solver.engines.protocol import ChatModel, ChatRequest, FinishReason, Role, Sampling
from solver.engines.spec import BASE, EngineSpec
from trajectories.problem_schema import ProblemSpec

PROBLEMS = 6


@pytest.mark.slow
def test_the_base_breaks_formats_freely_and_never_within_its_grammars() -> None:
    from solver.engines.transformers_engine import TransformersEngine

    spec = EngineSpec.parse(engine_entry())
    engine = TransformersEngine(spec)
    failures: Counter[bool] = Counter()
    try:
        for record in shipped_problems()[:PROBLEMS]:
            tests = [{"kind": "stdio", **test} for test in record["tests"]]
            problem = ProblemSpec.model_validate({**record, "tests": tests})
            brief = Brief(problem, language("python"), "micro", k=1)
            for constrained in (False, True):
                for parsed, reason in _answers(engine, spec, brief, constrained):
                    assert reason is FinishReason.STOP or not constrained
                    failures[constrained] += parsed.failure is not None
    finally:
        engine.close()
    assert failures[False] > PROBLEMS / 2
    assert failures[True] == 0


def _answers(
    engine: ChatModel, spec: EngineSpec, brief: Brief, constrained: bool
) -> list[tuple[Parsed[Any], FinishReason]]:
    plan = "1. read n and the list a\n2. print the sum"
    prompts: dict[Role, tuple[Prompt, Callable[[str], Parsed[Any]]]] = {
        Role.RETRIEVAL: (retrieval.prompt(brief), lambda text: retrieval.parse_tolerant(text, 1)),
        Role.CONFIDENCE: (planning.confidence_prompt(brief, plan), planning.parse_confidence_tolerant),
        Role.CODING: (
            coding.prompt(brief, "sum", plan),
            lambda text: coding.parse_tolerant(text, brief.language),
        ),
    }
    found = []
    for role, (prompt, parse) in prompts.items():
        assert prompt.form is not None
        tokens = spec.sampling.max_tokens
        grammar = answer_grammar(prompt.form, tokens) if constrained else None
        request = ChatRequest(role, BASE, prompt.messages(), Sampling(max_tokens=tokens, seed=0), grammar)
        reply = engine.chat(request)
        found.append((parse(reply.text), reply.finish_reason))
    return found
