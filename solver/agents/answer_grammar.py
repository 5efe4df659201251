"""The answer forms as grammars for constrained decoding: what they let through, the parsers accept.

Lark in llguidance's dialect; vLLM's structured outputs take the same text. Each stretch of free text has a share of
the answer's token budget and is closed when that is spent, so the longest answer fits max_tokens and an answer is not
cut in the middle of its form. (It still can be where a model spells a tag in more tokens than one for two characters.)
A grammar promises form, not sense.

Text is a first line and lines that begin with their line break. llguidance's lexer does not step back, and inside a
stretch that has a share of its own it does not look at what comes after: so a line must not begin like what closes
the text (`<` for a tag, a backtick for a fence, `V` for a verdict). Where a share is spent in the middle of a line,
what closes the text follows at once.
"""

from __future__ import annotations

from collections.abc import Iterator

from solver.agents.answer_forms import (
    AnswerForm,
    FencedProgram,
    FreeText,
    HeadedProgram,
    Judged,
    XmlDocument,
)
from solver.agents.answer_shapes import Group, Leaf

LEAST_TOKENS = 8  # of a stretch of text; less is no text
CHARS_PER_TOKEN = (
    2  # of fixed text, at the least: tags and headings cost a token for three characters or more
)
_PERCENT_TOKENS = 4
_PROSE_SHARE, _CODE_SHARE = 1, 2
WRAP_TOKENS = 24

# Characters that XML 1.0 does not allow, whatever shields them.
_NOT_XML = r"\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff"
# In a text element no tag may close (`</`), no CDATA section may end (`]>`, a little more than need be), and no
# fence may stand (two backticks), for the published cleaning removes fences wherever they are. A run of these three
# characters, without two backticks in a row:
_RUN = r"(`?[<\]]){0,8}"
_OTHER = rf"[^<\]`\n{_NOT_XML}]"
_UNIT = "|".join(
    (
        _OTHER,
        rf"{_RUN}`?<[^<\]`\/\n{_NOT_XML}]",
        rf"{_RUN}`?\][^<\]`>\n{_NOT_XML}]",
        rf"{_RUN}`{_OTHER}",
    )
)
_XML_REST = rf"({_UNIT})*{_RUN}`?"
_XML_LINES = (
    rf"FIRST: /[^\s<\]`{_NOT_XML}]{_XML_REST}/",
    rf"LINE: /\n(({_OTHER}|\][^<\]`>\n{_NOT_XML}]){_XML_REST}|\])?/",
)
_INLINE_LINES = (
    rf"FIRST: /[^\s<\]`{_NOT_XML}][^<\]`\n{_NOT_XML}]*/",
    rf"LINE: /\n[^<\]`\n{_NOT_XML}]*/",
)
_NO_FENCE = r"(`{0,2}[^`\n])*`{0,2}"
_UNFENCED_LINES = (rf"FIRST: /[^\s`]{_NO_FENCE}/", rf"LINE: /\n([^`\n]{_NO_FENCE})?/")


class TooFewTokens(ValueError):
    """The form does not fit an answer of so few tokens; the message says what would do."""


def answer_grammar(form: AnswerForm, max_tokens: int) -> str:
    """The grammar of answers in this form that end within `max_tokens`. Raises TooFewTokens."""
    match form:
        case FreeText():
            return _text(max_tokens)
        case XmlDocument():
            return _xml(form, max_tokens)
        case FencedProgram():
            return _fenced(form, max_tokens)
        case HeadedProgram():
            return _headed(form, max_tokens)
        case Judged():
            return _judged(form, max_tokens)


def _shares(max_tokens: int, fixed: str, *weights: float) -> list[int]:
    """The tokens of each stretch of text, by weight, once the fixed text has what it needs."""
    overhead = len(fixed) // CHARS_PER_TOKEN + 1
    left = max_tokens - overhead
    whole = sum(weights)
    shares = [int(left * weight / whole) for weight in weights]
    if min(shares) < LEAST_TOKENS:
        need = overhead + int(LEAST_TOKENS * whole / min(weights)) + 1
        raise TooFewTokens(
            f"An answer of this form needs max_tokens of at least {need}, and {max_tokens} are allowed; "
            "raise the engine's max_tokens or ask without constrained decoding."
        )
    return shares


def _text(max_tokens: int) -> str:
    (tokens,) = _shares(max_tokens, "", 1)
    return _grammar("start: text", f"text[max_tokens={tokens}]: TEXT", r"TEXT: /[^\s<](.|\n)*/")


def _grammar(*rules: str) -> str:
    return "\n".join(rules) + "\n"


# -- XML


