"""How an output is compared with an expected one. Pure functions over bytes; `Comparison` is true when they
agree.

Tokens are split at ASCII white space, so CRLF, trailing blanks and blank lines never matter to a token
comparison and a no-break space always does.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, Decimal, InvalidOperation, Overflow, localcontext

from .report import FirstDiff

_TOKEN_CLIP = 200


@dataclass(frozen=True, slots=True)
class Comparison:
    equal: bool
    first_diff: FirstDiff | None = None
    note: str = ""

    def __bool__(self) -> bool:
        return self.equal


SAME = Comparison(True)
TokenTest = Callable[[bytes, bytes], bool]


def normalise(text: bytes) -> bytes:
    """CRLF and lone CR become LF, as a terminal or a text-mode file would show them."""
    if b"\r" not in text:
        return text
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def equal_exact(got: bytes, want: bytes) -> Comparison:
    """Byte for byte, save for line ends and one final newline on either side."""
    a, b = normalise(got).removesuffix(b"\n"), normalise(want).removesuffix(b"\n")
    if a == b:
        return SAME
    if a.split() == b.split():
        return Comparison(False, None, "only white space differs")
    return Comparison(False, _first_diff(a.split(), b.split(), _same))


def equal_tokens(got: bytes, want: bytes) -> Comparison:
    """The default: the same white-space separated tokens, character for character; no numeric slack."""
    if got == want:
        return SAME
    return _by_tokens(got.split(), want.split(), _same)


def equal_tokens_folded(got: bytes, want: bytes) -> Comparison:
    return _by_tokens(got.lower().split(), want.lower().split(), _same)


def equal_unordered_lines(got: bytes, want: bytes) -> Comparison:
    """The same lines in any order; a line is its tokens, blank lines are dropped."""
    a = [tuple(line.split()) for line in normalise(got).split(b"\n") if line.strip()]
    b = [tuple(line.split()) for line in normalise(want).split(b"\n") if line.strip()]
    if Counter(a) == Counter(b):
        return SAME
    surplus = next(iter((Counter(a) - Counter(b)).elements()), None)
    missing = next(iter((Counter(b) - Counter(a)).elements()), None)
    index = a.index(surplus) if surplus is not None else len(a)
    return Comparison(
        False,
        FirstDiff(
            index,
            _show(b" ".join(surplus) if surplus else None),
            _show(b" ".join(missing) if missing else None),
        ),
        "lines differ as a set",
    )


_INTEGER = re.compile(rb"[+-]?[0-9]+")
_REAL = re.compile(rb"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,6})?")
_INFINITY = re.compile(rb"[+-]?inf(?:inity)?", re.IGNORECASE)


def equal_float(got: bytes, want: bytes, *, absolute: float, relative: float) -> Comparison:
    """Tokens, with slack where the *expected* token is a real number.

    An expected integer must be printed exactly (12345678901 is not 12345678902 within 1e-9). NaN is never
    right, an infinity only equals itself, and the relative slack is taken from the expected value alone:
    scaled by the output, infinity would equal anything.
    """

    def same(a: bytes, b: bytes) -> bool:
        if a == b:
            return not b.lower().lstrip(b"+-").startswith(b"nan")
        if _INTEGER.fullmatch(b):
            return False
        if _INFINITY.fullmatch(b):
            return bool(_INFINITY.fullmatch(a)) and float(a) == float(b)
        if not (_REAL.fullmatch(b) and _REAL.fullmatch(a)):
            return False
        x, y = float(a), float(b)
        if not math.isfinite(x):
            return False
        return abs(x - y) <= max(absolute, relative * abs(y))

    return _by_tokens(got.split(), want.split(), same)


# --- ExecEval, the harness of the MapCoder line of papers: reproduced so that its published verdicts can be
# checked.

_YES_NO = frozenset((b"yes", b"no", b"true", b"false"))
_EXECEVAL_SLACK = Decimal("1e-12")


def equal_execeval(got: bytes, want: bytes) -> Comparison:
    """Line equality after strip; else tokens with |a-b| <= 1e-12 on anything that reads as a number, where
    NaN equals every number, and yes/no/true/false in any letter case."""
    a, b = normalise(got).strip(), normalise(want).strip()
    rows_a, rows_b = a.split(b"\n"), b.split(b"\n")
    if len(rows_a) == len(rows_b) and all(
        x.strip() == y.strip() for x, y in zip(rows_a, rows_b, strict=True)
    ):
        return SAME
    return _by_tokens(a.split(), b.split(), _same_execeval)


def _same_execeval(a: bytes, b: bytes) -> bool:
    if a == b:
        return True
    x, y = _execeval_number(a), _execeval_number(b)
    if x is None or y is None:
        return a.lower() == b.lower() and a.lower() in _YES_NO
    if x.is_nan() or y.is_nan():
        return True
    if x.is_infinite() or y.is_infinite():
        return x == y
    with localcontext() as context:
        # 129 bits of mantissa hold 38.8 decimal digits: larger integers are compared fuzzily there, and so
        # here. Exponents are unbounded there: 1e9999999 is a wrong answer and no error of the judge's.
        context.prec, context.Emax, context.Emin = 39, MAX_EMAX, MIN_EMIN
        context.traps[Overflow] = False
        return abs(+x - +y) <= _EXECEVAL_SLACK


_PREFIXED = re.compile(rb"([+-]?)0([xXbBoO])([0-9a-fA-F]+)")
_BASES = {b"x": 16, b"b": 2, b"o": 8}


def _execeval_number(token: bytes) -> Decimal | None:
    if len(token) > 4096:
        return None
    if match := _PREFIXED.fullmatch(token):
        try:
            return Decimal(int(match[1] + match[3], _BASES[match[2].lower()]))
        except ValueError:
            return None
    try:
        return Decimal(token.decode("ascii"))  # takes inf, nan, exponents and 1_000, as the original does
    except (InvalidOperation, UnicodeDecodeError):
        return None


# --- LiveCodeBench


def equal_livecodebench(got: bytes, want: bytes) -> Comparison:
    """Stripped lines, each equal as text or as a row of decimals."""
    rows_a = [row.strip() for row in normalise(got).strip().split(b"\n")]
    rows_b = [row.strip() for row in normalise(want).strip().split(b"\n")]
    if len(rows_a) != len(rows_b):
        return Comparison(
            False, FirstDiff(min(len(rows_a), len(rows_b)), None, None), "number of lines differs"
        )
    for index, (a, b) in enumerate(zip(rows_a, rows_b, strict=True)):
        if a == b:
            continue
        x, y = _decimals(a), _decimals(b)
        if x is None or y is None or x != y:
            return Comparison(False, FirstDiff(index, _show(a), _show(b)), "index counts lines")
    return SAME


def _decimals(row: bytes) -> list[Decimal] | None:
    """None also for a row with a signalling NaN, which cannot even be compared."""
    try:
        found = [Decimal(token.decode("ascii")) for token in row.split()]
    except (InvalidOperation, UnicodeDecodeError):
        return None
    return None if any(number.is_snan() for number in found) else found


# --- The Kattis default output validator


@dataclass(frozen=True, slots=True)
class KattisFlags:
    """The flags of the problem-package format's default validator; without any, letter case does not matter."""

    case_sensitive: bool = False
    space_change_sensitive: bool = False
    absolute: float | None = None
    relative: float | None = None

    @classmethod
    def parse(cls, flags: Sequence[str]) -> KattisFlags:
        case = space = False
        absolute: float | None = None
        relative: float | None = None
        rest = list(flags)
        while rest:
            flag = rest.pop(0)
            if flag == "case_sensitive":
                case = True
            elif flag == "space_change_sensitive":
                space = True
            elif flag in ("float_tolerance", "float_absolute_tolerance", "float_relative_tolerance"):
                value = _tolerance(rest.pop(0) if rest else "", flag)
                absolute = value if flag != "float_relative_tolerance" else absolute
                relative = value if flag != "float_absolute_tolerance" else relative
            else:
                raise ValueError(f"unknown validator flag {flag!r}")
        return cls(case, space, absolute, relative)


