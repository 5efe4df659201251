"""The XML answers, declared once: prompt text, parsers, echo cleaning and grammars follow from these shapes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Leaf:
    """An element that holds text, or an integer from 0 to 100. `hint` is a `#` line of the format block.

    `share`: what part of a constrained answer's tokens it may take, beside the other elements.
    """

    tag: str
    hint: str
    integer: bool = False
    share: int = 2


@dataclass(frozen=True, slots=True)
class Group:
    """An element that holds elements. A `repeated` group comes k times."""

    tag: str
    parts: tuple[Leaf | Group, ...]
    repeated: bool = False

    def leaves(self) -> Iterator[Leaf]:
        for part in self.parts:
            if isinstance(part, Leaf):
                yield part
            else:
                yield from part.leaves()


_DESCRIPTION = Leaf("description", "State the problem you recall, complete enough to be solved.")
_CODE = Leaf("code", "Solve it step by step in the language asked for.", share=4)
_PLANNING = Leaf("planning", "Write the plan that leads to this solution.", share=3)
_ALGORITHM = Leaf(
    "algorithm",
    "Name the technique the original problem needs, then teach it in general terms, without code.",
    share=3,
)
EXEMPLARS = Group("root", (Group("problem", (_DESCRIPTION, _CODE, _PLANNING), repeated=True), _ALGORITHM))
# What a model writes whose prompts show no format: the code is there for the writer's sake and nothing reads it.
EXEMPLARS_WITHOUT_CODE = Group(
    "root", (Group("problem", (_DESCRIPTION, _PLANNING), repeated=True), _ALGORITHM)
)
VERDICT_ON_PLAN = Group(
    "root",
    (
        Leaf("explanation", "Say whether and why the plan solves the problem."),
        Leaf(
            "confidence",
            "One integer from 0 to 100: how sure you are that a program following the plan is right.",
            integer=True,
        ),
    ),
)


def format_block(shape: Group) -> str:
    """The answer's skeleton as a prompt shows it."""
    return "\n".join(_lines(shape))


def _lines(part: Leaf | Group) -> Iterator[str]:
    yield f"<{part.tag}>"
    if isinstance(part, Leaf):
        yield f"# {part.hint}"
    else:
        for child in part.parts:
            yield from _lines(child)
    yield f"</{part.tag}>"
    if isinstance(part, Group) and part.repeated:
        yield f"# ... the other {part.tag}s in the same form ..."


def echoes(shape: Group) -> tuple[str, ...]:
    """Lines of the format block that a model may copy into its answer instead of filling them in."""
    return tuple(line for line in _lines(shape) if line.startswith("# "))
