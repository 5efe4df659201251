"""Samples for sets that publish none beside the prompt: the examples in a function's docstring.

Doctests (`>>> f(1)` and the result below) and the lines that people write instead: `f(1) == 2`, `f(1) => 2`,
`f(1) ➞ 2`, `f(1) returns 2`. Only calls of the function itself with a literal result count; prose does not.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from trajectories.importers import assertions
from trajectories.problem_schema import Sample

_ARROWS = ("==>", "==", "=>", "➞", "➡", "->", "→", "=", "returns", "should return", "should be")
_MOST = 8
_DEEPEST = 20_000


def samples(prompt: str, entry_point: str) -> tuple[Sample, ...]:
    """In the order of the text, without repeats."""
    found: dict[str, Sample] = {}
    lines = _docstring_lines(prompt, entry_point)
    for call, wanted in [*_doctests(lines), *_plain(lines, entry_point)]:
        if _calls(call, entry_point) and _is_literal(wanted):
            code = f"assert {call} == {wanted}"
            one = Sample.model_validate({"input": call, "output": wanted, "assert": code})
            found.setdefault(ast.dump(ast.parse(call)), one)
    return tuple(found.values())[:_MOST]


def _docstring_lines(prompt: str, entry_point: str) -> list[str]:
    tree = assertions.parsed(prompt)
    for node in tree.body if tree else ():
        if isinstance(node, ast.FunctionDef) and node.name == entry_point:
            return (ast.get_docstring(node) or "")[:_DEEPEST].splitlines()
    return []


def _doctests(lines: list[str]) -> Iterator[tuple[str, str]]:
    for index, line in enumerate(lines):
        text = line.strip()
        if not text.startswith(">>>") or index + 1 == len(lines):
            continue
        below = lines[index + 1].strip()
        if not below.startswith((">>>", "...")):
            yield text.removeprefix(">>>").strip(), below


def _plain(lines: list[str], entry_point: str) -> Iterator[tuple[str, str]]:
    """A call that runs to its closing bracket on the same line, an arrow, a result."""
    start = re.compile(rf"(?<![\w.]){re.escape(entry_point)}\(")
    for line in lines:
        if (match := start.search(line)) is None:
            continue
        end = _closing(line, match.end())
        rest = line[end:].strip() if end else ""
        for arrow in _ARROWS:
            if rest.startswith(arrow):
                yield line[match.start() : end], _result(rest.removeprefix(arrow))
                break


def _closing(line: str, at: int) -> int:
    """The place after the bracket that closes the one before `at`; 0 when there is none. Quotes hide brackets."""
    depth, quote = 1, ""
    for index in range(at, len(line)):
        mark = line[index]
        if quote:
            quote = "" if mark == quote else quote
        elif mark in "\"'":
            quote = mark
        elif mark in "([{":
            depth += 1
        elif mark in ")]}":
            depth -= 1
            if depth == 0:
                return index + 1
    return 0


def _result(text: str) -> str:
    """The literal itself: without a comment and without the full stop or comma of a sentence."""
    text = text.strip()
    bare = text.split(" #")[0].rstrip()
    for candidate in (bare.rstrip(".,;"), bare, text):
        if _is_literal(candidate):
            return candidate
    return ""


def _calls(text: str, entry_point: str) -> bool:
    """An expression in which the function is called, be it `round(f(1), 2)`, and nothing is left open."""
    tree = assertions.parsed(text)
    if tree is None or len(tree.body) != 1 or not isinstance(tree.body[0], ast.Expr):
        return False
    called = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    return all(name in called for name in names) and any(name.id == entry_point for name in names)


def _is_literal(text: str) -> bool:
    try:
        ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return False
    return True
