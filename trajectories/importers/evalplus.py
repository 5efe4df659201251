"""Tests of the EvalPlus sets, which publish inputs and a reference solution but no expected outputs.

Each test carries the inputs, the reference and the rules by which EvalPlus compares (evalplus_oracle.py); the judge
runs it beside the program, not in it, so the program cannot see the reference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import resources
from typing import Any

from trajectories.importers.row import Row
from trajectories.problem_schema import AssertTest

HUMANEVAL_ORACLES = {"find_zero": "is_root"}
MBPP_ORACLES = {
    **dict.fromkeys(("check_str", "text_match_three", "text_starta_endb"), "is_present_alike"),
    **dict.fromkeys(
        ("similar_elements", "find_char_long", "common_in_nested_lists", "extract_singly"), "is_same_set"
    ),
    **dict.fromkeys(("larg_nnum", "intersection_array", "find_dissimilar", "Diff"), "is_same_set"),
    "are_equivalent": "is_any",
    "sum_div": "is_same_or_zero",
    "surface_Area": "is_surface",
    "digit_distance_nums": "is_digit_distance",
}
# A set has hundreds of inputs for each problem, and each test repeats the reference: a test of its own for each of
# the few base inputs, and batches of the others.
_BATCH = 25
Revive = Callable[[list[Any]], Sequence[Any]]


def tests(
    row: Row,
    reference: str,
    name: str,
    oracles: Mapping[str, str],
    revive: Revive = list,
) -> tuple[AssertTest, ...]:
    """`revive` turns the JSON arguments of a call into what the task means (tuples, sets, complex numbers)."""
    slack = row.number("atol") or 0.0
    base, plus = _calls(row, "base_input", revive), _calls(row, "plus_input", revive)
    if not base and not plus:
        raise row.malformed("base_input", "is empty", "give at least one list of arguments")
    batches = [[call] for call in base] + [list(batch) for batch in _batched(plus)]
    frame = _Frame(reference, name, oracles.get(name, "is_same"), slack)
    return tuple(AssertTest(code=frame.code(batch)) for batch in batches)


def _calls(row: Row, field: str, revive: Revive) -> list[Sequence[Any]]:
    calls: list[Sequence[Any]] = []
    for index, args in enumerate(row.items(field)):
        where = f"{field}[{index}]"
        if not isinstance(args, list):
            raise row.malformed(where, "is not a list of arguments", "write it as [ ... ]")
        try:
            calls.append(revive(args))
        except (TypeError, ValueError, IndexError, AttributeError) as error:
            mend = "give the arguments as EvalPlus publishes them"
            raise row.malformed(where, f"is not what this task takes ({error})", mend) from error
    return calls


def _batched(calls: list[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    for start in range(0, len(calls), _BATCH):
        yield calls[start : start + _BATCH]


class _Frame:
    """The reference runs in a namespace of its own: it has the program's names, and must not replace them."""

    def __init__(self, reference: str, name: str, oracle: str, slack: float) -> None:
        rules = resources.files("trajectories.importers").joinpath("evalplus_oracle.py").read_text("utf-8")
        self._head = f"{rules}\n\ninf, nan = float('inf'), float('nan')\nREFERENCE = {{}}\n"
        self._head += f"exec({reference!r}, REFERENCE)\n"
        self._tail = f", {oracle}, {slack!r})\n\n\ncheck({name})\n"
        self._call = f"    check_all(candidate, REFERENCE[{name!r}], "

    def code(self, batch: Sequence[Sequence[Any]]) -> str:
        return f"{self._head}\n\ndef check(candidate):\n{self._call}{list(batch)!r}{self._tail}"
