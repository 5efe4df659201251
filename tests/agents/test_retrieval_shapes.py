"""Every input shape of the method's section 1.3 for the retrieval answer, read strictly and tolerantly."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from solver.agents.formats import FormatFailure as F
from solver.agents.formats import Parsed
from solver.agents.retrieval import Retrieval, parse_strict, parse_tolerant


def problem(n: int, code: str = "x = 1") -> str:
    return (
        f"<problem>\n<description>\nProblem {n}\n</description>\n<code>\n{code}\n</code>\n"
        f"<planning>\nPlan {n}\n</planning>\n</problem>\n"
    )


ALGORITHM = "<algorithm>\nGreedy.\n</algorithm>\n"
THREE = problem(1) + problem(2) + problem(3)
GOOD = f"<root>\n{THREE}{ALGORITHM}</root>"


@dataclass(frozen=True)
class Shape:
    """`strict` and `tolerant`: the expected failure; the counts of exemplars read (None: no value at all)."""

    name: str
    text: str
    strict: F | None
    strict_count: int | None
    tolerant: F | None
    tolerant_count: int | None
    algorithm: str = "Greedy."


SHAPES = [
    Shape("as asked", GOOD, None, 3, None, 3),
    Shape("no root", THREE + ALGORITHM, None, 3, None, 3),
    Shape("fenced", f"```xml\n{GOOD}\n```", None, 3, None, 3),
    Shape("fenced without a tag", f"```\n{GOOD}\n```", None, 3, None, 3),
    Shape("another root", GOOD.replace("root", "response"), None, 3, None, 3),
    Shape("no opening root", GOOD.removeprefix("<root>"), None, 3, None, 3),
    Shape("all CDATA already", GOOD.replace("\nx = 1\n", "<![CDATA[a<b&&c]]>"), None, 3, None, 3),
    Shape("bare & and < inside the four tags", GOOD.replace("Plan 1", "a < b & c"), None, 3, None, 3),
    Shape("escaped text stays escaped", GOOD.replace("Plan 1", "a &lt; b"), None, 3, None, 3),
    Shape(
        "echoed hints",
        GOOD.replace("Problem 1", "# State the problem you recall, complete enough to be solved.\nProblem 1"),
        *(None, 3, None, 3),
    ),
    Shape(
        "exactly one problem",
        f"<root>{problem(1)}{ALGORITHM}</root>",
        F.TOO_FEW_PROBLEMS,
        None,
        F.TOO_FEW_PROBLEMS,
        1,
    ),
    Shape(
        "two of three problems",
        f"<root>{problem(1)}{problem(2)}{ALGORITHM}</root>",
        None,
        2,
        F.TOO_FEW_PROBLEMS,
        2,
    ),
    Shape("four problems", f"<root>{THREE}{problem(4)}{ALGORITHM}</root>", None, 4, None, 3),
    Shape("no problem", f"<root>{ALGORITHM}</root>", F.TOO_FEW_PROBLEMS, None, F.TOO_FEW_PROBLEMS, None),
    Shape("no algorithm", f"<root>{THREE}</root>", F.MISSING_ALGORITHM, None, F.MISSING_ALGORITHM, 3, ""),
    Shape("prose before root", f"Here you are:\n{GOOD}", F.NO_ROOT, None, F.NO_ROOT, 3),
    Shape("prose after root", f"{GOOD}\nI hope this helps.", F.NO_ROOT, None, F.NO_ROOT, 3),
    Shape("thinking before root", f"<think>Two < three.</think>{GOOD}", F.BAD_XML, None, F.BAD_XML, 3),
    Shape("unclosed root", GOOD.removesuffix("</root>"), F.UNCLOSED, None, F.UNCLOSED, 3),
    Shape(
        "unclosed planning", GOOD.replace("Plan 2\n</planning>", "Plan 2"), F.UNCLOSED, None, F.UNCLOSED, 3
    ),
    Shape(
        "unclosed problem",
        GOOD.replace("</problem>\n<problem>", "<problem>", 1),
        F.UNCLOSED,
        None,
        F.UNCLOSED,
        3,
    ),
    Shape("misspelt closing tag", GOOD.replace("</algorithm>", "</algo>"), F.UNCLOSED, None, F.UNCLOSED, 3),
    Shape(
        "cut inside the second plan", GOOD[: GOOD.index("Plan 2") + 6], F.UNCLOSED, None, F.UNCLOSED, 2, ""
    ),
    Shape(
        "cut inside the first description",
        "<root>\n<problem>\n<description>Pro",
        F.UNCLOSED,
        None,
        F.UNCLOSED,
        None,
    ),
    Shape("]]> in code", GOOD.replace("x = 1", "a[b[0]]>c", 1), F.BAD_XML, None, F.BAD_XML, 3),
    Shape("bare & outside the tags", f"<root>R & D {THREE}{ALGORITHM}</root>", F.BAD_XML, None, F.BAD_XML, 3),
    Shape("bare < outside the tags", f"<root>1 < 2 {THREE}{ALGORITHM}</root>", F.BAD_XML, None, F.BAD_XML, 3),
    Shape(
        "one block CDATA, another bare",
        GOOD.replace("\nx = 1\n", "<![CDATA[a<b]]>", 1).replace("x = 1", "if a<b: pass", 1),
        *(F.BAD_XML, None, F.BAD_XML, 3),
    ),
    Shape("control character", GOOD.replace("Plan 1", "Plan\x0c1"), F.BAD_XML, None, F.BAD_XML, 3),
    Shape(
        "missing planning",
        GOOD.replace("<planning>\nPlan 2\n</planning>\n", ""),
        F.MISSING_FIELD,
        None,
        F.MISSING_FIELD,
        2,
    ),
    Shape(
        "upper-case tags",
        GOOD.replace("description>", "Description>"),
        F.MISSING_FIELD,
        None,
        F.MISSING_FIELD,
        3,
    ),
    Shape(
        "tags with attributes", GOOD.replace("<planning>", "<planning id='1'>"), F.BAD_XML, None, F.BAD_XML, 3
    ),
    Shape(
        "algorithm inside a problem",
        f"<root>{problem(1)}{problem(2)}{problem(3)}".removesuffix("</problem>\n")
        + f"{ALGORITHM}</problem></root>",
        F.MISSING_ALGORITHM,
        None,
        F.MISSING_ALGORITHM,
        3,
    ),
    Shape("prose alone", "I would sort the list.", F.NO_ROOT, None, F.NO_ROOT, None),
    Shape("a document type", f'<!DOCTYPE root [<!ENTITY a "b">]>{GOOD}', F.BAD_XML, None, F.BAD_XML, 3),
    Shape("empty", "", F.EMPTY, None, F.EMPTY, None),
    Shape("blank", " \n\t", F.EMPTY, None, F.EMPTY, None),
    Shape("ten megabytes", "<problem>" * 1_100_000, F.TOO_LONG, None, F.TOO_LONG, None),
]
IDS = [shape.name for shape in SHAPES]


def read(parsed: Parsed[Retrieval]) -> tuple[F | None, int | None]:
    return parsed.failure, None if parsed.value is None else len(parsed.value.exemplars)


@pytest.mark.parametrize("shape", SHAPES, ids=IDS)
def test_the_strict_parser_accepts_what_the_published_one_accepts(shape: Shape) -> None:
    assert read(parse_strict(shape.text)) == (shape.strict, shape.strict_count)


@pytest.mark.parametrize("shape", SHAPES, ids=IDS)
def test_the_tolerant_parser_rescues_and_still_counts_the_failure(shape: Shape) -> None:
    parsed = parse_tolerant(shape.text, k=3)
    assert read(parsed) == (shape.tolerant, shape.tolerant_count)
    if parsed.value is not None:
        assert parsed.value.algorithm == shape.algorithm
        assert parsed.value.exemplars[0].description == "Problem 1"


@pytest.mark.parametrize("shape", [s for s in SHAPES if s.strict], ids=[s.name for s in SHAPES if s.strict])
def test_a_failure_says_what_and_shows_where(shape: Shape) -> None:
    parsed = parse_strict(shape.text)
    assert parsed.message
    assert len(parsed.where) <= 80
    assert parsed.where or shape.strict is F.EMPTY


def test_one_problem_is_right_when_one_was_asked_for() -> None:
    parsed = parse_tolerant(f"<root>{problem(1)}{ALGORITHM}</root>", k=1)
    assert read(parsed) == (None, 1)


def test_a_rescued_code_keeps_the_text_that_broke_the_xml() -> None:
    parsed = parse_tolerant(GOOD.replace("x = 1", "a[b[0]]>c", 1), k=3)
    assert parsed.value is not None
    assert parsed.value.exemplars[0].code == "a[b[0]]>c"


def test_a_tag_of_another_field_inside_code_is_code() -> None:
    text = f"Sure:\n<root>{problem(1, code='print(`<planning>`)')}{ALGORITHM}</root>"
    parsed = parse_tolerant(text, k=1)
    assert parsed.value is not None
    assert parsed.value.exemplars[0].code == "print(`<planning>`)"
    assert parsed.value.exemplars[0].planning == "Plan 1"


def test_an_unclosed_plan_ends_where_the_next_problem_begins() -> None:
    parsed = parse_tolerant(GOOD.replace("Plan 2\n</planning>", "Plan 2"), k=3)
    assert parsed.value is not None
    assert [exemplar.planning for exemplar in parsed.value.exemplars] == ["Plan 1", "Plan 2", "Plan 3"]


def test_problems_without_their_own_element_are_told_apart() -> None:
    text = "Here:\n" + (THREE + ALGORITHM).replace("<problem>", "").replace("</problem>", "")
    parsed = parse_tolerant(text, k=3)
    assert parsed.value is not None
    assert [exemplar.planning for exemplar in parsed.value.exemplars] == ["Plan 1", "Plan 2", "Plan 3"]
