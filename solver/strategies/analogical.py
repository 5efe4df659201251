"""Analogical prompting: name the technique, teach it, recall k problems with solutions, solve; all in one call."""

from __future__ import annotations

import re
from functools import partial

from solver.agents.answer_forms import HeadedProgram
from solver.agents.answer_text import refused_as_too_long, too_long
from solver.agents.fences import tolerant_code
from solver.agents.formats import FormatFailure, Parsed
from solver.agents.languages import PromptLanguage
from solver.engines.protocol import Role
from solver.strategies.candidates import Candidates
from solver.strategies.protocol import Outcome, Params, Workbench
from solver.strategies.team import Team
from trajectories.problem_schema import ProblemSpec

HEADINGS = ("# Technique", "# Tutorial", "# Remembered problems", "# Approach", "# Final program")
_HEADINGS_TRIED = 3  # the last one may be a comment inside the program
_HEADING = re.compile(r"^#{1,6}[ \t]{0,3}Final program\b", re.IGNORECASE | re.MULTILINE)


def analogical(problem: ProblemSpec, bench: Workbench, params: Params) -> Outcome:
    team = Team.of(problem, bench, params)
    written = Candidates(bench)

    def solve() -> Outcome:
        parse = partial(final_program, language=team.brief.language)
        form = HeadedProgram(team.brief.language.key, HEADINGS)
        prompt = team.brief.prompt("analogical", form)
        code = team.ask(Role.CODING, prompt, parse, attempt=1).parsed.value
        if code is None:
            return written.nothing("the answer holds no final program")
        return Outcome(code, "the only program written", attempt=1)

    return written.guard(solve)


def call_bound(params: Params) -> int:
    return 1


def final_program(text: str, language: PromptLanguage) -> Parsed[str]:
    """The program under the last "Final program" heading.

    Without the heading there is no telling whether a block solves the problem or a recalled one: no program.
    """
    if too_long(text):
        return refused_as_too_long(text)
    if not text.strip():
        return Parsed(None, FormatFailure.EMPTY, "the answer is empty")
    headings = list(_HEADING.finditer(text))[-_HEADINGS_TRIED:]
    if not headings:
        message = 'there is no "Final program" heading, so the blocks may all belong to recalled problems'
        return Parsed(None, FormatFailure.MISSING_FIELD, message, text[-80:])
    found = [tolerant_code(text[heading.end() :], language) for heading in reversed(headings)]
    return next((parsed for parsed in found if parsed.usable and parsed.failure is None), found[0])
