"""A grammar is right if the strict parser accepts whatever it lets through, and it lets well-formed answers through."""

from __future__ import annotations

import random
from typing import Any

import pytest

from solver.agents import coding, planning, retrieval
from solver.agents.answer_grammar import answer_grammar
from solver.agents.brief import Brief
from solver.agents.formats import Parsed
from solver.agents.languages import language
from solver.engines.protocol import Role
from tests.strategies.bench import sum_problem

llguidance = pytest.importorskip("llguidance")

BRIEF = Brief(sum_problem(), language("python"), k=2)
CONSTRAINED = [Role.RETRIEVAL, Role.CONFIDENCE, Role.CODING, Role.DEBUGGING]


@pytest.fixture(scope="module")
def tokens() -> Any:
    """One token a byte, and one more for the end."""
    return llguidance.LLTokenizer("byte")


def matcher(tokens: Any, role: Role, **limits: int) -> Any:
    found = llguidance.LLMatcher(
        tokens, llguidance.grammar_from("lark", answer_grammar(role, BRIEF, **limits))
    )
    assert not found.is_error(), found.get_error()
    return found


def random_answer(tokens: Any, role: Role, rng: random.Random) -> str:
    """Bytes drawn evenly from those allowed, leaning to the characters that break formats."""
    walk = matcher(tokens, role, line_chars=20, leaf_lines=3, code_lines=4)
    answer = bytearray()
    while not walk.is_stopped():
        mask = walk.compute_bitmask()
        allowed = [token for token in range(256) if mask[token // 8] >> token % 8 & 1]
        if not allowed or (walk.is_accepting() and rng.random() < 0.5):
            break
        breaking = [token for token in allowed if token in b"<>]&/`!-[ \n"]
        token = rng.choice(breaking if breaking and rng.random() < 0.5 else allowed)
        assert walk.consume_token(token)
        answer.append(token)
    assert walk.is_accepting()
    return answer.decode()


def strictly(role: Role, text: str) -> Parsed[Any]:
    if role is Role.RETRIEVAL:
        return retrieval.parse_strict(text)
    return planning.parse_confidence_strict(text) if role is Role.CONFIDENCE else coding.parse_strict(text)


@pytest.mark.parametrize("role", CONSTRAINED)
@pytest.mark.parametrize("seed", range(15))
def test_whatever_the_grammar_lets_through_the_strict_parser_accepts(
    tokens: Any, role: Role, seed: int
) -> None:
    text = random_answer(tokens, role, random.Random(seed))
    parsed = strictly(role, text)
    assert parsed.value is not None, text
    assert parsed.failure is None, text
    if role is Role.RETRIEVAL:
        assert len(parsed.value.exemplars) == BRIEF.k
    if role is Role.CONFIDENCE:
        assert 0 <= parsed.value.score <= 100


PROBLEM = "<problem>\n<description>\nA.\n</description>\n<code>\nif a[0] < b & c: x = [[1]]\n</code>\n<planning>\nB.\n</planning>\n</problem>\n"
GOOD = {
    Role.RETRIEVAL: f"<root>\n{PROBLEM * 2}<algorithm>\nGreedy.\n</algorithm>\n</root>\n",
    Role.CONFIDENCE: "<root>\n<explanation>\nYes.\n</explanation>\n<confidence>\n100\n</confidence>\n</root>\n",
    Role.CODING: "```python\nprint(1)\n```",
    Role.DEBUGGING: "1. Add.\n```python\nprint(1)\n```",
}
BAD = [
    (Role.RETRIEVAL, GOOD[Role.RETRIEVAL].replace(PROBLEM, "", 1)),
    (Role.RETRIEVAL, GOOD[Role.RETRIEVAL].replace("B.", "")),
    (Role.RETRIEVAL, GOOD[Role.RETRIEVAL].replace("[[1]]", "[[1]]>")),
    (Role.RETRIEVAL, "Sure! " + GOOD[Role.RETRIEVAL]),
    (Role.CONFIDENCE, GOOD[Role.CONFIDENCE].replace("100", "95%")),
    (Role.CONFIDENCE, GOOD[Role.CONFIDENCE].replace("100", "101")),
    (Role.CODING, "print(1)"),
    (Role.CODING, "```python\nprint(1)"),
    (Role.DEBUGGING, "```py\n```\n" + GOOD[Role.DEBUGGING]),
]


def fits(tokens: Any, role: Role, text: str) -> bool:
    walk = matcher(tokens, role)
    return bool(walk.consume_tokens(list(text.encode())) and walk.is_accepting())


@pytest.mark.parametrize("role", CONSTRAINED)
def test_an_answer_as_asked_for_fits_its_grammar(tokens: Any, role: Role) -> None:
    assert fits(tokens, role, GOOD[role])


@pytest.mark.parametrize(("role", "text"), BAD)
def test_a_malformed_answer_does_not_fit(tokens: Any, role: Role, text: str) -> None:
    assert not fits(tokens, role, text)


def test_a_plan_is_free_text() -> None:
    assert answer_grammar(Role.PLANNING, BRIEF) is None
