"""Arguments and results of published function tests: as JSON where JSON can say them, else as Python text.

A dict with numbers as keys is the case that JSON cannot say: files hold the keys as text, the functions want numbers.
"""

from __future__ import annotations

from typing import Any

from trajectories.importers.fault import Malformed
from trajectories.problem_schema import CallTest, Sample

# What both published harnesses (APPS, LiveCodeBench) put before a solution, as far as the standard library goes:
# solutions were written for sites that import it all.
PREAMBLE = """\
import bisect, collections, copy, functools, heapq, itertools, math, random, re, string, sys
from bisect import *
from collections import *
from copy import *
from functools import *
from heapq import *
from itertools import *
from math import *
from operator import *
from random import *
from re import *
from string import *
from typing import *
from builtins import *
"""


def test(args: list[Any], expected: Any) -> CallTest:
    """The harness of APPS turns the keys of a dict into numbers when all of them are."""
    if any(_has_number_keys(value) for value in args):
        return CallTest(input=_lines([_with_numbers(value) for value in args]), expected=expected)
    return CallTest(args=tuple(args), expected=expected)


def sample(args: list[Any], expected: Any) -> Sample:
    """One argument a line, as Python literals; the result as `str` gives it, which is how samples are compared."""
    text = expected if isinstance(expected, str) else str(expected)
    return Sample(input=_lines(args), output=text)


def _lines(args: list[Any]) -> str:
    return "\n".join(repr(value) for value in args)


def _has_number_keys(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and all(_is_number(key) for key in value)


def _is_number(key: str) -> bool:
    return key.removeprefix("-").isdecimal() and key.isascii()


def _with_numbers(value: Any) -> Any:
    return {int(key): item for key, item in value.items()} if _has_number_keys(value) else value


def entry_point(name: str, field: str) -> str:
    if not name.isidentifier():
        raise Malformed(field, f"is {name[:40]!r}, which is no name", "give the function's name")
    return name
