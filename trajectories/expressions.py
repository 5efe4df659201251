"""The filter language of lists and queues: `tag:dp verdict:WA,TLE blame:planning calls>10 -is:branch "night ferry"`.

    expression := (term | words)*            separated by spaces; all must hold
    term       := ["-"] field op value ("," value)*     values after a comma are alternatives; "-" negates
    op         := ":"  for names and flags, and  ":" ">" ">=" "<" "<="  for numbers
    words      := ["-"] value                looked for in titles and ids
    value      := bare | '"' anything, with \\" and \\\\ for themselves '"'

Pure: it knows fields by their `Vocabulary`, no table. `str(parse(text))` is the expression again.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

LONGEST = 500  # characters of an expression
MOST_TERMS = 20
OPERATORS = (">=", "<=", ":", ">", "<")
Kind = Literal["name", "number", "flag"]

_BARE = re.compile(r'[^\s",:<>=\\]+')
_FIELD = re.compile(r"([A-Za-z_]+)(>=|<=|:|>|<)")
_PLAIN = re.compile(r'(?!-)[^\s",:<>=\\]+')
_NUMBER = re.compile(r"\d{1,15}(?:\.\d{1,6})?")


class BadExpression(ValueError):
    """What is wrong, where (a place in the text, from 0) and how to mend it."""

    def __init__(self, sentence: str, at: int, length: int = 1) -> None:
        super().__init__(sentence)
        self.at, self.length = at, max(1, length)


@dataclass(frozen=True, slots=True)
class Field:
    """`values` lists what a flag or a closed name may be; empty: anything."""

    kind: Kind
    title: str
    values: tuple[str, ...] = ()


Vocabulary = Mapping[str, Field]


@dataclass(frozen=True, slots=True)
class Term:
    """`field` is empty for plain words, which have one value."""

    field: str
    op: str
    values: tuple[str, ...]
    negated: bool = False

    def __str__(self) -> str:
        sign = "-" if self.negated else ""
        return f"{sign}{self.field}{self.op}{','.join(map(quoted, self.values))}"


@dataclass(frozen=True, slots=True)
class Expression:
    terms: tuple[Term, ...] = ()

    def __str__(self) -> str:
        return " ".join(map(str, self.terms))

    def __bool__(self) -> bool:
        return bool(self.terms)

    def value(self, field: str) -> str:
        """The one value that a `field:value` term asks for, or nothing."""
        found = [term for term in self.terms if term.field == field and term.op == ":" and not term.negated]
        return found[0].values[0] if len(found) == 1 and len(found[0].values) == 1 else ""

    def having(self, field: str, value: str) -> Expression:
        """With `field:value` instead of what it says of the field; without, where the value is empty."""
        kept = tuple(term for term in self.terms if term.field != field)
        return Expression((*kept, Term(field, ":", (value,))) if value else kept)


def quoted(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def parse(text: str, known: Vocabulary) -> Expression:
    """Raises BadExpression."""
    if len(text) > LONGEST:
        raise BadExpression(f"A filter has at most {LONGEST} characters; this one has {len(text)}.", LONGEST)
    terms = tuple(_terms(text, known))
    if len(terms) > MOST_TERMS:
        raise BadExpression(
            f"A filter has at most {MOST_TERMS} terms; this one has {len(terms)}.", 0, len(text)
        )
    return Expression(terms)


def _terms(text: str, known: Vocabulary) -> Iterator[Term]:
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        start = at
        negated = text[at] == "-"
        at += negated
        if match := _FIELD.match(text, at):
            at, term = _term(text, match, negated, known)
        else:
            value, at = _value(text, at)
            term = Term("", "", (value,), negated)
        if at < len(text) and not text[at].isspace():
            raise _unexpected(text, start, at)
        yield term


def _term(text: str, match: re.Match[str], negated: bool, known: Vocabulary) -> tuple[int, Term]:
    name, op = match[1].lower(), match[2]
    field = known.get(name)
    if field is None:
        near = difflib.get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}."
        raise BadExpression(f"There is no field {match[1]!r}; {hint}", match.start(), len(match[1]))
    if op != ":" and field.kind != "number":
        raise BadExpression(f"{name} is no number: write {name}:value.", match.start(2), len(op))
    at = match.end()
    values = []
    while True:
        start = at
        value, at = _value(text, at, after=match[0])
        values.append(_checked(name, field, value, start, at))
        if not text.startswith(",", at):
            return at, Term(name, op, tuple(values), negated)
        if op != ":":
            raise BadExpression(f"{name}{op} takes one number.", at)
        at += 1


def _checked(name: str, field: Field, value: str, start: int, end: int) -> str:
    if field.kind == "number":
        if not _NUMBER.fullmatch(value):
            raise BadExpression(f"{name} is a number, and {value!r} is none.", start, end - start)
        return value
    if not field.values:
        return value
    same = next((choice for choice in field.values if choice.lower() == value.lower()), None)
    if same is None:
        raise BadExpression(f"{name} is one of {', '.join(field.values)}, not {value!r}.", start, end - start)
    return same


def _value(text: str, at: int, after: str = "") -> tuple[str, int]:
    if text.startswith('"', at):
        return _string(text, at)
    match = _BARE.match(text, at)
    if match is None:
        what = f"{after} needs a value after it." if after else "A word, or field:value, should stand here."
        raise BadExpression(what, min(at, max(0, len(text) - 1)))
    return match[0], match.end()


def _string(text: str, start: int) -> tuple[str, int]:
    out: list[str] = []
    at = start + 1
    while at < len(text):
        if text[at] == '"':
            return "".join(out), at + 1
        if text[at] == "\\":
            if text[at + 1 : at + 2] not in ('"', "\\"):
                raise BadExpression('Between quotes write \\" for a quote and \\\\ for a backslash.', at)
            at += 1
        out.append(text[at])
        at += 1
    raise BadExpression("This quotation mark is never closed.", start, len(text) - start)


def _unexpected(text: str, start: int, at: int) -> BadExpression:
    if text[at] in ":<>=":
        word = text[start:at]
        return BadExpression(
            f"{word!r} is no field; put quotes around the text to look for it as it is.", start, at - start
        )
    return BadExpression(f"{text[at]!r} cannot stand here; put the value in quotes.", at)


# -- completion


@dataclass(frozen=True, slots=True)
class Piece:
    """What is being typed at the end of a text: from `start` on stands `typed`, a field's name or a value of `field`."""

    start: int
    field: str
    typed: str


def piece(text: str, known: Vocabulary) -> Piece:
    """What the end of `text` is the beginning of. Inside a quotation it is that value."""
    start = len(text)
    while start and not text[start - 1].isspace():
        start -= 1
    token = text[start:]
    skip = token.startswith("-")
    match = _FIELD.match(token, skip)
    if match and match[1].lower() in known and match[2] == ":":
        rest = token[match.end() :]
        head, comma, last = rest.rpartition(",")
        at = start + match.end() + len(head) + len(comma)
        return Piece(at, match[1].lower(), last.removeprefix('"'))
    return Piece(start + skip, "", token[skip:])
