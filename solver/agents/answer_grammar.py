"""The answer formats as grammars for constrained decoding: what they let through, the strict parsers accept.

Lark in llguidance's dialect; vLLM's structured outputs take the same text. A grammar keeps its promise only if the
answer ends: lines and their length are bounded, yet an answer cut by its token budget is still cut. It promises
form, not sense.

Text is a sequence of lines because llguidance's lexer does not step back: a terminal must not be able to swallow the
line break that belongs to the closing tag. Its patterns are written out instead of negated, since a negated pattern
with a counted repetition exceeds the lexer's limits beyond some 120 characters.
"""

from __future__ import annotations

from collections.abc import Iterator

from solver.agents.answer_shapes import EXEMPLARS, VERDICT_ON_PLAN, Group
from solver.agents.brief import Brief
from solver.engines.protocol import Role

LINE_CHARS = 400
LEAF_LINES = 60
CODE_LINES = 300

# Characters that XML 1.0 does not allow, whatever shields them.
_NOT_XML = r"\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff"
# In a text element no tag may close (`</`), no CDATA section may end (`]>`, a little more than need be), and no
# fence may stand (two backticks), for the published cleaning removes fences wherever they are. A run of these three
# characters, without two backticks in a row:
_RUN = r"(`?[<\]]){0,8}"


def answer_grammar(
    role: Role,
    brief: Brief,
    *,
    line_chars: int = LINE_CHARS,
    leaf_lines: int = LEAF_LINES,
    code_lines: int = CODE_LINES,
) -> str | None:
    """The grammar of a role's answer; None where any text will do."""
    if role is Role.RETRIEVAL:
        return _xml(EXEMPLARS, brief.k, line_chars, leaf_lines)
    if role is Role.CONFIDENCE:
        return _xml(VERDICT_ON_PLAN, 1, line_chars, leaf_lines)
    if role is Role.CODING:
        return _fenced(brief.language.key, 0, line_chars, code_lines)
    if role is Role.DEBUGGING:
        return _fenced(brief.language.key, leaf_lines, line_chars, code_lines)
    return None


def _xml(shape: Group, k: int, line_chars: int, lines: int) -> str:
    other = rf"[^<\]`\n{_NOT_XML}]"
    unit = "|".join(
        (
            other,
            rf"{_RUN}`?<[^<\]`\/\n{_NOT_XML}]",
            rf"{_RUN}`?\][^<\]`>\n{_NOT_XML}]",
            rf"{_RUN}`{other}",
        )
    )
    rest = rf"({unit}){{0,{line_chars}}}{_RUN}`?\n"
    rules = [
        f"start: {shape.tag}",
        *_rules(shape, k),
        f"text: FIRST LINE{{0,{lines - 1}}}",
        rf"FIRST: /[^\s<\]`{_NOT_XML}]{rest}/",
        f"LINE: /{rest}/",
        "PERCENT: /100|[1-9]?[0-9]/",
    ]
    return "\n".join(rules) + "\n"


def _rules(group: Group, k: int) -> Iterator[str]:
    parts = [
        f"{part.tag}{{{k}}}" if isinstance(part, Group) and part.repeated else part.tag
        for part in group.parts
    ]
    yield f'{group.tag}: "<{group.tag}>\\n" {" ".join(parts)} "</{group.tag}>\\n"'
    for part in group.parts:
        if isinstance(part, Group):
            yield from _rules(part, k)
        elif part.integer:
            yield f'{part.tag}: "<{part.tag}>\\n" PERCENT "\\n</{part.tag}>\\n"'
        else:
            yield f'{part.tag}: "<{part.tag}>\\n" text "</{part.tag}>\\n"'


def _fenced(tag: str, prose_lines: int, line_chars: int, code_lines: int) -> str:
    """Lines of prose, if any are allowed, then one fenced block that ends the answer. No other fence anywhere."""
    rest = rf"(`{{0,2}}[^`\n]){{0,{line_chars}}}`{{0,2}}\n"
    prose = f"FIRST LINE{{0,{prose_lines - 1}}} " if prose_lines else ""
    rules = [
        f'start: {prose}"```{tag}\\n" FIRST LINE{{0,{code_lines - 1}}} "```"',
        rf"FIRST: /[^\s`]{rest}/",
        f"LINE: /{rest}/",
    ]
    return "\n".join(rules) + "\n"
