"""The right answer of every role for a chain, in the formats that the agents' parsers read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from micro.chain import Chain, Step, held_out
from micro.operation import Shape

RIGHT_CONFIDENCE = 96
CONFIDENCE_LOST_PER_STEP = 4
WRONG_CONFIDENCE = 12
_PLAIN_ENDINGS = {Shape.LIST: ("all", "sum", "count", "maximum"), Shape.TEXT: ("text", "length", "letters")}


@dataclass(frozen=True)
class Exemplar:
    """A smaller problem that shares the hardest step."""

    description: str
    planning: str


def numbered(lines: Sequence[str]) -> str:
    return "\n".join(f"{number}. {line}" for number, line in enumerate(lines, 1))


def exemplar(chain: Chain) -> Exemplar:
    small = exemplar_chain(chain)
    return Exemplar(f"{'; '.join(small.plan[1:])}", numbered(small.plan))


def exemplar_chain(chain: Chain) -> Chain:
    """The hardest step (the last of equals) with the problem's own ending or the plainest one.

    The pair of the two must not be one that is held out, or training data would leak it.
    """
    key = max(range(len(chain.steps)), key=lambda i: (chain.steps[i].operation.level, i))
    step = chain.steps[key]
    source_name = chain.source_name if step.operation.takes is chain.source.shape else "list"
    if not step.operation.is_transform:
        return Chain(source_name, (step,))
    shape = step.operation.gives
    last = chain.steps[-1]
    endings = [Step(name) for name in _PLAIN_ENDINGS[shape]]
    if last.operation.takes is shape and chain.transforms > 1:
        endings.insert(0, last)
    ending = next(e for e in endings if not held_out(step.name, e.name))
    return Chain(source_name, (step, ending))


def retrieval(chain: Chain) -> str:
    similar = exemplar(chain)
    return (
        f"<root>\n<problem>\n<description>{similar.description}</description>\n"
        f"<planning>\n{similar.planning}\n</planning>\n</problem>\n"
        f"<algorithm>{', '.join(chain.tags)}</algorithm>\n</root>"
    )


def planning(chain: Chain) -> str:
    return numbered(chain.plan)


def confidence(chain: Chain, plan: str) -> str:
    """High for the right plan and less for longer ones; low for any other, with the first step that is off."""
    explanation, value = plan_verdict(chain, plan)
    return f"<root>\n<explanation>{explanation}</explanation>\n<confidence>{value}</confidence>\n</root>"


def plan_verdict(chain: Chain, plan: str) -> tuple[str, int]:
    given = [line for line in plan.strip().split("\n") if line.strip()]
    wanted = planning(chain).split("\n")
    for number, line in enumerate(wanted, 1):
        if len(given) < number or given[number - 1].strip() != line:
            return f"Step {number} should be: {chain.plan[number - 1]}", WRONG_CONFIDENCE
    if len(given) > len(wanted):
        return "There are too many steps", WRONG_CONFIDENCE
    return "Every step is right", RIGHT_CONFIDENCE - CONFIDENCE_LOST_PER_STEP * chain.transforms


def coding(chain: Chain) -> str:
    return f"```python\n{chain.code}\n```"


def debugging(chain: Chain) -> str:
    return f"## Modified Planning\n{planning(chain)}\n\n{coding(chain)}"
