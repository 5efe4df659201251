"""The supervisor of the micro world: a program that knows what the problem means and compares every answer with it.

It answers the lab's own supervisor prompt, in the format asked for. No model judges here, so its accuracy is set, not
measured: `errors` is the share of calls that name a wrong agent, drawn anew for every seed, so that votes differ as a
model's would. Whoever shows its figures says that they are simulated.
"""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass
from functools import lru_cache

from micro import oracle
from micro.chain import Chain
from micro.statement import parse
from solver.agents import prompts
from trajectories.agents import AGENTS

_STEP = re.compile(r"^\[step (\d+)\] ([a-z]+): (.*)$", re.MULTILINE)
_NUMBER = re.compile(r"^\d+\| ?", re.MULTILINE)
_FIELDS = ("problem", "samples", "trajectory")
_ADVICE = {
    "retrieval": "Name the algorithms that the statement asks for, in its order, and recall a problem that needs the same.",
    "planning": "Your plan does not say what the statement asks for. Read it again clause by clause; keep the order of its "
    "steps, its constants and what is to be printed at the end.",
    "coding": "Your program does not do what the plan says. Follow the plan line by line, with its constants and its order.",
    "debugging": "Your repair left the plan, which was right. Keep the plan and mend only where the program departs from it.",
}


@dataclass(frozen=True)
class Told:
    """One agent's answer as the prompt shows it."""

    step: int
    role: str
    text: str


@dataclass(frozen=True)
class About:
    problem: str
    answers: tuple[Told, ...]

    def last(self, role: str) -> Told | None:
        return next((told for told in reversed(self.answers) if told.role == role), None)

    def first(self, role: str) -> Told | None:
        return next((told for told in self.answers if told.role == role), None)


@lru_cache(maxsize=1)
def _pattern() -> re.Pattern[str]:
    marks = {name: f"\x00{name}\x00" for name in _FIELDS}
    parts = re.split("\x00([a-z]+)\x00", prompts.render("lab", "supervisor", **marks).text)
    return re.compile(
        "".join(f"(?P<{part}>.*?)" if at % 2 else re.escape(part) for at, part in enumerate(parts)), re.DOTALL
    )


def read(prompt: str) -> About | None:
    """None where the prompt is not a supervisor's."""
    match = _pattern().fullmatch(prompt)
    if match is None:
        return None
    pieces = _STEP.split(match["trajectory"])[1:]
    answers = [
        Told(int(number), role, _NUMBER.sub("", text.strip("\n")))
        for number, role, _, text in zip(*(pieces[at::4] for at in range(4)), strict=True)
    ]
    return About(match["problem"].strip(), tuple(told for told in answers if told.role in AGENTS))


def reply(about: About, errors: float, rng: random.Random) -> str:
    chain = parse(about.problem)
    if chain is None:
        raise ValueError("the problem's statement is outside the micro family")
    right = responsible(about, chain)
    present = [agent for agent in AGENTS if about.first(agent)]
    named = right
    if rng.random() < errors and len(present) > 1:
        named = rng.choice([agent for agent in present if agent != right])
    others = [agent for agent in present if agent != named]
    rng.shuffle(others)
    told = about.last(named)
    answer = {
        "responsible_agent": named,
        "step": told.step if told else None,
        "others": others,
        "confidence": rng.randint(55, 95),
        "diagnosis": f"The {named} agent's answer is not what the statement means.",
        "feedback": _ADVICE[named],
        "evidence": [_citation(told)] if told else [],
    }
    return json.dumps(answer)


def responsible(about: About, chain: Chain) -> str:
    """The first agent whose answer is not what the problem means; a debugger that left a right plan before its coder."""
    plan = about.last("planning")
    if plan is None or _lines(plan.text) != _lines(oracle.planning(chain)):
        recalled = about.first("retrieval")
        return "planning" if recalled is None or _knows(recalled.text, chain) else "retrieval"
    repair = about.last("debugging")
    if repair is not None and "## Modified Planning" in repair.text:
        said = repair.text.partition("## Modified Planning")[2].partition("```")[0]
        if _lines(said) != _lines(oracle.planning(chain)):
            return "debugging"
    return "coding"


def _knows(recalled: str, chain: Chain) -> bool:
    """Whether the recalled algorithms are those of the problem."""
    found = re.search(r"<algorithm>(.*?)</algorithm>", recalled, re.DOTALL)
    named = {word.strip() for word in found[1].split(",")} if found else set()
    return set(chain.tags) <= named


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def _citation(told: Told) -> dict[str, object]:
    lines = told.text.split("\n")
    at = next((number for number, line in enumerate(lines, 1) if line.strip()), 1)
    return {"step": told.step, "lines": [at, at], "quote": lines[at - 1].strip()[:200]}
