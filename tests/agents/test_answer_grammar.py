"""A grammar is right if the strict parser accepts whatever it lets through, and it lets well-formed answers through."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from solver.agents import coding, debugging, planning, retrieval, simulation
from solver.agents.answer_forms import AnswerForm, FencedProgram, FreeText, HeadedProgram, Judged
from solver.agents.answer_grammar import TooFewTokens, answer_grammar
from solver.agents.brief import Brief
from solver.agents.formats import Parsed
from solver.agents.languages import language
from solver.agents.retrieval import Exemplar
from solver.engines.protocol import Role
from solver.strategies.analogical import HEADINGS, final_program
from tests.strategies.bench import sum_problem

llguidance = pytest.importorskip("llguidance")

PYTHON = language("python")
BRIEF = Brief(sum_problem(), PYTHON, k=2)
MICRO = Brief(sum_problem(), PYTHON, "micro", k=1)


def role_form(role: Role, brief: Brief = BRIEF) -> AnswerForm:
    """The form that the role's own prompt carries."""
    prompt = {
        Role.RETRIEVAL: lambda: retrieval.prompt(brief),
        Role.PLANNING: lambda: planning.plan_prompt(brief, "a", Exemplar("d", "p")),
        Role.CONFIDENCE: lambda: planning.confidence_prompt(brief, "p"),
        Role.CODING: lambda: coding.prompt(brief, "a", "p"),
        Role.DEBUGGING: lambda: debugging.prompt(brief, "a", "p", "r", "t"),
    }[role]()
    assert prompt.form is not None
    return prompt.form


Parse = Callable[[str], Parsed[Any]]
STRICT: dict[Role, Parse] = {
    Role.RETRIEVAL: retrieval.parse_strict,
    Role.PLANNING: planning.parse_plan_strict,
    Role.CONFIDENCE: planning.parse_confidence_strict,
    Role.CODING: coding.parse_strict,
    Role.DEBUGGING: coding.parse_strict,
}
HEADED = HeadedProgram("python", HEADINGS)
FORMS: dict[str, tuple[AnswerForm, Parse]] = {
    **{role.value: (role_form(role), STRICT[role]) for role in STRICT},
    "micro retrieval": (role_form(Role.RETRIEVAL, MICRO), partial(retrieval.parse_tolerant, k=1)),
    "micro confidence": (role_form(Role.CONFIDENCE, MICRO), planning.parse_confidence_strict),
    "reasoning and program": (
        FencedProgram("python", prose=True),
        partial(coding.parse_tolerant, language=PYTHON),
    ),
    "program alone": (FencedProgram("cpp"), partial(coding.parse_tolerant, language=language("cpp"))),
    "headed program": (HEADED, partial(final_program, language=PYTHON)),
    "simulation": (Judged(simulation.VERDICTS), simulation.parse),
}


def strictly(role: Role, text: str) -> Parsed[Any]:
    return STRICT[role](text)


@pytest.fixture(scope="module")
def tokens() -> Any:
    """One token a byte, and one more for the end."""
    return llguidance.LLTokenizer("byte")


def matcher(tokens: Any, form: AnswerForm, max_tokens: int) -> Any:
    grammar = answer_grammar(form, max_tokens)
    found = llguidance.LLMatcher(tokens, llguidance.grammar_from("lark", grammar))
    assert not found.is_error(), f"{found.get_error()}\n{grammar}"
    return found


