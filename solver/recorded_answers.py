"""Reading answers that were recorded elsewhere, by what their prompt asked for.

The lab's parsers read programs in fences, exemplars and confidences as MapCoder asks for them. Some systems ask their
agents for another form; what they asked for is told by their prompt, and only that is held against the model.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from solver.agents import fences, planning, retrieval, xml_strict, xml_tolerant
from solver.agents.answer_shapes import Group, Leaf
from solver.agents.answer_text import excerpt, refused_as_too_long, too_long
from solver.agents.formats import FormatFailure, Parsed
from solver.agents.languages import LANGUAGES, PromptLanguage

# The reproduction whose four-agent conversations are public asks for these; its agents are MapCoder's.
KNOWLEDGE = Group(
    "response", (Leaf("knowledge_base", "what bears on the problem"), Leaf("exemplars", "worked examples"))
)
PLAN_WITH_TESTS = Group("response", (Leaf("plan", "the plan"), Leaf("test_cases", "tests made from it")))
_WORD = re.compile(r"\b(IN)?CORRECT\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reading:
    """`used` is what the lab goes by; `strict` is what the published code would have made of the same answer.

    `asked` names the form; "" means that nothing is known of what was asked, so no failure is counted.
    """

    asked: str
    used: Parsed[Any]
    strict: Parsed[Any]

    def detail(self) -> dict[str, Any]:
        """For the step's event: the two readings side by side."""
        return {
            "asked": self.asked,
            "strict": {
                "usable": self.strict.usable,
                "failure": self.strict.failure.value if self.strict.failure else "",
                "message": self.strict.message,
            },
        }


def read(role: str, answer: str, asked: Sequence[str], language: str) -> Reading:
    """`asked` are the prompt's texts, empty where they were not recorded."""
    prompt = "\n".join(asked)
    match role:
        case "coding" | "debugging":
            return _program(answer, LANGUAGES.get(language, LANGUAGES["python"]))
        case "retrieval" if "<knowledge_base>" in prompt:
            return _shaped("knowledge base", answer, KNOWLEDGE, _knowledge)
        case "retrieval" if "<algorithm>" in prompt or not prompt:
            return Reading("exemplars", retrieval.parse_tolerant(answer), retrieval.parse_strict(answer))
        case "planning" if "<test_cases>" in prompt:
            return _shaped(
                "plan with tests", answer, PLAN_WITH_TESTS, lambda leaves: leaves.get("plan") or None
            )
        case "planning":
            return Reading("plan", planning.parse_plan_tolerant(answer), planning.parse_plan_strict(answer))
        case "confidence" if "INCORRECT" in prompt:
            word = _judgement(answer)
            return Reading("CORRECT or INCORRECT", word, word)
        case "confidence" if "<confidence>" in prompt or not prompt:
            tolerant = planning.parse_confidence_tolerant(answer)
            return Reading("confidence", tolerant, planning.parse_confidence_strict(answer))
        case _:
            return _unknown(answer)


def _program(answer: str, language: PromptLanguage) -> Reading:
    return Reading("program", fences.tolerant_code(answer, language), fences.published_code(answer))


def prose(answer: str) -> Reading:
    """An answer that is its own value, such as a reflection."""
    return Reading("prose", planning.parse_plan_tolerant(answer), planning.parse_plan_strict(answer))


def _unknown(answer: str) -> Reading:
    if not answer.strip():
        empty: Parsed[Any] = Parsed(None, FormatFailure.EMPTY, "the answer is empty")
        return Reading("", empty, empty)
    return Reading("", Parsed(answer), Parsed(answer))


def _shaped(asked: str, answer: str, shape: Group, value: Callable[[dict[str, str]], Any]) -> Reading:
    """An answer in one XML element with leaves: well-formed, or else what can be found."""
    strict = _strictly(answer, shape, value)
    if strict.usable or strict.failure in (FormatFailure.EMPTY, FormatFailure.TOO_LONG):
        return Reading(asked, strict, strict)
    found = xml_tolerant.pieces(answer, shape)
    leaves = {leaf.tag: xml_tolerant.last(found, leaf.tag) for leaf in shape.leaves()}
    rescued = value({tag: text for tag, text in leaves.items() if text})
    return Reading(asked, dataclasses.replace(strict, value=rescued), strict)


def _strictly(answer: str, shape: Group, value: Callable[[dict[str, str]], Any]) -> Parsed[Any]:
    if too_long(answer):
        return refused_as_too_long(answer)
    if not answer.strip():
        return Parsed(None, FormatFailure.EMPTY, "the answer is empty")
    try:
        tree = xml_strict.read(answer, shape)
    except xml_strict.NotXml as error:
        return Parsed(None, error.code, str(error), error.where)
    missing = [leaf.tag for leaf in shape.leaves() if leaf.tag not in tree]
    if len(missing) == len(list(shape.leaves())):
        return Parsed(
            None, FormatFailure.NO_ROOT, f"there is no <{shape.tag}> element alone", excerpt(answer, 0)
        )
    if missing:
        message = f"there is no <{'>, <'.join(missing)}> element"
        return Parsed(None, FormatFailure.MISSING_FIELD, message, excerpt(answer, len(answer)))
    return Parsed(value({leaf.tag: str(tree[leaf.tag] or "").strip() for leaf in shape.leaves()}))


def _knowledge(leaves: dict[str, str]) -> dict[str, str] | None:
    return leaves or None


def _judgement(answer: str) -> Parsed[dict[str, bool]]:
    """The first of the two words decides, in any case and decoration."""
    if too_long(answer):
        return refused_as_too_long(answer)
    if not answer.strip():
        return Parsed(None, FormatFailure.EMPTY, "the answer is empty")
    found = _WORD.search(answer)
    if found is None:
        message = "neither CORRECT nor INCORRECT is in the answer"
        return Parsed(None, FormatFailure.MISSING_FIELD, message, excerpt(answer, 0))
    return Parsed({"correct": found[1] is None})
