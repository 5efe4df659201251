"""Programs in fenced blocks: the published extraction with its defects, and one that finds what was meant."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass

from solver.agents.answer_text import excerpt, refused_as_too_long, too_long, without_thinking
from solver.agents.formats import FormatFailure, Parsed
from solver.agents.languages import FENCE_TAGS, NOT_CODE_TAGS, PromptLanguage

FENCE = "```"

# The published parser looks for these right behind an opening fence; the last one present anywhere in the
# answer decides for all blocks. Hence ```cpp is read as ```c with the program beginning "pp".
_PUBLISHED_TAGS = (
    *("Python", "Python3", "python", "python3", "C", "c", "C++", "c++", "Java", "java", "Node", "node"),
    *("Rust", "rust", "PHP", "php", "Go", "go", "Ruby", "ruby", "C#", "c#", "csharp"),
)


def published_code(text: str) -> Parsed[str]:
    """The last fenced block, or the whole answer if it holds no fence (MapCoder section 1.3).

    Reproduced: an unknown language tail stays in the code; a block's last character comes twice, the second
    time on a line of its own, which is harmless only when it is a line break. Not reproduced: the published
    expression takes time exponential in the lines of an unclosed block; here such an answer fails at once.
    """
    if too_long(text):
        return refused_as_too_long(text)
    if FENCE not in text:
        if not text.strip():
            return Parsed(text, FormatFailure.EMPTY, "the answer is empty and was taken as the program")
        return Parsed(text)
    opening = FENCE
    for tag in _PUBLISHED_TAGS:
        if FENCE + tag in text:
            opening = FENCE + tag
    body = _last_published_block(text, opening)
    if body is None:
        return Parsed(
            None,
            FormatFailure.UNCLOSED_FENCE,
            f"no {opening} block is closed",
            excerpt(text, text.rfind(opening)),
        )
    return Parsed(f"{body}\n{body[-1:]}")


def _last_published_block(text: str, opening: str) -> str | None:
    body, at = None, 0
    while (start := text.find(opening, at)) >= 0:
        start += len(opening)
        end = text.find(FENCE, start)
        if end < 0:
            break
        body, at = text[start:end], end + len(FENCE)
    return body


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its tag in lower case ("" if none), its text, and whether a fence ends it."""

    tag: str
    body: str
    closed: bool


def tolerant_code(text: str, language: PromptLanguage) -> Parsed[str]:
    """The last block tagged with the run's language, else the last with no known tag, else the last."""
    if too_long(text):
        return refused_as_too_long(text)
    text = without_thinking(text)
    if not text.strip():
        return Parsed(None, FormatFailure.EMPTY, "the answer is empty")
    found = blocks(text)
    programs = [block for block in found if block.body.strip()]
    if programs:
        return _chosen(programs, language)
    if found:
        return Parsed(
            None, FormatFailure.NO_CODE, "the fenced block is empty", excerpt(text, text.find(FENCE))
        )
    return _unfenced(text)


def _chosen(programs: list[Block], language: PromptLanguage) -> Parsed[str]:
    ranked = (
        [block for block in programs if block.tag in language.tags],
        [block for block in programs if block.tag not in FENCE_TAGS],
        [block for block in programs if block.tag not in NOT_CODE_TAGS],
        programs,
    )
    candidates = next(blocks for blocks in ranked if blocks)
    closed = [block for block in candidates if block.closed]
    if closed:
        return Parsed(closed[-1].body)
    body = candidates[-1].body
    return Parsed(
        body,
        FormatFailure.UNCLOSED_FENCE,
        "the fenced block is not closed; its text up to the end was taken",
        body[-80:],
    )


def blocks(text: str) -> list[Block]:
    """All fenced blocks, the last one possibly unclosed.

    A fence in the middle of a line does not close a block (it may stand in a string of the program); one at
    the beginning or the end of a line does. An opening fence with a language tag ends an unclosed block.
    """
    fences = [match.span() for match in re.finditer("`{3,}", text)]
    found: list[Block] = []
    index = 0
    while index < len(fences):
        opened, after = fences[index]
        tag, start = _info(text, after)
        indented = opened > 0 and text[opened - 1] in " \t"
        end = _closing(text, fences, index + 1, start)
        if end == len(fences):
            found.append(Block(tag, _body(text[start:], indented), closed=False))
            break
        closed = not _opens_a_tagged_block(text, *fences[end]) or _same_line(text, start, fences[end][0])
        found.append(Block(tag, _body(text[start : fences[end][0]], indented), closed))
        index = end + 1 if closed else end
    return found


