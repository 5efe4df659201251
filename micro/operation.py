"""What one step of a micro problem is: how it is said, planned, coded and tagged."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Shape(StrEnum):
    """What flows between steps: a list of integers, a word, or the printed answer."""

    LIST = "list"
    TEXT = "text"
    ANSWER = "answer"


class Kind(StrEnum):
    """Steps of one kind can stand in for each other in a mutant: they take and give the same shapes."""

    FILTER = "filter"
    MAP = "map"
    ORDER = "order"
    REDUCE = "reduce"
    TEXT_CHANGE = "text_change"
    TEXT_TO_LIST = "text_to_list"
    TEXT_REDUCE = "text_reduce"


SHAPES: dict[Kind, tuple[Shape, Shape]] = {
    Kind.FILTER: (Shape.LIST, Shape.LIST),
    Kind.MAP: (Shape.LIST, Shape.LIST),
    Kind.ORDER: (Shape.LIST, Shape.LIST),
    Kind.REDUCE: (Shape.LIST, Shape.ANSWER),
    Kind.TEXT_CHANGE: (Shape.TEXT, Shape.TEXT),
    Kind.TEXT_TO_LIST: (Shape.TEXT, Shape.LIST),
    Kind.TEXT_REDUCE: (Shape.TEXT, Shape.ANSWER),
}


@dataclass(frozen=True)
class Operation:
    """One entry of the vocabulary of steps.

    Phrases may hold `{things}` (what the list holds), `{c}` (the step's constant) and `{of}` (the phrase of what
    the step works on). `commands` are imperatives of the sequential style; `nouns` are noun phrases of the nested
    style: those of a transform end where their object begins, those of a reduction hold `{of}`.
    `level` runs from 1 (a built-in) to 3 (an algorithm with a name).
    """

    name: str
    kind: Kind
    level: int
    tag: str
    commands: tuple[str, ...]
    nouns: tuple[str, ...]
    plan: str
    code: str
    constants: tuple[int, ...] = ()
    needs_k: bool = False

    @property
    def takes(self) -> Shape:
        return SHAPES[self.kind][0]

    @property
    def gives(self) -> Shape:
        return SHAPES[self.kind][1]

    @property
    def is_transform(self) -> bool:
        return self.gives is not Shape.ANSWER


def with_constant(phrase: str, constant: int | None) -> str:
    """Phrases and code hold braces of their own, so `str.format` is not an option."""
    return phrase if constant is None else phrase.replace("{c}", str(constant))
