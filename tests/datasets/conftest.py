"""Examples without runs, and versions built at once."""

from __future__ import annotations

from typing import Any

from tests.factories import make_problem
from training.datasets import lifecycle
from training.datasets.build import build
from training.datasets.spec import DatasetSpec
from training.examples import digest
from training.models import DatasetVersion, Example, ExampleState, Way
from training.spec_text import read_data
from trajectories.models import Problem

WORDS = [
    "alpha",
    "beta",
    "gamma",
    "delta",
    "epsilon",
    "zeta",
    "eta",
    "theta",
    "iota",
    "kappa",
    "lambda",
    "mu",
    "nu",
    "xi",
    "omicron",
    "pi",
    "rho",
    "sigma",
    "tau",
]


def story(number: int, length: int = 40) -> str:
    """Words that no other number's story has in the same order."""
    state, chosen = number * 7919 + 13, []
    for _ in range(length):
        state = (state * 1103515245 + 12345) % 2**31
        chosen.append(f"{WORDS[(state >> 16) % len(WORDS)]}{(state >> 8) % 97}")
    return " ".join(chosen)


def problems(count: int, **changes: Any) -> list[Problem]:
    return [
        make_problem(id=f"train/{n:03d}", title=f"Problem {n}", statement=story(n), split="train", **changes)
        for n in range(count)
    ]


def example(problem: Problem | None, answer: str, **changes: Any) -> Example:
    statement = problem.spec().statement if problem else changes.pop("statement", "A question.")
    messages = [{"role": "user", "content": f"Write the Python program.\n\n{statement}"}]
    role = changes.get("role", "coding")
    base: dict[str, Any] = {
        "role": role,
        "way": Way.IMPORTED,
        "state": ExampleState.ACCEPTED,
        "problem": problem,
        "messages": messages,
        "answer": answer,
        "digest": digest(role, messages, answer),
        "author": "teacher",
        "licence": "MIT",
    }
    return Example.objects.create(**{**base, **changes})


def built(**changes: Any) -> DatasetVersion:
    version = lifecycle.start(read_data(DatasetSpec, {"role": "coding", **changes}))
    assert build(version.pk, "test")
    version.refresh_from_db()
    return version
