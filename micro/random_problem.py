"""The "random problem" button: a seed in, a held-out problem out."""

from __future__ import annotations

from typing import Any

from micro.problem import problem_spec

SERIES = 1_000_000  # kept apart from the seeds of the shipped list


def random_problem(seed: int) -> dict[str, Any]:
    """A problem that no training has seen, always the same for the same seed (any integer of at least 0)."""
    if seed < 0:
        raise ValueError(f"seed is {seed}: give a whole number of at least 0")
    return problem_spec(SERIES + seed, seed)
