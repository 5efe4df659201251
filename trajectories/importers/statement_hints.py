"""What a statement says about how answers are compared. Sets without checkers say it nowhere else.

A tolerance becomes a checker: it never loosens how whole numbers are compared, so a false hit does little harm. That
several answers are right can only be noted: such a problem has one recorded answer and no program that checks others.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from trajectories.problem_schema import CheckerType, Sample

_POWER = r"10\s*\^?\s*\{?\s*[-−–‐]\s*\{?\s*(?P<power>\d{1,2})"
_DECIMAL = r"1e-(?P<exponent>\d{1,2})|0\.(?P<zeros>0{1,11})1\b"
_ERROR = r"(?:relative|absolute|error|precision|accurate|accuracy|differ)"
# Between the word and the number there is no end of a sentence.
_TOLERANCE = re.compile(rf"{_ERROR}[^.;]{{0,160}}?(?:{_POWER}|{_DECIMAL})", re.IGNORECASE | re.DOTALL)
_SEVERAL = re.compile(
    r"(?:any (?:one )?of (?:them|these|those)|any (?:valid|correct|suitable|such|possible|optimal)"
    r"|(?:multiple|several|many|more than one) (?:\w+ ){0,2}(?:answers?|solutions?|ways|possible|optimal|correct))",
    re.IGNORECASE,
)
_INTERACTIVE = re.compile(
    r"this is an interactive problem|interactive task|flush the (?:output|stdout)", re.IGNORECASE
)
_LOOSEST = 0.1
_LONGEST = 100_000


def tolerance(*texts: str) -> float | None:
    """The error that is allowed, such as 1e-6; None where the text names none."""
    for text in texts:
        for match in _TOLERANCE.finditer(text[:_LONGEST]):
            power = match["power"] or match["exponent"] or str(len(match["zeros"] or "") + 1)
            if 0 < (slack := 10.0 ** -int(power)) <= _LOOSEST:
                return slack
    return None


def checker(*texts: str) -> dict[str, Any]:
    slack = tolerance(*texts)
    if slack is None:
        return {"type": CheckerType.DEFAULT.value}
    return {"type": CheckerType.FLOAT.value, "abs": slack, "rel": slack}


def quirks(samples: Sequence[Sample], *texts: str) -> tuple[str, ...]:
    text = "\n".join(texts)[:_LONGEST]
    found = {
        "float_tolerance": tolerance(*texts) is not None,
        "multiple_answers": bool(_SEVERAL.search(text)),
        "interactive": bool(_INTERACTIVE.search(text)),
        "no_samples": not samples,
    }
    return tuple(name for name, holds in found.items() if holds)
