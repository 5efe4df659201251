"""What can be saved of an answer that is not the XML asked for: known tags are looked for, the rest is text.

One pass over the tags; each tag is passed at most once for every kind of leaf, so time is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from solver.agents.answer_shapes import Group, echoes
from solver.agents.answer_text import without_thinking

_CDATA_OPEN, _CDATA_CLOSE = "<![CDATA[", "]]>"


@dataclass(frozen=True, slots=True)
class Piece:
    """The text of one leaf. Pieces with the same `group` stood in the same repeated group."""

    tag: str
    text: str
    group: int


@dataclass(frozen=True, slots=True)
class _Tag:
    name: str
    closing: bool
    start: int
    end: int


def pieces(text: str, shape: Group) -> list[Piece]:
    """The leaves of `shape` that can be found, in their order, whatever stands around or between them."""
    text = without_thinking(text)
    for echo in echoes(shape):
        text = text.replace(echo, "")
    text = text.replace("```xml", "").replace("```", "")
    leaves = {leaf.tag for leaf in shape.leaves()}
    groups = {shape.tag, *(part.tag for part in shape.parts if isinstance(part, Group))}
    tags = _tags(text, leaves | groups)
    grouped = {leaf.tag for part in shape.parts if isinstance(part, Group) for leaf in part.leaves()}

    found: list[Piece] = []
    group, in_group, index = 0, set[str](), 0
    while index < len(tags):
        tag = tags[index]
        index += 1
        if tag.name in groups:
            group, in_group = group + 1, set()
        elif not tag.closing:
            if tag.name in grouped:
                if tag.name in in_group:
                    group, in_group = group + 1, set()
                in_group.add(tag.name)
            end, index = _content_end(text, tags, index, groups)
            found.append(Piece(tag.name, _content(text[tag.end : end]), group))
    return found


def _content_end(text: str, tags: Sequence[_Tag], after: int, groups: set[str]) -> tuple[int, int]:
    """Where the leaf opened by `tags[after - 1]` ends, and the index of the first tag behind it.

    At its own closing tag, if that comes before the leaf is opened again or a group begins or ends: tags of
    other leaves in between are then content. Else the leaf was never closed, and ends at the next known tag.
    """
    name = tags[after - 1].name
    for index in range(after, len(tags)):
        tag = tags[index]
        if tag.name == name and tag.closing:
            return tag.start, index + 1
        if tag.name == name or tag.name in groups:
            break
    return (tags[after].start if after < len(tags) else len(text)), after


def _tags(text: str, names: set[str]) -> list[_Tag]:
    pattern = _pattern(tuple(sorted(names)))
    return [_Tag(m["name"].lower(), bool(m["slash"]), m.start(), m.end()) for m in pattern.finditer(text)]


@cache
def _pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    """Bounded everywhere: `< /Name attr>` with at most a few blanks and 80 characters of attributes."""
    one_of = "|".join(map(re.escape, names))
    return re.compile(
        rf"<[ \t]{{0,3}}(?P<slash>/?)[ \t]{{0,3}}(?P<name>{one_of})(?:[ \t/][^<>\n]{{0,80}})?>", re.IGNORECASE
    )


def _content(text: str) -> str:
    text = text.strip()
    if text.startswith(_CDATA_OPEN):
        text = text[len(_CDATA_OPEN) :]
        text = text.removesuffix(_CDATA_CLOSE)
    return _without_misspelt_close(text.strip())


def _without_misspelt_close(text: str) -> str:
    """Drop a last closing tag of no known name, e.g. `</algo>`: it was meant to end this leaf."""
    at = text.rfind("</")
    if at >= 0 and re.fullmatch(r"</[A-Za-z_]{1,20}>", text[at:]):
        return text[:at].rstrip()
    return text


def last(found: Sequence[Piece], leaf: str) -> str:
    """The last non-empty text of a leaf, or ""."""
    return next((piece.text for piece in reversed(found) if piece.tag == leaf and piece.text), "")


def by_group(found: Sequence[Piece]) -> list[dict[str, str]]:
    """One dict a group, in order; the first text of a tag in a group counts."""
    groups: dict[int, dict[str, str]] = {}
    for piece in found:
        groups.setdefault(piece.group, {}).setdefault(piece.tag, piece.text)
    return list(groups.values())
