"""Random weights at a high temperature, held to the agents' grammars, write answers the strict parsers accept."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from micro.engine_spec import ARTEFACT
from solver.agents.answer_grammar import answer_grammar
from solver.agents.brief import Brief
from solver.agents.languages import language
from solver.engines.protocol import ChatReply, EngineRefused, FinishReason, Role
from solver.engines.transformers_engine import TransformersEngine
from tests.agents.test_answer_grammar import role_form, strictly
from tests.engines.asking import request
from tests.engines.conftest import tiny_spec
from tests.engines.tiny_model import Shape, save_adapter, save_base
from tests.strategies.bench import sum_problem

BRIEF = Brief(sum_problem(), language("python"), k=2)
CONSTRAINED = (Role.RETRIEVAL, Role.CONFIDENCE, Role.CODING, Role.DEBUGGING)
ADAPTERS = ("base", "retrieval", "planning", "coding", "debugging")


def grammar(role: Role) -> str:
    return answer_grammar(role_form(role, BRIEF), 360 if role is Role.RETRIEVAL else 100)


@pytest.fixture(scope="module")
def micro_random(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TransformersEngine]:
    """Random weights under the micro model's tokenizer and template."""
    root = tmp_path_factory.mktemp("micro-random")
    base = save_base(root / "base", Shape(vocabulary=1280, layers=2))
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(ARTEFACT / "base" / name, base / name)
    save_adapter(base, root / "coding", seed=3)
    engine = TransformersEngine(
        tiny_spec(root, adapters={"coding": str(root / "coding")}, models={}, local={"threads": 1})
    )
    yield engine
    engine.close()


def hold(engine: TransformersEngine, role: Role, model: str, seed: int, **sampling: float) -> ChatReply:
    settings = {"temperature": 1.5, "top_p": 1.0, "max_tokens": 1500, **sampling}
    return engine.chat(
        request("print the sum", role=role, model=model, grammar=grammar(role), seed=seed, **settings)
    )


def check(role: Role, reply: ChatReply) -> None:
    assert reply.finish_reason is FinishReason.STOP, reply.text
    assert reply.detail["grammar_enforced"] is True
    parsed = strictly(role, reply.text)
    assert parsed.failure is None, reply.text
    assert parsed.value is not None
    if role in (Role.CODING, Role.DEBUGGING):
        assert reply.text.endswith("```")
        assert reply.text.count("```python\n") == 1


def test_every_role_beside_every_other_writes_what_its_strict_parser_accepts(
    tiny_engine: TransformersEngine,
) -> None:
    asked = [
        (role, ADAPTERS[(seed + place) % 5], seed)
        for place, role in enumerate(CONSTRAINED)
        for seed in range(4)
    ]
    with ThreadPoolExecutor(len(asked)) as pool:
        replies = list(pool.map(lambda one: hold(tiny_engine, *one), asked))
    for (role, _model, _seed), reply in zip(asked, replies, strict=True):
        check(role, reply)


@pytest.mark.parametrize("role", CONSTRAINED)
def test_under_the_micro_tokenizer_too(micro_random: TransformersEngine, role: Role) -> None:
    for seed in range(3):
        check(role, hold(micro_random, role, ("base", "coding")[seed % 2], seed))


def test_greedy_answers_are_held_to_the_grammar_as_well(tiny_engine: TransformersEngine) -> None:
    check(Role.CODING, hold(tiny_engine, Role.CODING, "coding", 0, temperature=0.0))


def test_a_constrained_answer_is_the_same_alone_and_beside_free_and_constrained_rows(
    tiny_engine: TransformersEngine,
) -> None:
    alone = [hold(tiny_engine, role, "coding", 9).text for role in CONSTRAINED]

    def free(seed: int) -> str:
        return tiny_engine.chat(
            request("print the list", model="planning", max_tokens=60, temperature=1.5, seed=seed)
        ).text

    free_alone = [free(seed) for seed in range(4)]
    with ThreadPoolExecutor(8) as pool:
        beside = pool.map(lambda role: hold(tiny_engine, role, "coding", 9).text, CONSTRAINED)
        free_beside = pool.map(free, range(4))
        assert (list(beside), list(free_beside)) == (alone, free_alone)


def test_without_a_grammar_the_same_weights_write_nothing_a_parser_accepts(
    tiny_engine: TransformersEngine,
) -> None:
    for role in (Role.RETRIEVAL, Role.CONFIDENCE):  # a program without a fence is still a program
        reply = tiny_engine.chat(
            request("print the sum", role=role, model="base", temperature=1.5, seed=1, max_tokens=200)
        )
        assert strictly(role, reply.text).failure is not None
        assert "grammar_enforced" not in reply.detail


def test_the_answer_ends_where_the_grammar_does_also_on_the_last_token_of_the_budget(
    tiny_engine: TransformersEngine,
) -> None:
    only = 'start: "yes!"\n'
    reply = tiny_engine.chat(request("?", model="base", grammar=only, max_tokens=64))
    assert (reply.text, reply.finish_reason) == ("yes!", FinishReason.STOP)
    count = reply.usage.completion_tokens
    exact = tiny_engine.chat(request("?", model="base", grammar=only, max_tokens=count))
    assert (exact.text, exact.finish_reason) == ("yes!", FinishReason.STOP)
    cut = tiny_engine.chat(request("?", model="base", grammar=only, max_tokens=count - 1))
    assert cut.finish_reason is FinishReason.LENGTH


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("start: missing\n", "unknown name"),
        ("start: (", "cannot be used"),
        ("", "cannot be used"),
        ("start: " + '"a" ' * 60_000, "shorten it"),
    ],
)
def test_what_is_no_grammar_is_refused_in_a_sentence_and_the_engine_serves_on(
    tiny_engine: TransformersEngine, bad: str, said: str
) -> None:
    with pytest.raises(EngineRefused, match=said):
        tiny_engine.chat(request("?", model="base", grammar=bad))
    assert tiny_engine.chat(request("?", model="base", max_tokens=4)).text is not None


def test_a_grammar_beyond_the_matchers_limits_ends_its_own_answer_only(
    tiny_engine: TransformersEngine,
) -> None:
    ambiguous = 'start: x{500}\nx: y | y y\ny: z | z z\nz: "a" | "a" "a" | z z\n'
    heavy = request("?", model="base", grammar=ambiguous, max_tokens=400, temperature=1.5, seed=1)
    with ThreadPoolExecutor(2) as pool:
        other = pool.submit(hold, tiny_engine, Role.CODING, "coding", 3)
        with pytest.raises(EngineRefused, match="could not be held to its grammar"):
            tiny_engine.chat(heavy)
        check(Role.CODING, other.result())


def test_masks_cover_a_vocabulary_padded_beyond_the_tokenizer() -> None:
    import numpy as np

    from solver.engines.transformers_grammar import forbid

    logits = torch.zeros(3, 20)
    forbid(logits, [0, 2], [np.array([0b101], dtype=np.uint8), np.array([0b10], dtype=np.uint8)])
    assert [row.isfinite().nonzero().flatten().tolist() for row in logits] == [[0, 2], list(range(20)), [1]]
