"""A contest statement published as one text, taken apart at its headings.

APPS writes them between dashes (`-----Input-----`), CodeContests on lines of their own (`Input`, `Output`, `Examples`,
`Note`). A text without the headings stays whole; a part that cannot be named stays in the statement.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from trajectories.problem_schema import Sample


class Part(StrEnum):
    STATEMENT = "statement"
    INPUT = "input"
    OUTPUT = "output"
    EXAMPLES = "examples"
    NOTES = "notes"


_NAMES = {
    **dict.fromkeys(("input", "inputs", "input format", "input specification"), Part.INPUT),
    **dict.fromkeys(("output", "outputs", "output format", "output specification"), Part.OUTPUT),
    **dict.fromkeys(
        ("example", "examples", "sample", "samples", "sample test", "sample tests", "sample input"),
        Part.EXAMPLES,
    ),
    **dict.fromkeys(("note", "notes", "explanation"), Part.NOTES),
}
_DASHED = re.compile(r"^-{3,}[ \t]*(\w[\w \t]*?)[ \t]*:?[ \t]*-{3,}[ \t]*$", re.MULTILINE)
_LINE = re.compile(
    r"^(?:#+ )?(Input|Output|Examples?|SAMPLES?|Samples?|INPUT|OUTPUT|Notes?)[ \t]*:?[ \t]*$", re.MULTILINE
)
_PAIR = re.compile(
    r"^(?:Sample |Example )?Input\b.*\n(?P<input>(?:.*\n)*?)^(?:Sample |Example )?Output\b.*\n"
    r"(?P<output>(?:.*\n)*?)(?=^(?:Sample |Example )?Input\b|\Z)",
    re.MULTILINE,
)
_LONGEST_EXAMPLES = 200_000


@dataclass(slots=True)
class Sections:
    statement: str
    input_spec: str = ""
    output_spec: str = ""
    notes: str = ""
    samples: tuple[Sample, ...] = field(default=())


def dashed(text: str) -> Sections:
    """The layout of APPS."""
    return _split(text, _DASHED)


def lined(text: str) -> Sections:
    """The layout of CodeContests."""
    return _split(text, _LINE)


def _split(text: str, heading: re.Pattern[str]) -> Sections:
    text = text.replace("\r\n", "\n")
    parts: dict[Part, list[str]] = {part: [] for part in Part}
    part, start = Part.STATEMENT, 0
    for match in heading.finditer(text):
        named = _NAMES.get(match[1].strip().lower())
        if named is None or _stays(part, named):
            continue
        parts[part].append(text[start : match.start()])
        part, start = named, match.end()
    parts[part].append(text[start:])
    found = {part: "\n\n".join(one.strip() for one in texts).strip() for part, texts in parts.items()}
    if not found[Part.STATEMENT]:
        return Sections(statement=text.strip())
    samples = _samples(found[Part.EXAMPLES])
    if found[Part.EXAMPLES] and not samples:
        found[Part.STATEMENT] += f"\n\nExamples\n\n{found[Part.EXAMPLES]}"
    return Sections(found[Part.STATEMENT], found[Part.INPUT], found[Part.OUTPUT], found[Part.NOTES], samples)


def _stays(part: Part, named: Part) -> bool:
    """Among the examples, Input and Output head an example; what follows a note is part of it."""
    if part is Part.EXAMPLES:
        return named in (Part.INPUT, Part.OUTPUT, Part.EXAMPLES)
    return part is Part.NOTES and named is not Part.EXAMPLES


def _samples(text: str) -> tuple[Sample, ...]:
    if len(text) > _LONGEST_EXAMPLES:
        return ()
    pairs = _PAIR.finditer(f"{text}\n")
    return tuple(Sample(input=_block(pair["input"]), output=_block(pair["output"])) for pair in pairs)


def _block(text: str) -> str:
    text = text.strip("\n")
    return f"{text}\n" if text else ""
