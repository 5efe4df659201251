"""What must not be in the words that a supervisor passes on: hidden tests, and the solution itself.

A supervisor is shown no hidden test, so a hidden input or expectation in its words that is not in its prompt was known
to it from elsewhere, or guessed. Either way the student must not read it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from solver.agents import supervisor
from trajectories.problem_schema import AssertTest, CallTest, ProblemSpec, StdioTest

_WORD = re.compile(r"[^\s,;:()\[\]{}`'\"]+")


def faults(feedback: str, problem: ProblemSpec, shown: str) -> list[str]:
    """Why this feedback is not passed on; empty where it may be. `shown` is everything that the supervisor read."""
    found = []
    if supervisor.holds_code(feedback):
        found.append("the feedback writes the solution's code")
    said, known = _words(feedback), _words(shown)
    for text in hidden_texts(problem):
        words = _words(text)
        if words and _within(words, said) and not _within(words, known):
            found.append("the feedback holds a hidden test that was not shown")
            break
    return found


def hidden_texts(problem: ProblemSpec) -> Iterator[str]:
    """Inputs and expectations of the hidden tests."""
    for test in problem.tests:
        match test:
            case StdioTest():
                yield from (test.input, *test.outputs)
            case CallTest():
                yield from (text for text in (test.input or "", *test.outputs) if text)
                if test.expected is not None:
                    yield str(test.expected)
            case AssertTest():
                yield test.code


def _words(text: str) -> str:
    """Words between single blanks, blanks around: a text is within another where this string is."""
    return f" {' '.join(word.strip('.!?') for word in _WORD.findall(text))} "


def _within(words: str, text: str) -> bool:
    return words != "  " and words in text
