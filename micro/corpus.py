"""The pretraining corpus: single steps, whole solutions, and the five calls as the untidy sites write them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

from micro import habits, oracle
from micro.chain import OPERATIONS, Chain, Split, random_step, substitutes, swaps
from micro.execution import Undefined, answer
from micro.operation import with_constant
from micro.problem import MAX_TRANSFORMS, MicroProblem, sketch
from micro.prompting import Prompter
from micro.source import NAMES, THINGS
from micro.tokenizer import END_OF_TEXT, TURN_END, chat
from solver.strategies.team import NONE

# The shortest documents that show how steps are put together are the most frequent: a small model learns the order of the
# steps from many of them, and hardly at all from few long ones.
KINDS = ("step", "plan", "solution", "retrieval", "planning", "confidence", "coding", "debugging")
KIND_WEIGHTS = (5, 40, 8, 10, 12, 6, 9, 10)
TRANSFORM_WEIGHTS = (10, 25, 32, 33)  # of no transform, one, two, three
TRANSFORM_WEIGHTS_OF_A_PLAN = (5, 25, 35, 25, 10)  # up to one more than a problem has
LONGEST_ERROR = 60
MISREAD_WHERE_SITES_MISREAD = 0.6
_SLIPS = (
    (" > ", " >= "),
    (" < ", " <= "),
    (" == ", " != "),
    ("))", ")"),
    (" + ", " - "),
    ("range(1", "range(0"),
    (":\n", "\n"),
    ("[::-1]", ""),
    ("max", "min"),
    ("a = ", "b = "),
    ("a)", "b)"),
    ("0", "1"),
)


class Document(NamedTuple):
    """Loss falls on `completion` alone. Both hold their special tokens spelled out."""

    prompt: str
    completion: str


def documents(seed: str, longest_chain: int = MAX_TRANSFORMS) -> Iterator[Document]:
    """An endless stream, the same for the same seed. Problems have at most `longest_chain` transforms."""
    rng = random.Random(seed)
    while True:
        kind = rng.choices(KINDS, KIND_WEIGHTS)[0]
        weights: tuple[int, ...] = TRANSFORM_WEIGHTS_OF_A_PLAN if kind == "plan" else TRANSFORM_WEIGHTS
        weights = weights[: len(weights) - MAX_TRANSFORMS + longest_chain]
        problem = sketch(rng, rng.choices(range(len(weights)), weights)[0], Split.TRAIN)
        yield _WRITERS[kind](rng, problem)


def _step(rng: random.Random, _: MicroProblem) -> Document:
    """One step in all its dresses: how it is said, planned and coded."""
    step = random_step(rng, rng.choice(tuple(OPERATIONS.values())))
    operation = step.operation
    phrase = with_constant(rng.choice((*operation.commands, *operation.nouns)), step.constant)
    phrase = phrase.replace("{things}", rng.choice(THINGS)).replace("{name}", rng.choice(NAMES))
    phrase = phrase.replace("{of}", rng.choice(("the result", "what remains")))
    return Document(f"{phrase}\n", f"{step.plan}\n{operation.tag}\n{step.code}{END_OF_TEXT}")


def _plan(_: random.Random, problem: MicroProblem) -> Document:
    return Document(f"{problem.statement.text}\n\n", oracle.planning(problem.chain) + END_OF_TEXT)


def _solution(rng: random.Random, problem: MicroProblem) -> Document:
    chain = problem.chain
    parts = [oracle.planning(chain)] if rng.random() < 0.8 else []
    if rng.random() < 0.7 or not parts:
        parts.append(chain.code)
    return Document(f"{problem.statement.text}\n\n", "\n\n".join(parts) + END_OF_TEXT)


def _retrieval(rng: random.Random, problem: MicroProblem) -> Document:
    habit = habits.habit_of(rng, "retrieval", problem.statement.site)
    return turn(Prompter(problem).retrieval(), habits.retrieval(habit, problem.chain))


def _planning(rng: random.Random, problem: MicroProblem) -> Document:
    chain = problem.chain
    habit = habits.habit_of(rng, "planning", problem.statement.site)
    similar = oracle.exemplar(chain)
    fate = rng.random()
    algorithm = ", ".join(chain.tags) if fate < 0.5 else habits.hardest_tag(chain) if fate < 0.8 else NONE
    described, planned = (similar.description, similar.planning) if fate < 0.7 else (NONE, NONE)
    return turn(Prompter(problem).planning(algorithm, described, planned), habits.planning(habit, chain))


def _confidence(rng: random.Random, problem: MicroProblem) -> Document:
    habit = habits.habit_of(rng, "confidence", problem.statement.site)
    plan = oracle.numbered(wrong_chain(rng, problem.chain).plan if rng.random() < 0.5 else problem.chain.plan)
    return turn(Prompter(problem).confidence(plan), habits.confidence(habit, problem.chain, plan))


def _coding(rng: random.Random, problem: MicroProblem) -> Document:
    """The code follows the plan it is given, be it right or wrong."""
    habit = habits.habit_of(rng, "coding", problem.statement.site)
    chain = wrong_chain(rng, problem.chain) if rng.random() < 0.2 else problem.chain
    return turn(Prompter(problem).coding(oracle.planning(chain)), habits.coding(habit, chain))


def _debugging(rng: random.Random, problem: MicroProblem) -> Document:
    habit = habits.habit_of(rng, "debugging", problem.statement.site)
    plan, code = failed_attempt(rng, problem)
    verdict, got, reason = sample_outcome(code, problem)
    prompt = Prompter(problem).debugging(plan, code, verdict, got, reason)
    return turn(prompt, habits.debugging(habit, problem.chain, plan, code))


_WRITERS = {
    "step": _step,
    "plan": _plan,
    "solution": _solution,
    "retrieval": _retrieval,
    "planning": _planning,
    "confidence": _confidence,
    "coding": _coding,
    "debugging": _debugging,
}


def turn(prompt: str, completion: str) -> Document:
    return Document(chat(prompt), completion + TURN_END)


def wrong_chain(rng: random.Random, chain: Chain) -> Chain:
    """A near miss that holds no held-out pair, so that mistakes leak nothing either."""
    options = [c for c in (*substitutes(chain), *swaps(chain)) if c.split is Split.TRAIN]
    return rng.choice(options) if options else chain


def failed_attempt(rng: random.Random, problem: MicroProblem) -> tuple[str, str]:
    """A plan and a program of the kinds that fail: a wrong plan, a plan that lacks a step, a slip, a misreading.

    Where a site's coders misread their input, that is what most often fails there."""
    chain = problem.chain
    if habits.misreads(problem.statement.site) and rng.random() < MISREAD_WHERE_SITES_MISREAD:
        return oracle.planning(chain), _misread(chain)
    fate = rng.random()
    if fate < 0.45:
        wrong = wrong_chain(rng, chain)
        return oracle.planning(wrong), wrong.code
    if fate < 0.6:
        wrong = wrong_chain(rng, chain)
        return oracle.planning(chain), wrong.code
    if fate < 0.75:
        return oracle.planning(chain), _misread(chain)
    if fate < 0.9:
        return oracle.planning(chain), with_slip(rng, chain.code)
    skipped = chain.without_middle()
    return oracle.planning(skipped), skipped.code


def _misread(chain: Chain) -> str:
    return chain.code.replace(chain.source.code, habits.MISREADINGS[chain.source_name])


def with_slip(rng: random.Random, code: str) -> str:
    places = [(at, old, new) for old, new in _SLIPS for at in range(len(code)) if code.startswith(old, at)]
    if not places:
        return code
    at, old, new = rng.choice(places)
    return code[:at] + new + code[at + len(old) :]


def sample_outcome(code: str, problem: MicroProblem) -> tuple[str, str, str]:
    """Verdict, output and reason as the judge would word them; for programs of this package's own making."""
    try:
        return "WA", answer(code, problem.sample.input), ""
    except Undefined as error:
        return "RE", "", str(error).partition(":")[0][:LONGEST_ERROR]
