from __future__ import annotations

import pytest

from solver.agents.formats import FormatFailure as F
from solver.agents.formats import Parsed
from solver.agents.planning import (
    Confidence,
    parse_confidence_strict,
    parse_confidence_tolerant,
    parse_plan_strict,
    parse_plan_tolerant,
)


def answer(confidence: str) -> str:
    return f"<root>\n<explanation>It works.</explanation>\n<confidence>{confidence}</confidence>\n</root>"


# name, text, strict (failure, score), tolerant (failure, score)
SHAPES = [
    ("as asked", answer("85"), (None, 85), (None, 85)),
    ("with blanks", answer(" \n 85 "), (None, 85), (None, 85)),
    ("zero", answer("0"), (None, 0), (None, 0)),
    ("a bare one is one of a hundred", answer("1"), (None, 1), (None, 1)),
    ("a sign", answer("+85"), (None, 85), (None, 85)),
    ("an underscore", answer("8_5"), (None, 85), (None, 85)),
    ("above the scale", answer("150"), (None, 150), (F.BAD_CONFIDENCE, 100)),
    ("below the scale", answer("-20"), (None, -20), (F.BAD_CONFIDENCE, 0)),
    ("fenced", f"```\n{answer('85')}\n```", (None, 85), (None, 85)),
    ("no root", answer("85").replace("<root>\n", "").replace("</root>", ""), (None, 85), (None, 85)),
    ("no explanation", "<root><confidence>85</confidence></root>", (None, 85), (None, 85)),
    ("percent", answer("95%"), (F.BAD_CONFIDENCE, None), (F.BAD_CONFIDENCE, 95)),
    ("fraction", answer("0.9"), (F.BAD_CONFIDENCE, None), (F.BAD_CONFIDENCE, 90)),
    ("decimal comma", answer("0,9"), (F.BAD_CONFIDENCE, None), (F.BAD_CONFIDENCE, 90)),
    ("one point nought", answer("1.0"), (F.BAD_CONFIDENCE, None), (F.BAD_CONFIDENCE, 100)),
    ("half a percent stays small", answer("0.5%"), (F.BAD_CONFIDENCE, None), (F.BAD_CONFIDENCE, 0)),
    ("decimal", answer("85.4"), (F.BAD_CONFIDENCE, None), (F.BAD_CONFIDENCE, 85)),
    ("out of a hundred", answer("95/100"), (F.BAD_CONFIDENCE, None), (F.BAD_CONFIDENCE, 95)),
    ("out of ten", answer("9 / 10"), (F.BAD_CONFIDENCE, None), (F.BAD_CONFIDENCE, 90)),
    ("out of nothing", answer("9/0"), (F.BAD_CONFIDENCE, None), (F.BAD_CONFIDENCE, None)),
    ("words around it", answer("About 90, I think"), (F.BAD_CONFIDENCE, None), (F.BAD_CONFIDENCE, 90)),
    ("a word", answer("high"), (F.BAD_CONFIDENCE, None), (F.BAD_CONFIDENCE, None)),
    ("nothing", answer(""), (F.BAD_CONFIDENCE, None), (F.BAD_CONFIDENCE, None)),
    ("five thousand digits", answer("9" * 5000), (F.BAD_CONFIDENCE, None), (F.BAD_CONFIDENCE, 100)),
    (
        "missing",
        "<root><explanation>Yes.</explanation></root>",
        (F.MISSING_FIELD, None),
        (F.MISSING_FIELD, None),
    ),
    ("prose before root", f"Well:\n{answer('85')}", (F.NO_ROOT, None), (F.NO_ROOT, 85)),
    ("unclosed", answer("85").removesuffix("</confidence>\n</root>"), (F.UNCLOSED, None), (F.UNCLOSED, 85)),
    ("bare <", answer("85").replace("<conf", "1 < 2 <conf"), (F.BAD_XML, None), (F.BAD_XML, 85)),
    ("prose", "The plan is right. Confidence: 85%", (F.NO_ROOT, None), (F.NO_ROOT, 85)),
    ("json", '{"explanation": "ok", "confidence": 85}', (F.NO_ROOT, None), (F.NO_ROOT, 85)),
    ("a bare number", "85", (F.NO_ROOT, None), (F.NO_ROOT, 85)),
    ("prose with a number elsewhere", "It takes 3 steps.", (F.NO_ROOT, None), (F.NO_ROOT, None)),
    ("empty", " ", (F.EMPTY, None), (F.EMPTY, None)),
    ("too long", "9" * 1_000_001, (F.TOO_LONG, None), (F.TOO_LONG, None)),
]
IDS = [name for name, *_ in SHAPES]


def read(parsed: Parsed[Confidence]) -> tuple[F | None, int | None]:
    return parsed.failure, parsed.value.score if parsed.value else None


@pytest.mark.parametrize(("name", "text", "strict", "tolerant"), SHAPES, ids=IDS)
def test_a_confidence_is_read_strictly_and_tolerantly(
    name: str, text: str, strict: tuple[F | None, int | None], tolerant: tuple[F | None, int | None]
) -> None:
    assert read(parse_confidence_strict(text)) == strict
    assert read(parse_confidence_tolerant(text)) == tolerant


def test_what_was_made_of_an_odd_confidence_is_said() -> None:
    assert "'0.9' was read as 90 of 100" in parse_confidence_tolerant(answer("0.9")).message


def test_the_explanation_is_kept() -> None:
    parsed = parse_confidence_tolerant("Hm.\n" + answer("85"))
    assert parsed.value == Confidence(85, "It works.")


@pytest.mark.parametrize(
    ("text", "strict", "tolerant"),
    [
        ("1. Read.\n2. Print.", (None, "1. Read.\n2. Print."), (None, "1. Read.\n2. Print.")),
        ("<think>hm</think>\nRead.", (None, "<think>hm</think>\nRead."), (None, "Read.")),
        ("  ", (F.EMPTY, "  "), (F.EMPTY, None)),
        ("a" * 1_000_001, (F.TOO_LONG, None), (F.TOO_LONG, None)),
    ],
)
def test_any_text_is_a_plan_unless_it_is_empty_or_endless(
    text: str, strict: tuple[F | None, str | None], tolerant: tuple[F | None, str | None]
) -> None:
    for parse, expected in ((parse_plan_strict, strict), (parse_plan_tolerant, tolerant)):
        parsed = parse(text)
        assert (parsed.failure, parsed.value) == expected
