"""The published XML reading (MapCoder section 1.2, 1.3): clean, try three documents, fold into a dict.

What it accepts is reproduced exactly; where the published code crashes, this gives a failure with a code. Two
deliberate differences, both on hostile text only: a document type declaration is refused (entity bombs), and
so is nesting deeper than `MAX_DEPTH`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Union
from xml.parsers import expat

from solver.agents.answer_shapes import Group, echoes
from solver.agents.answer_text import excerpt
from solver.agents.formats import FormatFailure

MAX_DEPTH = 200

Node = Union[str, None, dict[str, "Node"], list["Node"]]  # noqa: UP007 - recursive aliases need Union


class NotXml(Exception):
    """No reading of the answer is well-formed; `code` says UNCLOSED or BAD_XML, `where` shows the place."""

    def __init__(self, code: FormatFailure, message: str, where: str) -> None:
        super().__init__(message)
        self.code = code
        self.where = where


class _Refused(ValueError):
    """A document this lab does not read although expat would."""


def read(text: str, shape: Group) -> dict[str, Node]:
    """The children of the answer's outermost element. Raises `NotXml`."""
    cleaned = _clean(text, shape)
    first_error: Exception | None = None
    for document in (cleaned, f"<root>\n{cleaned}\n</root>", f"<root>\n{cleaned}"):
        try:
            return _fold(document)
        except (expat.ExpatError, ValueError, LookupError) as error:
            first_error = first_error or error
    raise _explain(first_error, cleaned, shape)


def _clean(text: str, shape: Group) -> str:
    for echo in echoes(shape):
        text = text.replace(echo, "").strip()
    for leaf in shape.leaves():
        text = _as_cdata(text, leaf.tag)
    return text.replace("```xml", "").replace("```", "")


def _as_cdata(text: str, tag: str) -> str:
    """Shield the content of `tag`, unless the answer already shields one of them (then none is touched)."""
    if f"<{tag}><![CDATA[" in text and f"]]></{tag}>" in text:
        return text
    return text.replace(f"<{tag}>", f"<{tag}><![CDATA[").replace(f"</{tag}>", f"]]></{tag}>").strip()


class _Element:
    """One open element: its folded children, and its text, which counts only when it has none."""

    __slots__ = ("children", "text")

    def __init__(self) -> None:
        self.children: dict[str, Node] = {}
        self.text: list[str] = []

    def fold(self, tag: str, child: _Element) -> None:
        """Elements with children and the same name become a list; a leaf overwrites what bore its name."""
        if not child.children:
            self.children[tag] = "".join(child.text) or None
            return
        if tag not in self.children:
            self.children[tag] = child.children
            return
        known = self.children[tag]
        if isinstance(known, list):
            known.append(child.children)
        else:
            self.children[tag] = [known, child.children]


def _fold(document: str) -> dict[str, Node]:
    outside = _Element()
    open_elements = [outside]
    result: dict[str, Node] = {}
    parser = expat.ParserCreate("utf-8", "}")
    parser.buffer_text = True

    def start(tag: str, attributes: dict[str, str]) -> None:
        if len(open_elements) > MAX_DEPTH:
            raise _Refused(f"elements are nested deeper than {MAX_DEPTH}")
        open_elements.append(_Element())

    def end(tag: str) -> None:
        nonlocal result
        element = open_elements.pop()
        if open_elements[-1] is outside:
            result = element.children
        else:
            open_elements[-1].fold(tag, element)

    def text(data: str) -> None:
        open_elements[-1].text.append(data)

    def doctype(*_: object) -> None:
        raise _Refused("a document type declaration is not read")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = doctype
    parser.Parse(document, True)
    return result


def _explain(error: Exception | None, cleaned: str, shape: Group) -> NotXml:
    """UNCLOSED when an expected element is opened more often than closed, BAD_XML otherwise."""
    for tag in _tags(shape):
        opened, closed = cleaned.count(f"<{tag}>"), cleaned.count(f"</{tag}>")
        if opened > closed:
            return NotXml(
                FormatFailure.UNCLOSED,
                f"<{tag}> is opened {opened} times and closed {closed} times",
                excerpt(cleaned, cleaned.rfind(f"<{tag}>")),
            )
    where = cleaned
    if isinstance(error, expat.ExpatError):
        line = cleaned.split("\n", error.lineno)[error.lineno - 1 : error.lineno]
        where = excerpt(line[0], error.offset) if line else cleaned
    return NotXml(FormatFailure.BAD_XML, f"not well-formed XML: {error}", excerpt(where, 0))


def _tags(shape: Group) -> Iterable[str]:
    for part in shape.parts:
        if isinstance(part, Group):
            yield from _tags(part)
            yield part.tag
        else:
            yield part.tag
    yield shape.tag