def random_answer(tokens: Any, form: AnswerForm, max_tokens: int, rng: random.Random, eager: float) -> str:
    """Bytes drawn evenly from those allowed, leaning to the characters that break formats; ends where it may if `eager`."""
    walk = matcher(tokens, form, max_tokens)
    answer = bytearray()
    while not walk.is_stopped():
        mask = walk.compute_bitmask()
        allowed = [token for token in range(256) if mask[token // 8] >> token % 8 & 1]
        if not allowed or (walk.is_accepting() and rng.random() < eager):
            break
        plain = [token for token in allowed if token < 128] or allowed
        breaking = [token for token in plain if token in b"<>]&/`!-[# \n"]
        token = rng.choice(breaking if breaking and rng.random() < 0.5 else plain)
        assert walk.consume_token(token)
        answer.append(token)
    assert walk.is_accepting()
    return answer.decode("utf-8", "replace")


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("seed", range(12))
def test_whatever_the_grammar_lets_through_its_parser_accepts(tokens: Any, name: str, seed: int) -> None:
    form, parse = FORMS[name]
    budget = 700 if seed % 2 else 1500
    text = random_answer(tokens, form, budget, random.Random(seed), eager=0.5 if seed % 3 else 0.0)
    parsed = parse(text)
    assert parsed.value is not None, text
    assert parsed.failure is None, text
    if name == "retrieval":
        assert len(parsed.value.exemplars) == BRIEF.k
    if name == "confidence":
        assert 0 <= parsed.value.score <= 100


@pytest.mark.parametrize("name", FORMS)
def test_the_longest_answer_fits_the_tokens_that_are_allowed(tokens: Any, name: str) -> None:
    """At a token a byte, tags cost the twice of what is set aside for them; texts end where their share does."""
    form, parse = FORMS[name]
    for budget in (224, 1000):
        text = random_answer(tokens, form, budget, random.Random(1), eager=0.0)
        fixed = len(random_answer(tokens, form, budget, random.Random(1), eager=1.0))
        assert len(text.encode()) <= budget + fixed, text
        assert parse(text).failure is None, text


PROBLEM = "<problem>\n<description>\nA.\n</description>\n<code>\nif a[0] < b & c: x = [[1]]\n</code>\n<planning>\nB.\n</planning>\n</problem>\n"
GOOD = {
    "retrieval": f"<root>\n{PROBLEM * 2}<algorithm>\nGreedy.\n\nOne < two.\n</algorithm>\n</root>",
    "planning": "1. Read.\n2. Print <b>.\n",
    "confidence": "<root>\n<explanation>\nYes.\n</explanation>\n<confidence>\n100\n</confidence>\n</root>",
    "coding": "```python\nprint(1)\n\n# two ``\n```",
    "debugging": "1. Add.\n\n2. `x`\n```python\nprint(1)\n```",
    "micro retrieval": (
        "<root>\n<problem>\n<description>print the xor</description>\n<planning>\n1. read n\n2. print\n</planning>\n"
        "</problem>\n<algorithm>filter, xor</algorithm>\n</root>"
    ),
    "micro confidence": (
        "<root>\n<explanation>Every step is right</explanation>\n<confidence>87</confidence>\n</root>"
    ),
    "headed program": (
        "# Technique\nGreedy.\n\n# Tutorial\nTake. ```x```\n# Approach\nTake.\n\n# Final program\n```python\nprint(1)\n```"
    ),
    "simulation": "Step 1: 3.\n\nIt gives 3.\nVerdict: holds",
}
BAD = [
    ("retrieval", GOOD["retrieval"].replace(PROBLEM, "", 1)),
    ("retrieval", GOOD["retrieval"].replace("B.", "")),
    ("retrieval", GOOD["retrieval"].replace("[[1]]", "[[1]]>")),
    ("retrieval", "Sure! " + GOOD["retrieval"]),
    ("planning", " \n"),
    ("confidence", GOOD["confidence"].replace("100", "95%")),
    ("confidence", GOOD["confidence"].replace("100", "101")),
    ("coding", "print(1)"),
    ("coding", "```python\nprint(1)"),
    ("debugging", "```py\n```\n" + GOOD["debugging"]),
    ("micro retrieval", GOOD["micro retrieval"].replace("</planning>", "")),
    ("headed program", "# Technique\nGreedy.\n```python\nprint(1)\n```"),
    ("simulation", "It gives 3.\nVerdict: perhaps"),
]


def fits(tokens: Any, name: str, text: str) -> bool:
    walk = matcher(tokens, FORMS[name][0], 1500)
    return bool(walk.consume_tokens(list(text.encode())) and walk.is_accepting())


@pytest.mark.parametrize("name", GOOD)
def test_an_answer_as_asked_for_fits_its_grammar(tokens: Any, name: str) -> None:
    assert fits(tokens, name, GOOD[name])
    assert FORMS[name][1](GOOD[name]).failure is None


@pytest.mark.parametrize(("name", "text"), BAD)
def test_a_malformed_answer_does_not_fit(tokens: Any, name: str, text: str) -> None:
    assert not fits(tokens, name, text)


def test_a_form_that_so_few_tokens_cannot_hold_is_refused_with_the_number_that_would_do() -> None:
    form = role_form(Role.RETRIEVAL, Brief(sum_problem(), PYTHON, k=9))
    with pytest.raises(TooFewTokens, match="needs max_tokens of at least") as refused:
        answer_grammar(form, 300)
    need = int(str(refused.value).split("at least ")[1].split(",")[0])
    answer_grammar(form, need)
    with pytest.raises(TooFewTokens):
        answer_grammar(form, need - 3)


def test_a_retry_and_feedback_keep_the_form_of_the_question() -> None:
    from solver.agents.prompts import with_feedback
    from solver.agents.retry import again

    asked = retrieval.prompt(BRIEF)
    second = again(BRIEF, asked, Parsed(None, message="wrong"))
    assert second is not None and second.form == asked.form == with_feedback(asked, "Mend it.").form
    assert isinstance(role_form(Role.PLANNING), FreeText)