def _closing(text: str, fences: list[tuple[int, int]], index: int, start: int) -> int:
    """The number of the fence that ends the block whose text begins at `start`, or how many there are."""
    if index < len(fences) and text[start - 1] != "\n" and _same_line(text, start, fences[index][0]):
        return index
    while index < len(fences):
        if _ends_a_block(text, *fences[index]) or _opens_a_tagged_block(text, *fences[index]):
            return index
        index += 1
    return index


def _same_line(text: str, start: int, end: int) -> bool:
    return text.find("\n", start, end) < 0 and text[start - 1] != "\n"


def _info(text: str, at: int) -> tuple[str, int]:
    """The tag behind an opening fence that ends at `at`, and where the block's text begins."""
    word = re.compile(r"[A-Za-z0-9_+#.-]{0,20}").match(text, at)
    assert word is not None  # the pattern matches the empty string
    tag, end = word.group().lower(), word.end()
    blank = re.compile(r"[ \t\r]*(?:\n|\Z)").match(text, end)
    if blank is not None:
        return tag, blank.end()
    if tag in FENCE_TAGS:
        return tag, end
    return "", at


def _at_line_start(text: str, start: int) -> bool:
    while start > 0 and text[start - 1] in " \t":
        start -= 1
    return start == 0 or text[start - 1] == "\n"


def _at_line_end(text: str, end: int) -> bool:
    while end < len(text) and text[end] in " \t\r":
        end += 1
    return end == len(text) or text[end] == "\n"


def _opens_a_tagged_block(text: str, start: int, end: int) -> bool:
    tag, body = _info(text, end)
    return tag in FENCE_TAGS and body > end + len(tag) and _at_line_start(text, start)


def _ends_a_block(text: str, start: int, end: int) -> bool:
    if _at_line_end(text, end):
        return True
    return _at_line_start(text, start) and not _opens_a_tagged_block(text, start, end)


def _body(body: str, indented: bool) -> str:
    body = body.lstrip("\r\n").rstrip()
    return (textwrap.dedent(body) if indented else body) + "\n"


_STATEMENT = re.compile(
    r"[ \t]{0,40}(?:"
    r"(?:import|from|def|class|for|while|if|print|return|with|try|using|package|func|fn|fun|use|public|private|static|"
    r"let|const|var|int|long|void|char|string|struct|function|require|puts|echo|template|typedef|namespace)\b.*[\w)\]};:{>'\"]"
    r"|#include\b.*|<\?php.*|[A-Za-z_$][\w.$\[\], ]{0,60}[ \t]{0,3}(?:[-+*/%|&^]|<<|>>|//|\*\*)?=[^=].*"
    r"|[A-Za-z_$][\w.$]{0,60}\(.*\);?|@\w+.*|//.*|/\*.*|\}.*)[ \t\r]*"
)


def _unfenced(text: str) -> Parsed[str]:
    """No fence at all: the answer counts from its first line that reads like a statement of some language."""
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        if not line.strip():
            continue
        if _STATEMENT.fullmatch(line[:400].rstrip("\n")) and not _is_prose(line):
            code = "".join(lines[number:]).rstrip() + "\n"
            if not "".join(lines[:number]).strip():
                return Parsed(code)
            return Parsed(
                code,
                FormatFailure.NO_CODE,
                f"no fenced block; the program was taken to begin at line {number + 1}",
                excerpt(line, 0),
            )
    return Parsed(None, FormatFailure.NO_CODE, "the answer holds no program", excerpt(text, 0))


def _is_prose(line: str) -> bool:
    """A sentence that begins with a keyword: "For the input we use a list." """
    words = line.split()
    return line.rstrip().endswith((".", "?", "!")) or (
        len(words) > 3 and all(word.isalpha() for word in words)
    )
