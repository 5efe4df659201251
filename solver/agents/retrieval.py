"""Retrieval: recall k similar problems with their plans, and name and teach the algorithm."""

from __future__ import annotations

from dataclasses import dataclass

from solver.agents import xml_strict, xml_tolerant
from solver.agents.answer_forms import XmlDocument
from solver.agents.answer_shapes import EXEMPLARS, EXEMPLARS_WITHOUT_CODE, format_block
from solver.agents.answer_text import excerpt, refused_as_too_long, too_long
from solver.agents.brief import Brief
from solver.agents.formats import FormatFailure, Parsed
from solver.agents.prompts import Prompt


@dataclass(frozen=True, slots=True)
class Exemplar:
    """A recalled problem. Its code is written for the model's own sake: nothing downstream reads it."""

    description: str
    planning: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Retrieval:
    exemplars: tuple[Exemplar, ...]
    algorithm: str


def prompt(brief: Brief) -> Prompt:
    return brief.prompt("retrieval", form(brief), format=format_block(EXEMPLARS))


def form(brief: Brief) -> XmlDocument:
    if brief.shows_format("retrieval"):
        return XmlDocument(EXEMPLARS, brief.k)
    return XmlDocument(EXEMPLARS_WITHOUT_CODE, brief.k, inline=True)


def parse_strict(text: str) -> Parsed[Retrieval]:
    """What the published code accepts, and what its crashes mean (MapCoder section 1.3)."""
    if too_long(text):
        return refused_as_too_long(text)
    if not text.strip():
        return Parsed(None, FormatFailure.EMPTY, "the answer is empty")
    try:
        tree = xml_strict.read(text, EXEMPLARS)
    except xml_strict.NotXml as error:
        return Parsed(None, error.code, str(error), error.where)
    if "algorithm" not in tree:
        return _without_algorithm(text, tree)
    return _exemplars(text, tree)


def _without_algorithm(text: str, tree: dict[str, xml_strict.Node]) -> Parsed[Retrieval]:
    if "problem" in tree:
        return Parsed(
            None, FormatFailure.MISSING_ALGORITHM, "there is no <algorithm> element", excerpt(text, len(text))
        )
    if "root" in tree:
        return Parsed(
            None, FormatFailure.NO_ROOT, "text stands before or after the <root> element", excerpt(text, 0)
        )
    return Parsed(None, FormatFailure.NO_ROOT, "no element of the answer format was found", excerpt(text, 0))


def _exemplars(text: str, tree: dict[str, xml_strict.Node]) -> Parsed[Retrieval]:
    problems = tree.get("problem")
    if not isinstance(problems, list):
        found = "no <problem> element" if problems is None else "only one <problem> element"
        return Parsed(
            None, FormatFailure.TOO_FEW_PROBLEMS, f"there is {found}", excerpt(text, text.find("<problem>"))
        )
    exemplars = []
    for number, problem in enumerate(problems, start=1):
        if not isinstance(problem, dict) or "description" not in problem or "planning" not in problem:
            message = f"problem {number} lacks its <description> or <planning>"
            return Parsed(None, FormatFailure.MISSING_FIELD, message, excerpt(text, text.find("<problem>")))
        exemplars.append(
            Exemplar(
                _string(problem["description"]), _string(problem["planning"]), _string(problem.get("code"))
            )
        )
    return Parsed(Retrieval(tuple(exemplars), _string(tree["algorithm"])))


def _string(node: xml_strict.Node) -> str:
    """Text as it goes into a prompt; elements inside it appear in Python notation, as published."""
    if node is None:
        return ""
    return node.strip() if isinstance(node, str) else str(node)


def parse_tolerant(text: str, k: int | None = None) -> Parsed[Retrieval]:
    """The strict reading, or else whatever complete exemplars can be found; at most `k` of them.

    The failure of the strict reading stays beside a rescued value, except that a single exemplar is no
    failure when one was asked for: the published code cannot read k = 1.
    """
    strict = parse_strict(text)
    if strict.failure in (FormatFailure.TOO_LONG, FormatFailure.EMPTY):
        return strict
    if strict.value is not None:
        return _limited(strict.value, strict, k)
    found = xml_tolerant.pieces(text, EXEMPLARS)
    exemplars = tuple(
        Exemplar(fields["description"], fields["planning"], fields.get("code", ""))
        for fields in xml_tolerant.by_group(found)
        if fields.get("description") and fields.get("planning")
    )
    if not exemplars:
        return strict
    rescued = Retrieval(exemplars, xml_tolerant.last(found, "algorithm"))
    if strict.failure is FormatFailure.TOO_FEW_PROBLEMS and k == len(exemplars) == 1:
        return Parsed(rescued)
    return _limited(rescued, strict, k)


def _limited(value: Retrieval, strict: Parsed[Retrieval], k: int | None) -> Parsed[Retrieval]:
    found = len(value.exemplars)
    if k is None or found == k:
        return Parsed(value, strict.failure, strict.message, strict.where)
    if found > k:
        return Parsed(
            Retrieval(value.exemplars[:k], value.algorithm), strict.failure, strict.message, strict.where
        )
    if strict.failure is None:
        return Parsed(
            value, FormatFailure.TOO_FEW_PROBLEMS, f"{found} problems were recalled, {k} were asked for"
        )
    return Parsed(
        value, strict.failure, f"{strict.message}; {found} of {k} problems could be read", strict.where
    )