def _xml(form: XmlDocument, max_tokens: int) -> str:
    leaves = list(_repeated(form.shape, form.k))
    texts = [leaf for leaf in leaves if not leaf.integer]
    numbers = len(leaves) - len(texts)
    fixed = _skeleton(form.shape, form.k)
    shares = _shares(max_tokens - _PERCENT_TOKENS * numbers, fixed, *(leaf.share for leaf in texts))
    tokens = {leaf.tag: share for leaf, share in zip(texts, shares, strict=True)}
    rules = ["start: root", *_rules(form.shape, form)]
    for tag, share in tokens.items():
        rules.append(f"{tag}_text[max_tokens={share}]: FIRST LINE*")
    if numbers:
        rules.append("PERCENT: /100|[1-9]?[0-9]/")
    return _grammar(*rules, *(_INLINE_LINES if form.inline else _XML_LINES))


def _repeated(group: Group, k: int) -> Iterator[Leaf]:
    for part in group.parts:
        if isinstance(part, Leaf):
            yield part
        else:
            for _ in range(k if part.repeated else 1):
                yield from _repeated(part, k)


def _skeleton(group: Group, k: int) -> str:
    """The document without its texts."""
    parts = []
    for part in group.parts:
        if isinstance(part, Leaf):
            parts.append(f"<{part.tag}>\n\n</{part.tag}>\n")
        else:
            parts.append(_skeleton(part, k) * (k if part.repeated else 1))
    return f"<{group.tag}>\n{''.join(parts)}</{group.tag}>\n"


def _rules(group: Group, form: XmlDocument, *, outermost: bool = True) -> Iterator[str]:
    parts = [
        f"{part.tag}{{{form.k}}}" if isinstance(part, Group) and part.repeated else part.tag
        for part in group.parts
    ]
    end = "" if outermost else r"\n"
    yield f'{group.tag}: "<{group.tag}>\\n" {" ".join(parts)} "</{group.tag}>{end}"'
    for part in group.parts:
        if isinstance(part, Group):
            yield from _rules(part, form, outermost=False)
        else:
            yield _leaf_rule(part, form.inline)


def _leaf_rule(leaf: Leaf, inline: bool) -> str:
    tag, text = leaf.tag, "PERCENT" if leaf.integer else f"{leaf.tag}_text"
    end = f'("</{tag}>\\n" | "\\n</{tag}>\\n")' if leaf.integer else f'"</{tag}>\\n"'
    if not inline:
        return f'{tag}: "<{tag}>\\n" {text} {end}'
    return f'{tag}: ("<{tag}>" | "<{tag}>\\n") {text} {end}'


# -- programs


def _block(tokens: int) -> tuple[str, str]:
    """The rules of a fenced block after its opening fence, up to and with the closing one."""
    return 'block: code "```"', f"code[max_tokens={tokens}]: FIRST LINE*"


def _fenced(form: FencedProgram, max_tokens: int) -> str:
    opening = f"```{form.tag}\\n"
    fixed = f"{opening}\n```\n"
    if not form.prose:
        (code,) = _shares(max_tokens, fixed, 1)
        return _grammar(f'start: "{opening}" block', *_block(code), *_UNFENCED_LINES)
    prose, code = _shares(max_tokens, fixed, _PROSE_SHARE, _CODE_SHARE)
    return _grammar(
        f'start: prose "{opening}" block',
        f"prose[max_tokens={prose}]: FIRST LINE*",
        *_block(code),
        *_UNFENCED_LINES,
    )


def _headed(form: HeadedProgram, max_tokens: int) -> str:
    """The heading must begin its line, so the share of what stands before it is given out in lines, long ones wrapped.

    Those lines may hold fences, but of the lines that begin with `#` only headings with the form's own words.
    """
    *before, last = form.headings
    opening = rf"\n{last}\n```{form.tag}\n"
    share, code = _shares(max_tokens, f"{opening}\n```{''.join(before)}", _CODE_SHARE, _CODE_SHARE)
    lines = max(share // WRAP_TOKENS, 1)
    headings = "".join(rf'"\n{heading}" | ' for heading in before)
    return _grammar(
        f'start: first (line{{0,{lines - 1}}}) "{opening}" block',
        f"first[max_tokens={WRAP_TOKENS}]: OPEN",
        f"line: {headings}words",
        f"words[max_tokens={WRAP_TOKENS}]: WORDS",
        r"OPEN: /[^\s][^\n]*/",
        r"WORDS: /\n([^#\n][^\n]*)?/",
        *_block(code),
        *_UNFENCED_LINES,
    )


def _judged(form: Judged, max_tokens: int) -> str:
    letter = form.verdicts[0][0]
    assert all(verdict[0] == letter for verdict in form.verdicts)
    (prose,) = _shares(max_tokens, max(form.verdicts, key=len), 1)
    verdicts = " | ".join(f'"{verdict}"' for verdict in form.verdicts)
    return _grammar(
        f"start: prose ({verdicts})",
        f"prose[max_tokens={prose}]: FIRST LINE*",
        rf"FIRST: /[^\s{letter}][^\n]*/",
        rf"LINE: /\n([^{letter}\n][^\n]*)?/",
    )
