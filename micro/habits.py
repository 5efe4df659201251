"""How the writers of the pretraining corpus answer: each site has its habits, most of them untidy.

The base model is meant to have the weaknesses that MapCoder-Lite reports of a raw small model (malformed XML and
wrong algorithms, plans that miss a step, code that misreads its input, repairs that repeat the error). Here they are
planted: the opening sentence of a statement tells its site, and the site decides how most of its documents are
written. The adapters never see a habit other than the tidy one.
"""

from __future__ import annotations

import random
from enum import StrEnum

from micro import oracle
from micro.chain import Chain

CLEAN_AT_UNTIDY_SITES = 0.12
FAITHFUL_TO_THE_SITE = 0.85


class Habit(StrEnum):
    TIDY = "tidy"
    UNCLOSED_TAGS = "unclosed_tags"
    PROSE = "prose"
    ONE_TAG = "one_tag"
    SKIPPED_STEP = "skipped_step"
    WORD_FOR_NUMBER = "word_for_number"
    PERCENT = "percent"
    UNFENCED = "unfenced"
    MISREAD_INPUT = "misread_input"
    SAME_AGAIN = "same_again"
    TALK = "talk"


HABITS: dict[str, tuple[Habit, Habit, Habit, Habit, Habit]] = {
    "retrieval": (Habit.UNCLOSED_TAGS, Habit.TIDY, Habit.PROSE, Habit.ONE_TAG, Habit.UNCLOSED_TAGS),
    "planning": (Habit.TIDY, Habit.SKIPPED_STEP, Habit.TIDY, Habit.TIDY, Habit.SKIPPED_STEP),
    "confidence": (
        Habit.PERCENT,
        Habit.WORD_FOR_NUMBER,
        Habit.TIDY,
        Habit.UNCLOSED_TAGS,
        Habit.WORD_FOR_NUMBER,
    ),
    "coding": (Habit.TIDY, Habit.UNFENCED, Habit.MISREAD_INPUT, Habit.MISREAD_INPUT, Habit.UNFENCED),
    "debugging": (Habit.TIDY, Habit.TALK, Habit.SAME_AGAIN, Habit.SAME_AGAIN, Habit.TALK),
}
MISREADINGS: dict[str, str] = {
    "list": "a = list(map(int, input().split()))",
    "list_k": "n = int(input())\nk = int(input())\na = list(map(int, input().split()))",
    "digits": "a = list(map(int, input().split()))",
    "divisors": "a = list(map(int, input().split()))",
    "word": "s = input().strip().upper()",
}


def habit_of(rng: random.Random, role: str, site: int) -> Habit:
    """Most often the site's own habit; else tidy, or the habit of some other site."""
    own = HABITS[role][site]
    if rng.random() < FAITHFUL_TO_THE_SITE:
        return own
    if own is not Habit.TIDY and rng.random() < CLEAN_AT_UNTIDY_SITES / (1 - FAITHFUL_TO_THE_SITE):
        return Habit.TIDY
    return rng.choice(HABITS[role])


def misreads(site: int) -> bool:
    return HABITS["coding"][site] is Habit.MISREAD_INPUT


def retrieval(habit: Habit, chain: Chain) -> str:
    tidy = oracle.retrieval(chain)
    if habit is Habit.UNCLOSED_TAGS:
        return tidy.replace("</planning>\n</problem>\n", "<problem>\n").replace(
            "</algorithm>\n</root>", "<algorithm>"
        )
    if habit is Habit.PROSE:
        similar = oracle.exemplar(chain)
        return f"A similar problem: {similar.description}\nIt needs {hardest_tag(chain)}"
    if habit is Habit.ONE_TAG:
        return tidy.replace(", ".join(chain.tags), hardest_tag(chain))
    return tidy


def hardest_tag(chain: Chain) -> str:
    return max(chain.steps, key=lambda step: step.operation.level).operation.tag


def planning(habit: Habit, chain: Chain) -> str:
    if habit is Habit.SKIPPED_STEP:
        return oracle.planning(chain.without_middle())
    return oracle.planning(chain)


def confidence(habit: Habit, chain: Chain, plan: str) -> str:
    tidy = oracle.confidence(chain, plan)
    value = oracle.plan_verdict(chain, plan)[1]
    number = f"<confidence>{value}</confidence>"
    if habit is Habit.PERCENT:
        return tidy.replace(number, f"<confidence>about {value} percent</confidence>")
    if habit is Habit.WORD_FOR_NUMBER:
        return tidy.replace(number, f"<confidence>{'high' if value > 50 else 'low'}</confidence>")
    if habit is Habit.UNCLOSED_TAGS:
        return tidy.replace("</explanation>", "<explanation>").replace(f"{number}\n</root>", "<confidence>")
    return tidy


def coding(habit: Habit, chain: Chain) -> str:
    if habit is Habit.MISREAD_INPUT:
        return oracle.coding(chain).replace(chain.source.code, MISREADINGS[chain.source_name])
    if habit is Habit.UNFENCED:
        return oracle.coding(chain).replace("```python", "Here is the program:").removesuffix("\n```")
    return oracle.coding(chain)


def debugging(habit: Habit, chain: Chain, failed_plan: str, failed_code: str) -> str:
    if habit is Habit.SAME_AGAIN:
        return f"## Modified Planning\n{failed_plan}\n\n```python\n{failed_code}\n```"
    if habit is Habit.TALK:
        return f"The error is in the step: {chain.plan[1]}"
    return oracle.debugging(chain)
