"""The statement of a problem package, taken apart into input, output and the rest.

LaTeX and Markdown stay what they are, for models read both; only the commands that name the problem and its sections
go. English is preferred to other languages, Markdown to LaTeX.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from trajectories.importers.kattis_package import Package

_FOLDERS = ("statement", "problem_statement")
_FILE = re.compile(r"^problem(?:\.(?P<language>[A-Za-z-]+))?\.(?P<kind>tex|md|pdf|html)$")
_NAME = re.compile(r"\\problemname\s*\{(?P<name>(?:[^{}]|\{[^{}]*\})*)\}")
_PLAIN_NAME = re.compile(r"^\s*%+\s*plainproblemname:\s*(?P<name>.+)$", re.MULTILINE)
_TEX_SECTION = re.compile(r"^[ \t]*\\(?:sub)?section\*?\s*\{(?P<name>[^{}]*)\}", re.MULTILINE)
_MD_SECTION = re.compile(r"^#{1,4}[ \t]+(?P<name>.+?)[ \t#]*$", re.MULTILINE)
_COMMENT = re.compile(r"(?<!\\)%.*$", re.MULTILINE)
_CONSTANT = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")
_SPECS = {
    **dict.fromkeys(("input", "input format", "input specification"), "input_spec"),
    **dict.fromkeys(("output", "output format", "output specification"), "output_spec"),
    **dict.fromkeys(("note", "notes", "explanation"), "notes"),
}


@dataclass(slots=True)
class Statement:
    text: str
    title: str = ""
    input_spec: str = ""
    output_spec: str = ""
    notes: str = ""


def read(package: Package, constants: dict[str, Any]) -> Statement:
    name = _file(package)
    text = substituted(package.text(name).replace("\r\n", "\n"), constants)
    tex = name.endswith(".tex")
    title = ""
    if tex:
        plain, named = _PLAIN_NAME.search(text), _NAME.search(text)
        title = plain["name"].strip() if plain else named["name"].strip() if named else ""
        text = _NAME.sub("", _COMMENT.sub("", text))
    statement = _split(text, _TEX_SECTION if tex else _MD_SECTION)
    if not statement.text:  # nothing but sections
        statement = Statement(text.strip())
    if not statement.text:
        raise package.malformed(name, "", "is empty", "write the statement")
    statement.title = title
    return statement


def substituted(text: str, constants: dict[str, Any]) -> str:
    """`{{name}}` stands for a constant of problem.yaml (format version 2025-09)."""
    if not constants:
        return text
    return _CONSTANT.sub(lambda match: str(constants.get(match[1], match[0])), text)


def _file(package: Package) -> str:
    found: list[tuple[bool, bool, str]] = []
    unread = ""
    for folder in _FOLDERS:
        for name in package.below(folder):
            match = _FILE.match(name.removeprefix(f"{folder}/"))
            if match is None:
                continue
            if match["kind"] in ("pdf", "html"):
                unread = name
                continue
            other = not (match["language"] or "en").lower().startswith("en")
            found.append((other, match["kind"] != "md", name))
    if found:
        return min(found)[2]
    if unread:
        mend = "add statement/problem.en.md with its text"
        raise package.malformed(unread, "", "is the only statement, and its text cannot be read", mend)
    raise package.malformed(
        _FOLDERS[0], "", "holds no statement", "add statement/problem.en.md or problem.en.tex"
    )


def _split(text: str, heading: re.Pattern[str]) -> Statement:
    """Sections that have a field of their own go there; the others stay where they are, with their headings."""
    parts = {"text": "", "input_spec": "", "output_spec": "", "notes": ""}
    part, start = "text", 0
    for match in heading.finditer(text):
        parts[part] += text[start : match.start()]
        named = _SPECS.get(match["name"].strip().lower())
        part = named or "text"
        start = match.end() if named else match.start()
    parts[part] += text[start:]
    return Statement(**{name: value.strip() for name, value in parts.items()})
