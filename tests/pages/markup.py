"""Reading pages in tests: elements by id, text, and everything that could execute."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "input", "br", "img", "hr", "path", "rect", "line", "circle", "use", "ellipse"}


INLINE = {"i", "mark", "code", "b"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    text: str = ""
    children: list[Element] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        if self.open:
            self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if tag not in INLINE:
            self.handle_data(" ")
        while self.open and self.open.pop().tag != tag:
            pass

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.text += data


def elements(html: str) -> list[Element]:
    reader = _Reader()
    reader.feed(html)
    return reader.elements


def by_id(html: str) -> dict[str, Element]:
    return {element.attributes["id"]: element for element in elements(html) if "id" in element.attributes}


def words(element: Element) -> str:
    return re.sub(r"\s+", " ", element.text).strip()


def dangers(html: str) -> list[str]:
    """Whatever a strict policy forbids or hostile text might smuggle in."""
    found = []
    for element in elements(html):
        if element.tag == "script" and (
            element.text.strip() or not element.attributes.get("src", "").startswith("/static/")
        ):
            found.append(f"script {element.attributes}")
        if element.tag in {
            "iframe",
            "object",
            "embed",
            "base",
            "img",
            "style",
            "foreignobject",
            "math",
            "video",
        }:
            found.append(f"element {element.tag} {element.attributes}")
        for name, value in element.attributes.items():
            if name.startswith("on") or name in {"style", "srcdoc", "formaction"}:
                found.append(f"attribute {element.tag} {name}={value!r}")
            if name in {"href", "src", "action", "xlink:href"} and not value.startswith(("/", "#", "?")):
                found.append(f"address {value!r}")
            if name in {"href", "src", "action", "xlink:href"} and ":" in value.partition("/")[0]:
                found.append(f"address {value!r}")
    return found