def _tolerance(text: str, flag: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"validator flag {flag!r} needs a number >= 0 after it, got {text!r}")
    return value


def equal_kattis(got: bytes, want: bytes, flags: KattisFlags) -> Comparison:
    if flags.space_change_sensitive and _SPACE.findall(got) != _SPACE.findall(want):
        return Comparison(False, None, "white space differs")

    def same(a: bytes, b: bytes) -> bool:
        if flags.absolute is not None or flags.relative is not None:
            y = _kattis_float(b)
            if y is not None:
                x = _kattis_float(a)
                return x is not None and _within(x, y, flags)
        return a == b if flags.case_sensitive else a.lower() == b.lower()

    return _by_tokens(got.split(), want.split(), same)


_SPACE = re.compile(rb"[ \t\n\r\x0b\x0c]+|^(?=[^ \t\n\r\x0b\x0c])")


def _kattis_float(token: bytes) -> float | None:
    if _REAL.fullmatch(token) or _INFINITY.fullmatch(token):
        return float(token)
    return None


def _within(x: float, y: float, flags: KattisFlags) -> bool:
    if math.isinf(x) or math.isinf(y):
        return x == y
    difference = abs(x - y)
    if flags.absolute is not None and difference <= flags.absolute:
        return True
    return flags.relative is not None and difference <= flags.relative * abs(y)


# --- Values, for call tests


def equal_value(got: object, want: object, *, absolute: float = 0.0, relative: float = 0.0) -> bool:
    """JSON values as Python compares them (1 == 1.0), save that NaN is never right and true is not 1.

    Slack, where given, applies to expected floats only.
    """
    if isinstance(want, bool) or isinstance(got, bool):
        return got is want
    if isinstance(want, float) and isinstance(got, int | float):
        if got == want:
            return True
        try:
            got = float(got)
        except OverflowError:  # an integer beyond every float
            return False
        if not (math.isfinite(want) and math.isfinite(got)):
            return False
        return abs(got - want) <= max(absolute, relative * abs(want))
    if isinstance(want, list) and isinstance(got, list):
        return len(got) == len(want) and all(
            equal_value(a, b, absolute=absolute, relative=relative) for a, b in zip(got, want, strict=True)
        )
    if isinstance(want, dict) and isinstance(got, dict):
        return got.keys() == want.keys() and all(
            equal_value(got[key], want[key], absolute=absolute, relative=relative) for key in want
        )
    return got == want


# --- shared


def _same(a: bytes, b: bytes) -> bool:
    return a == b


def _by_tokens(got: list[bytes], want: list[bytes], same: TokenTest) -> Comparison:
    if got == want and same is _same:
        return SAME
    diff = _first_diff(got, want, same)
    return SAME if diff is None else Comparison(False, diff)


def _first_diff(got: list[bytes], want: list[bytes], same: TokenTest) -> FirstDiff | None:
    for index, (a, b) in enumerate(zip(got, want, strict=False)):
        if not same(a, b):
            return FirstDiff(index, _show(a), _show(b))
    if len(got) == len(want):
        return None
    index = min(len(got), len(want))
    return FirstDiff(
        index,
        _show(got[index] if index < len(got) else None),
        _show(want[index] if index < len(want) else None),
    )


def _show(token: bytes | None) -> str | None:
    return None if token is None else token[:_TOKEN_CLIP].decode("utf-8", "replace")
