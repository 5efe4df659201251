"""Hand-written answers of every agent for one problem, and the wire formats in which agents answer.

A walkthrough is data: what each call of a MapCoder run is answered with. It is authored, not generated, and
everything that shows it says so. Attempt i grows from exemplar i, as in the strategy; repairs follow failing
sample tests in order, and when they run out the last answer is given again, as a model at temperature 0 does.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from starter.prose import unwrapped, verbatim


class Ending(StrEnum):
    """How the run over this walkthrough ends with k=3 and enough repair rounds."""

    FIRST_TRY = "first_try"  # best-ranked plan, first program
    REPAIRED = "repaired"  # best-ranked plan, after debugging
    LATER_PLAN = "later_plan"  # best-ranked plan fails for good, a later one passes
    WRONG_ON_HIDDEN = "wrong_on_hidden"  # passes the samples and is not right
    NO_PLAN_PASSES = "no_plan_passes"  # every plan fails the samples for good

    @property
    def solved(self) -> bool:
        return self in (Ending.FIRST_TRY, Ending.REPAIRED, Ending.LATER_PLAN)


@dataclass(frozen=True, slots=True)
class Exemplar:
    """A recalled problem, as the retrieval agent tells it."""

    description: str
    code: str
    planning: str

    def wire(self) -> str:
        return (
            "<problem>\n"
            f"<description>\n{unwrapped(self.description)}\n</description>\n"
            f"<code>\n{verbatim(self.code)}\n</code>\n"
            f"<planning>\n{unwrapped(self.planning)}\n</planning>\n"
            "</problem>"
        )


@dataclass(frozen=True, slots=True)
class Repair:
    """One answer of the debugging agent."""

    planning: str
    code: str

    def wire(self) -> str:
        return f"## Modified Planning\n{unwrapped(self.planning)}\n\n## Modified Code\n{fenced(self.code)}"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One plan and all that follows from it.

    `confidence` is text where the answer breaks the format ("85%"); so does a code fence that is not closed.
    """

    plan: str
    confidence: int | str
    explanation: str
    code: str
    repairs: tuple[Repair, ...] = ()
    fence_closed: bool = True

    def wire_plan(self) -> str:
        return unwrapped(self.plan)

    def wire_confidence(self) -> str:
        return (
            "<root>\n"
            f"<explanation>\n{unwrapped(self.explanation)}\n</explanation>\n"
            f"<confidence>{self.confidence}</confidence>\n"
            "</root>"
        )

    def wire_code(self) -> str:
        return fenced(self.code, closed=self.fence_closed)

    def programs(self) -> tuple[str, ...]:
        """The first program and every repair, in the order in which they are tested."""
        return (verbatim(self.code), *(verbatim(repair.code) for repair in self.repairs))


@dataclass(frozen=True, slots=True)
class Walkthrough:
    """All answers for one problem.

    `before_root` and `after_root` are prose that breaks the retrieval format; `unusable_retrieval` is a first
    answer that no parser can rescue, so that the call has to be made again.
    """

    ending: Ending
    exemplars: tuple[Exemplar, Exemplar, Exemplar]
    algorithm: str
    attempts: tuple[Attempt, Attempt, Attempt]
    before_root: str = ""
    after_root: str = ""
    unusable_retrieval: str = ""

    def wire_retrieval(self, k: int) -> str:
        """The answer with the first `k` exemplars (1 to 3)."""
        problems = "\n".join(exemplar.wire() for exemplar in self.exemplars[:k])
        root = f"<root>\n{problems}\n<algorithm>\n{unwrapped(self.algorithm)}\n</algorithm>\n</root>"
        return "\n\n".join(
            part for part in (unwrapped(self.before_root), root, unwrapped(self.after_root)) if part
        )


def fenced(code: str, *, closed: bool = True) -> str:
    return f"```python\n{verbatim(code)}\n" + ("```" if closed else "")
