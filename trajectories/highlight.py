"""Syntax colours in linear time, made on the server so that they need no script and survive in exports.

A page shows dozens of programs; Pygments takes some 17 ms for 40 lines, this lexer a fraction of one. It knows four
things (comments, strings, numbers, words), which is what a reader of short programs needs. Programs are hostile text:
every piece passes through `escape`, and each pattern is possessive so that no input makes it backtrack.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from html import escape

from django.utils.safestring import SafeString, mark_safe

KEPT = 8_000  # characters; longer programs are coloured anew each time
LARGEST = 100_000  # characters; longer programs are shown without colours


@dataclass(frozen=True, slots=True)
class Syntax:
    """What differs between languages. `comment` and `string` are regular expressions."""

    keywords: frozenset[str]
    comment: str
    string: str


_SINGLE = r"'(?:[^'\\\n]|\\.)*+'?+"
_DOUBLE = r'"(?:[^"\\\n]|\\.)*+"?+'
_BACKTICK = r"`(?:[^`\\]|\\.)*+`?+"
_TRIPLE = r'"""(?:[^"\\]|\\.|"(?!""))*+(?:"""|\Z)|\'\'\'(?:[^\'\\]|\\.|\'(?!\'\'))*+(?:\'\'\'|\Z)'
_SLASHES = r"//[^\n]*+|/\*(?:[^*]|\*(?!/))*+(?:\*/|\Z)"
_HASH = r"#[^\n]*+"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_C = """auto bool break case char const constexpr continue default do double else enum extern false float for goto if inline
int long namespace nullptr operator register return short signed sizeof static struct switch template this throw true try
catch typedef typename union unsigned using virtual void volatile while class public private protected new delete"""
_JAVA = """abstract boolean break byte case catch char class const continue default do double else enum extends false final
finally float for if implements import instanceof int interface long new null package private protected public return
short static super switch synchronized this throw throws true try var void while"""
SYNTAXES = {
    "python": Syntax(
        _words(
            """False None True and as assert async await break class continue def del elif else except finally for from
            global if import in is lambda nonlocal not or pass raise return try while with yield match case"""
        ),
        _HASH,
        f"{_TRIPLE}|{_SINGLE}|{_DOUBLE}",
    ),
    "c": Syntax(_words(_C), f"{_SLASHES}|^[ \\t]*+#[^\\n]*+", f"{_SINGLE}|{_DOUBLE}"),
    "java": Syntax(_words(_JAVA), _SLASHES, f"{_SINGLE}|{_DOUBLE}"),
    "csharp": Syntax(
        _words(_JAVA + " namespace using string foreach in out ref params is as"),
        _SLASHES,
        f"{_SINGLE}|{_DOUBLE}",
    ),
    "kotlin": Syntax(
        _words(_JAVA + " fun val when object in is as by"), _SLASHES, f"{_TRIPLE}|{_SINGLE}|{_DOUBLE}"
    ),
    "javascript": Syntax(
        _words(_JAVA + " async await function let of typeof undefined yield delete in export from"),
        _SLASHES,
        f"{_SINGLE}|{_DOUBLE}|{_BACKTICK}",
    ),
    "go": Syntax(
        _words(
            """break case chan const continue default defer else fallthrough false for func go goto if import interface map
            nil package range return select struct switch true type var"""
        ),
        _SLASHES,
        f"{_SINGLE}|{_DOUBLE}|{_BACKTICK}",
    ),
    "rust": Syntax(
        _words(
            """as async await break const continue crate dyn else enum extern false fn for if impl in let loop match mod move
            mut pub ref return self Self static struct super trait true type unsafe use where while"""
        ),
        _SLASHES,
        _DOUBLE + r"|'(?:[^'\\\n]|\\.)'",
    ),
    "ruby": Syntax(
        _words(
            """alias and begin break case class def do else elsif end ensure false for if in module next nil not or redo
            rescue retry return self super then true undef unless until when while yield"""
        ),
        _HASH,
        f"{_SINGLE}|{_DOUBLE}",
    ),
    "php": Syntax(
        _words(
            """abstract and array as break case catch class const continue default do echo else elseif extends false final
            for foreach function global if implements isset new null or private protected public return static switch
            this throw true try use var while"""
        ),
        f"{_SLASHES}|{_HASH}",
        f"{_SINGLE}|{_DOUBLE}",
    ),
}
SYNTAXES["cpp"] = SYNTAXES["c"]


@cache
def _lexer(language: str) -> tuple[re.Pattern[str], frozenset[str]] | None:
    syntax = SYNTAXES.get(language)
    if syntax is None:
        return None
    pattern = (
        f"(?P<c>{syntax.comment})|(?P<s>{syntax.string})"
        r"|(?P<n>\b\d[\w.]*+)|(?P<w>[^\W\d]\w*+(?P<call>(?=[ \t]?\())?)"
    )
    return re.compile(pattern, re.MULTILINE), syntax.keywords


def split(code: str) -> list[str]:
    """The program's lines, whatever ends them; empty lines at its end do not count."""
    return code.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n").split("\n")


def lines(code: str, language: str) -> list[SafeString]:
    """The program's lines as safe markup; an unknown language or a huge program comes without colours."""
    return (
        _shown("\n".join(split(code)), language)
        if len(code) <= KEPT
        else _make("\n".join(split(code)), language)
    )


def _make(code: str, language: str) -> list[SafeString]:
    lexer = _lexer(language) if len(code) <= LARGEST else None
    if lexer is None:
        return [_plain(line) for line in code.split("\n")]
    markup = "".join(_marked(code, *lexer))
    return [mark_safe(line) for line in markup.split("\n")]  # every piece was escaped in _marked


# One page shows the same program as an answer and on both sides of two diffs.
_shown = lru_cache(maxsize=512)(_make)


def listing(shown: Sequence[SafeString], anchor: str = "") -> SafeString:
    """List items of a program's lines, with ids such as `s3-L12` for permalinks where an anchor is given."""
    if not anchor:
        return mark_safe("".join(f"<li>{line}</li>" for line in shown))
    ids = escape(anchor)
    return mark_safe("".join(f'<li id="{ids}{n}">{line}</li>' for n, line in enumerate(shown, start=1)))


def _plain(line: str) -> SafeString:
    return mark_safe(escape(line))


def _marked(code: str, pattern: re.Pattern[str], keywords: frozenset[str]) -> list[str]:
    """Pieces of markup whose tags never reach over the end of a line."""
    pieces: list[str] = []
    at = 0
    for match in pattern.finditer(code):
        kind = match.lastgroup if match.lastgroup != "call" else "w"
        if kind == "w":
            kind = "k" if match["w"] in keywords else "f" if match["call"] is not None else None
            if kind is None:
                continue
        pieces.append(escape(code[at : match.start()]))
        pieces.append(
            "\n".join(
                f'<i class="{kind}">{escape(part)}</i>' if part else "" for part in match[0].split("\n")
            )
        )
        at = match.end()
    pieces.append(escape(code[at:]))
    return pieces
