"""What holds for every answer: no exception, the published acceptance, nothing lost, linear time."""

from __future__ import annotations

import re
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solver.agents import coding, planning, retrieval
from solver.agents.answer_shapes import EXEMPLARS, VERDICT_ON_PLAN, Group, echoes
from solver.agents.answer_text import MAX_ANSWER_CHARS
from solver.agents.fences import blocks
from solver.agents.formats import Parsed
from solver.agents.languages import LANGUAGES
from solver.agents.xml_strict import NotXml, read
from solver.agents.xml_tolerant import pieces

PY = LANGUAGES["python"]

PARSERS: list[tuple[str, Callable[[str], Parsed[Any]]]] = [
    ("retrieval strict", retrieval.parse_strict),
    ("retrieval tolerant", lambda text: retrieval.parse_tolerant(text, 3)),
    ("plan strict", planning.parse_plan_strict),
    ("plan tolerant", planning.parse_plan_tolerant),
    ("confidence strict", planning.parse_confidence_strict),
    ("confidence tolerant", planning.parse_confidence_tolerant),
    ("code strict", coding.parse_strict),
    ("code tolerant", lambda text: coding.parse_tolerant(text, PY)),
]
NAMES = [name for name, _ in PARSERS]

_TAGS = ["root", "problem", "description", "code", "planning", "algorithm", "explanation", "confidence"]
_FRAGMENTS = [
    *(f"<{tag}>" for tag in _TAGS),
    *(f"</{tag}>" for tag in _TAGS),
    *(
        "<![CDATA[",
        "]]>",
        "&",
        "<",
        "&lt;",
        "&#0;",
        "<!DOCTYPE a>",
        "<a:b>",
        "<!--",
        "-->",
        "<?x ?>",
        "\x0c",
        "\ud800",
    ),
    *(
        "```",
        "```python",
        "```py",
        "```c",
        "```xml",
        "`",
        "\n",
        " ",
        "\n  ",
        "print(1)",
        "x = 1",
        "Some words.",
    ),
    *("85", "0.9", "95%", "9/10", "-", "confidence:", "<think>", "</think>", "é", *echoes(EXEMPLARS)),
]
answers = st.lists(st.sampled_from(_FRAGMENTS), max_size=40).map("".join) | st.text(max_size=200)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Nearly right retrieval answers: a few pieces dropped, doubled or swapped."""
    parts: list[str] = ["<root>"]
    for _ in range(draw(st.integers(0, 4))):
        parts.append("<problem>")
        for tag in ("description", "code", "planning"):
            parts += [
                f"<{tag}>",
                draw(st.sampled_from(["text", "a < b", "", "<i>x</i>", "<code>y</code>"])),
                f"</{tag}>",
            ]
        parts.append("</problem>")
    parts += ["<algorithm>", draw(st.sampled_from(["dp", "a & b", "<b>x</b>"])), "</algorithm>", "</root>"]
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(parts) - 1))
        parts[at] = draw(
            st.sampled_from(["", parts[at] * 2, "\n", "```", "words", "<root>", "</root>", "]]>"])
        )
    return draw(st.sampled_from(["", "", "", "Sure! "])) + "\n".join(parts)


@pytest.mark.parametrize("parse", [parse for _, parse in PARSERS], ids=NAMES)
@given(text=answers | documents())
def test_no_answer_raises_and_no_value_means_a_reason(parse: Callable[[str], Parsed[Any]], text: str) -> None:
    parsed = parse(text)
    assert parsed.usable or (parsed.failure is not None and parsed.message)
    assert len(parsed.where) <= 80


def as_published(text: str, shape: Group) -> dict[str, Any] | None:
    """The published reading by way of ElementTree, as an independent statement of what must be accepted."""
    for echo in echoes(shape):
        text = text.replace(echo, "").strip()
    for leaf in shape.leaves():
        opening, closing = f"<{leaf.tag}>", f"</{leaf.tag}>"
        if not (f"{opening}<![CDATA[" in text and f"]]>{closing}" in text):
            text = text.replace(opening, f"{opening}<![CDATA[").replace(closing, f"]]>{closing}").strip()
    text = text.replace("```xml", "").replace("```", "")
    for document in (text, f"<root>\n{text}\n</root>", f"<root>\n{text}"):
        try:
            return fold(ET.fromstring(document))
        except (ET.ParseError, ValueError):
            continue
    return None


def fold(element: ET.Element) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for child in element:
        if not len(child):
            result[child.tag] = child.text
        elif child.tag not in result:
            result[child.tag] = fold(child)
        elif isinstance(result[child.tag], list):
            result[child.tag].append(fold(child))
        else:
            result[child.tag] = [result[child.tag], fold(child)]
    return result


@pytest.mark.parametrize("shape", [EXEMPLARS, VERDICT_ON_PLAN], ids=["exemplars", "confidence"])
@settings(max_examples=300)
@given(text=answers.filter(lambda text: "<!DOCTYPE" not in text) | documents())
def test_the_strict_xml_reading_is_the_published_one(shape: Group, text: str) -> None:
    try:
        ours: dict[str, Any] | None = read(text, shape)
    except NotXml:
        ours = None
    assert ours == as_published(text, shape)


@settings(max_examples=300)
@given(text=answers.filter(lambda text: text.count("\n") < 12))
def test_the_strict_code_reading_is_the_published_one(text: str) -> None:
    """The expression is the published one; it may not see many line breaks, being exponential in them."""
    parsed = coding.parse_strict(text)
    if "```" not in text:
        assert parsed.value == text
        return
    opening = "```"
    for tag in ("python", "c", "c#"):
        if f"```{tag}" in text:
            opening = f"```{tag}"
    found = re.findall(re.escape(opening) + r"((.|\n)*?)```", text, re.DOTALL)
    assert parsed.value == ("\n".join(found[-1]) if found else None)


@settings(max_examples=300)
@given(text=answers | documents())
def test_the_tolerant_parsers_accept_what_the_strict_ones_accept_with_the_same_value(text: str) -> None:
    strict, tolerant = retrieval.parse_strict(text), retrieval.parse_tolerant(text)
    if strict.usable:
        assert tolerant == strict
    confidence, clamped = (
        planning.parse_confidence_strict(text).value,
        planning.parse_confidence_tolerant(text).value,
    )
    if confidence is not None:
        assert clamped is not None
        assert clamped.score == max(0, min(100, confidence.score))


lines_of_code = st.lists(
    st.sampled_from(["x = 1", "    y = 2", "print('a')", "", "# é", "if x:"]), min_size=1, max_size=8
)


@given(
    lines=lines_of_code.filter(lambda lines: any(line.strip() for line in lines)),
    prose=st.text("ab .,\n", max_size=20),
)
def test_a_well_fenced_program_is_the_same_to_both_parsers(lines: list[str], prose: str) -> None:
    code = "\n".join(lines)
    text = f"{prose}\n```python\n{code}\n```\n{prose}"
    strict, tolerant = coding.parse_strict(text).value, coding.parse_tolerant(text, PY).value
    assert strict is not None
    assert tolerant is not None
    assert tolerant.rstrip() == strict.strip("\n").rstrip()


@given(text=answers)
def test_what_is_found_in_an_answer_stood_in_the_answer(text: str) -> None:
    for piece in pieces(text, EXEMPLARS):
        assert piece.text in text.replace("```xml", "").replace("```", "") or any(
            e in text for e in echoes(EXEMPLARS)
        )
    for block in blocks(text):
        assert all(line.strip() in text for line in block.body.splitlines())


HOSTILE = {
    "opening tags": "<code>",
    "closing tags": "</description>",
    "open and close": "<planning></description><code></problem>",
    "leaves never closed": "<description><code><planning><algorithm>",
    "deep nesting": "<a>",
    "brackets": "<",
    "tag and blanks": "< " * 5,
    "cdata": "<![CDATA[",
    "cdata ends": "]]>",
    "fences": "```",
    "fences in one line": "```a ",
    "fences with tags": "```python\n",
    "fences and blanks": "```   ",
    "closed blocks": "```python\nx\n```\n",
    "blank lines": "\n",
    "blanks": " ",
    "blanks and lines": " \n",
    "words": "word ",
    "keywords": "if a ",
    "names": "a",
    "calls": "f(",
    "thinking": "<think>",
    "thoughts": "</think>",
    "confidence": "confidence ",
    "confidence and blanks": "confidence" + " " * 39,
    "digits": "9",
    "digits in a row": "confidence 1 ",
    "ampersands": "&amp;",
    "closers": "</",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_answer_of_a_million_characters_is_read_in_linear_time(piece: str) -> None:
    """Linear parsers take some tenths of a second each; a quadratic one would take minutes."""
    text = (piece * (MAX_ANSWER_CHARS // len(piece) + 1))[:MAX_ANSWER_CHARS]
    for name, parse in PARSERS:
        began = time.process_time()
        parse(text)
        assert time.process_time() - began < 4, name


def test_ten_megabytes_are_refused_without_being_read() -> None:
    text = "<problem>```\n" * 800_000
    began = time.process_time()
    for _, parse in PARSERS:
        assert not parse(text).usable
    assert time.process_time() - began < 0.1
