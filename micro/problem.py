"""Micro problems: a chain, a statement and tests that refute every mutant; as objects and as benchmark records."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from micro.chain import Chain, Split, random_chain, substitutes
from micro.execution import Undefined, answer
from micro.statement import Statement, write

HIDDEN_TESTS = 40
LONGEST_SAMPLE = 24
LONGEST_ANSWER = 200
MAX_TRANSFORMS = 3
LICENCE = "CC0-1.0"
_COUNT_WORDS = ("no step before the answer", "one step", "two steps", "three steps")


@dataclass(frozen=True)
class Example:
    """One input with the answer to it, both as the judge sees them."""

    input: str
    output: str


@dataclass(frozen=True)
class MicroProblem:
    chain: Chain
    statement: Statement
    sample: Example
    tests: tuple[Example, ...] = ()


def sketch(rng: random.Random, transforms: int, split: Split) -> MicroProblem:
    """A problem with one sample and no hidden tests: all that a training document needs."""
    while True:
        chain = random_chain(rng, transforms)
        if chain.split is not split:
            continue
        example = _short_example(rng, chain)
        if example is not None:
            return MicroProblem(chain, write(rng, chain), example)


def complete(rng: random.Random, transforms: int, split: Split, tests: int = HIDDEN_TESTS) -> MicroProblem:
    """A problem whose hidden tests refute every mutant; chains with an idle step are drawn again."""
    while True:
        chain = random_chain(rng, transforms)
        if chain.split is not split:
            continue
        problem = with_tests(rng, chain, tests)
        if problem is not None:
            return problem


def with_tests(rng: random.Random, chain: Chain, count: int = HIDDEN_TESTS) -> MicroProblem | None:
    """None where the input is often out of the chain's reach, or where a mutant passes every test."""
    sample_options = [e for _ in range(12) if (e := _short_example(rng, chain)) is not None]
    tests = _examples(rng, chain, count)
    if len(sample_options) < 6 or tests is None:
        return None
    mutants = [mutant.code for mutant in substitutes(chain)]
    if any(all(_passes(code, test) for test in tests) for code in mutants):
        return None
    sample = max(sample_options, key=lambda e: sum(not _passes(code, e) for code in mutants))
    return MicroProblem(chain, write(rng, chain), sample, tests)


def _examples(rng: random.Random, chain: Chain, count: int) -> tuple[Example, ...] | None:
    found: dict[str, Example] = {}
    for _ in range(8 * count):
        example = _example(chain, chain.source.draw(rng))
        if example is not None:
            found.setdefault(example.input, example)
            if len(found) == count:
                return tuple(found.values())
    return None


def _short_example(rng: random.Random, chain: Chain) -> Example | None:
    for _ in range(40):
        stdin = chain.source.draw(rng)
        if len(stdin) <= LONGEST_SAMPLE:
            example = _example(chain, stdin)
            if example is not None and len(example.output) <= LONGEST_SAMPLE:
                return example
    return None


def _example(chain: Chain, stdin: str) -> Example | None:
    try:
        output = answer(chain.code, stdin)
    except Undefined:
        return None
    return Example(stdin, output + "\n") if len(output) <= LONGEST_ANSWER else None


def _passes(code: str, test: Example) -> bool:
    try:
        return answer(code, test.input).split() == test.output.split()
    except Undefined:
        return False


def drawn(seed: int, index: int, split: Split = Split.TEST) -> MicroProblem:
    """The same three arguments always give the same problem."""
    rng = random.Random(f"micro {split} {seed} {index}")
    return complete(rng, 1 + index % MAX_TRANSFORMS, split)


def problem_spec(seed: int, index: int, split: Split = Split.TEST) -> dict[str, Any]:
    """The benchmark record of a drawn problem."""
    name = f"{split}-{seed}-{index}"
    return record(drawn(seed, index, split), name, f"{seed}-{index}", {"seed": seed, "index": index})


def record(problem: MicroProblem, name: str, mark: str, origin: dict[str, Any]) -> dict[str, Any]:
    """`mark` tells problems of the same kind apart in a list; `origin` says how this one is made again."""
    chain = problem.chain
    return {
        "id": f"micro/{name}",
        "group": f"micro/{name}",
        "source": "micro",
        "title": f"{chain.source.name.replace('_', ' ').capitalize()}, {_COUNT_WORDS[chain.transforms]} ({mark})",
        "statement": problem.statement.text,
        "input_spec": "",
        "output_spec": "",
        "tags": list(chain.tags),
        "difficulty": ("", "easy", "medium", "hard")[chain.transforms],
        "samples": [{"input": problem.sample.input, "output": problem.sample.output}],
        "tests": [{"input": test.input, "outputs": [test.output]} for test in problem.tests],
        "test_kind": "stdio",
        "reference_solution": chain.code,
        "licence": LICENCE,
        "provenance": {"generator": "micro", **origin},
        "split": str(chain.split),
    }
