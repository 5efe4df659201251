"""Arguments of MBPP+ tasks as the tasks mean them: JSON has no tuples, sets and complex numbers.

Which task takes what is part of the published data set (evalplus/data/mbpp.py of EvalPlus 0.3); a task's number says
how its lists are to be read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

Revive = Callable[[list[Any]], Sequence[Any]]


def _each(args: list[Any]) -> list[Any]:
    """Every argument is a tuple."""
    return [tuple(value) for value in args]


def _each_of_each(args: list[Any]) -> list[Any]:
    """Every argument is a list of tuples."""
    return [[tuple(value) for value in values] for values in args]


def _nested(args: list[Any]) -> list[Any]:
    """Every argument is a tuple of tuples."""
    return [tuple(tuple(value) for value in values) for values in args]


def _items_of_first(args: list[Any]) -> list[Any]:
    return [[tuple(value) for value in args[0]], args[1]]


def _first(args: list[Any]) -> list[Any]:
    return [tuple(args[0]), *args[1:]]


def _second(args: list[Any]) -> list[Any]:
    return [args[0], tuple(args[1])]


def _sets(args: list[Any]) -> list[Any]:
    """Lists stand for sets; an empty one for an empty dict, as the task's own tests write it."""
    return [[set(value) if isinstance(value, list) and value else {} for value in args[0]]]


def _float_and_complex(args: list[Any]) -> list[Any]:
    return [float(args[0]), complex(args[1])]


def _complex(args: list[Any]) -> list[Any]:
    return [complex(args[0])]


def _mixed(args: list[Any]) -> list[Any]:
    """One tuple, in which lists are tuples, too."""
    return [tuple(tuple(value) if isinstance(value, list) else value for value in args[0])]


def _values(args: list[Any]) -> list[Any]:
    """A dict of tuples first."""
    return [{key: tuple(value) for key, value in args[0].items()}, *args[1:]]


def _all(value: Any) -> Any:
    return tuple(_all(item) for item in value) if isinstance(value, list) else value


def _everything(args: list[Any]) -> list[Any]:
    return [_all(value) for value in args]


def _unchanged(args: list[Any]) -> list[Any]:
    return args


_TASKS: tuple[tuple[Revive, tuple[int, ...]], ...] = (
    (_each, (2, 116, 132, 143, 222, 261, 273, 394, 399, 421, 424, 429, 470, 560, 579, 596, 616, 630, 726)),
    (_each, (740, 744, 809)),
    (_each_of_each, (63, 64, 70, 94, 120, 237, 272, 299, 400, 409, 417, 438, 473, 614, 780)),
    (_items_of_first, (75, 413, 444, 753)),
    (_second, (106, 750)),
    (_sets, (115,)),
    (_float_and_complex, (124,)),
    (_first, (250, 307, 405, 446, 617, 720, 763, 808)),
    (_nested, (259, 401, 445)),
    (_mixed, (278,)),
    (_values, (722,)),
    (_complex, (252,)),
    (_everything, (580, 615, 791)),
)
_BY_TASK = {number: revive for revive, numbers in _TASKS for number in numbers}


def reviver(task: int) -> Revive:
    return _BY_TASK.get(task, _unchanged)
