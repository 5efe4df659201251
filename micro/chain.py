"""A chain of steps: the meaning of a micro problem, from which statement, tags, plan and code all follow."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from micro.list_operations import LIST_OPERATIONS
from micro.operation import Kind, Operation, Shape, with_constant
from micro.source import SOURCES, Source
from micro.text_operations import TEXT_OPERATIONS

OPERATIONS: dict[str, Operation] = {
    operation.name: operation for operation in LIST_OPERATIONS + TEXT_OPERATIONS
}
HELD_OUT_ONE_IN = 10

_BY_KIND: dict[Kind, tuple[Operation, ...]] = {
    kind: tuple(o for o in OPERATIONS.values() if o.kind is kind) for kind in Kind
}
_LIST_TRANSFORMS = tuple(o for o in OPERATIONS.values() if o.takes is Shape.LIST and o.is_transform)


class Split(StrEnum):
    TRAIN = "train"
    TEST = "test"


class Step(NamedTuple):
    name: str
    constant: int | None = None

    @property
    def operation(self) -> Operation:
        return OPERATIONS[self.name]

    @property
    def plan(self) -> str:
        return with_constant(self.operation.plan, self.constant)

    @property
    def code(self) -> str:
        return with_constant(self.operation.code, self.constant)


@dataclass(frozen=True)
class Chain:
    """A source, any number of transforms and one reduction at the end."""

    source_name: str
    steps: tuple[Step, ...]

    @property
    def source(self) -> Source:
        return SOURCES[self.source_name]

    @property
    def plan(self) -> tuple[str, ...]:
        return (self.source.plan, *(step.plan for step in self.steps))

    @property
    def code(self) -> str:
        return "\n".join((self.source.code, *(step.code for step in self.steps)))

    @property
    def tags(self) -> tuple[str, ...]:
        """In the order of the steps, each once."""
        return tuple(dict.fromkeys(step.operation.tag for step in self.steps))

    @property
    def transforms(self) -> int:
        return len(self.steps) - 1

    @property
    def level(self) -> int:
        return max(step.operation.level for step in self.steps)

    @property
    def split(self) -> Split:
        """Test as soon as one pair of neighbouring steps is held out: training has never seen that pair."""
        names = [step.name for step in self.steps]
        return Split.TEST if any(held_out(a, b) for a, b in pairwise(names)) else Split.TRAIN

    def without_middle(self) -> Chain:
        """The chain less one transform, where leaving it out still runs."""
        middle = self.transforms // 2
        shorter = Chain(self.source_name, self.steps[:middle] + self.steps[middle + 1 :])
        return shorter if _is_runnable(shorter) else self

    @property
    def is_well_formed(self) -> bool:
        """Shapes fit, the last step alone prints, k is used exactly where it is given, no step repeats at once."""
        shape = self.source.shape
        for index, step in enumerate(self.steps):
            operation = step.operation
            if operation.takes is not shape or operation.is_transform == (index == len(self.steps) - 1):
                return False
            if (step.constant is None) == bool(operation.constants):
                return False
            if index and self.steps[index - 1].name == step.name:
                return False
            shape = operation.gives
        return any(step.operation.needs_k for step in self.steps) == self.source.gives_k


def held_out(first: str, second: str) -> bool:
    """One adjacent pair of operations in ten, by hash, so that the choice depends on nothing else."""
    digest = hashlib.sha256(f"micro pair {first}>{second}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % HELD_OUT_ONE_IN == 0


def random_step(rng: random.Random, operation: Operation) -> Step:
    return Step(operation.name, rng.choice(operation.constants) if operation.constants else None)


def random_chain(rng: random.Random, transforms: int) -> Chain:
    """A well-formed chain with this many transforms; rejection keeps the draw simple."""
    names = tuple(SOURCES)
    weights = tuple(source.weight for source in SOURCES.values())
    while True:
        source = SOURCES[rng.choices(names, weights)[0]]
        shape = source.shape
        steps: list[Step] = []
        for _ in range(transforms):
            operation = _random_transform(rng, shape)
            steps.append(random_step(rng, operation))
            shape = operation.gives
        last = Kind.REDUCE if shape is Shape.LIST else Kind.TEXT_REDUCE
        steps.append(random_step(rng, rng.choice(_BY_KIND[last])))
        chain = Chain(source.name, tuple(steps))
        if chain.is_well_formed:
            return chain


def _random_transform(rng: random.Random, shape: Shape) -> Operation:
    if shape is Shape.LIST:
        return rng.choice(_LIST_TRANSFORMS)
    return rng.choice(_BY_KIND[Kind.TEXT_TO_LIST if rng.random() < 0.25 else Kind.TEXT_CHANGE])


def substitutes(chain: Chain) -> list[Chain]:
    """Every well-formed chain that leaves out a step, or puts another constant or operation of the kind in it.

    The mutants of a problem: its tests must refute each of them.
    """
    found: list[Chain] = []
    for index, step in enumerate(chain.steps):
        before, after = chain.steps[:index], chain.steps[index + 1 :]
        options: list[tuple[Step, ...]] = [()]
        for other in _BY_KIND[step.operation.kind]:
            options += [(Step(other.name, constant),) for constant in (other.constants or (None,))]
        found += [
            Chain(chain.source_name, before + option + after) for option in options if option != (step,)
        ]
    return [mutant for mutant in found if _is_runnable(mutant)]


def swaps(chain: Chain) -> list[Chain]:
    """Chains with two neighbouring transforms exchanged; many of them mean the same, so no test need refute them."""
    found = []
    for index in range(chain.transforms - 1):
        first, second = chain.steps[index : index + 2]
        found.append(
            Chain(chain.source_name, (*chain.steps[:index], second, first, *chain.steps[index + 2 :]))
        )
    return [mutant for mutant in found if _is_runnable(mutant)]


def _is_runnable(chain: Chain) -> bool:
    """Well-formed except that a k that is given may go unused: a program that ignores k still runs."""
    if not chain.steps or (not chain.source.gives_k and any(s.operation.needs_k for s in chain.steps)):
        return False
    shape = chain.source.shape
    for step in chain.steps:
        if step.operation.takes is not shape:
            return False
        shape = step.operation.gives
    return shape is Shape.ANSWER
