"""The forms an answer can be asked in. A prompt carries the form of its answer; constrained decoding enforces it.

What a form lets through, the strict parser of the role accepts; where a strategy has a parser of its own, that one.
"""

from __future__ import annotations

from dataclasses import dataclass

from solver.agents.answer_shapes import Group


@dataclass(frozen=True, slots=True)
class FreeText:
    """Any text that is not blank: a plan, a reflection."""


@dataclass(frozen=True, slots=True)
class XmlDocument:
    """One document of this shape, its repeated group exactly k times.

    `inline`: text may follow its opening tag on the same line and then holds no `<`, which is how a model writes whose
    prompts show no format. Without it each text element stands on lines of its own and may compare numbers.
    """

    shape: Group
    k: int = 1
    inline: bool = False


@dataclass(frozen=True, slots=True)
class FencedProgram:
    """One fenced block with this tag, after prose if `prose`; no other fence."""

    tag: str
    prose: bool = False


@dataclass(frozen=True, slots=True)
class HeadedProgram:
    """Text under headings, each a line of its own, then the last heading and one fenced block."""

    tag: str
    headings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """Prose, then a last line that is one of these."""

    verdicts: tuple[str, ...]


AnswerForm = FreeText | XmlDocument | FencedProgram | HeadedProgram | Judged
