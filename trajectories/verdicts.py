"""Verdicts as the pages know them: a letter for strips, a word, and which colour family they belong to."""

from __future__ import annotations

LETTER = {
    "AC": "a",
    "WA": "w",
    "TLE": "t",
    "MLE": "m",
    "OLE": "o",
    "RE": "r",
    "CE": "c",
    "SV": "s",
    "IE": "i",
    "": "-",
}
VERDICT = {letter: verdict for verdict, letter in LETTER.items()}
WORD = {
    "AC": "accepted",
    "WA": "wrong answer",
    "TLE": "time limit",
    "MLE": "memory limit",
    "OLE": "output limit",
    "RE": "runtime error",
    "CE": "compile error",
    "SV": "forbidden call",
    "IE": "judge error",
    "": "not judged",
}
# Colour families of the design tokens; the word and glyph always stand beside the colour.
FAMILY = {
    "AC": "ac",
    "WA": "wa",
    "TLE": "tle",
    "MLE": "tle",
    "OLE": "tle",
    "RE": "re",
    "CE": "re",
    "SV": "re",
    "IE": "skip",
    "": "skip",
}


def strip(verdicts: list[str], limit: int = 400) -> str:
    """One letter a test, in order; cut at `limit` tests (the page says how many more there are)."""
    return "".join(LETTER.get(verdict, "-") for verdict in verdicts[:limit])
