"""How EvalPlus decides that a result is right, without numpy. The text of this file goes into each of its tests.

Semantics: evalplus/eval of EvalPlus 0.3 (Liu et al. 2023, arXiv:2305.01210). An exact match passes; otherwise, where
the task has a tolerance or the wanted value is made of floats (then 1e-6), values of the same type and length pass
when every number is within `slack + 1e-7 * |wanted|`. Some tasks accept more, see the functions at the end.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from typing import Any


def is_made_of_floats(value: Any) -> bool:
    if isinstance(value, float):
        return True
    return isinstance(value, (list, tuple)) and all(isinstance(item, float) for item in value)


def is_close(got: Any, wanted: Any, slack: float) -> bool:
    if isinstance(wanted, (list, tuple)) and isinstance(got, (list, tuple)):
        return len(got) == len(wanted) and all(
            is_close(g, w, slack) for g, w in zip(got, wanted, strict=True)
        )
    if not all(isinstance(value, (int, float, complex)) for value in (got, wanted)):
        return False
    if got == wanted:
        return True
    distance = abs(got - wanted)
    return math.isfinite(abs(wanted)) and distance <= slack + 1e-7 * abs(wanted)


def is_same(got: Any, wanted: Any, slack: float, args: Sequence[Any]) -> bool:
    if got == wanted:
        return True
    if slack == 0 and is_made_of_floats(wanted):
        slack = 1e-6
    if slack == 0 or type(got) is not type(wanted):
        return False
    return is_close(got, wanted, slack)


def is_root(got: Any, wanted: Any, slack: float, args: Sequence[Any]) -> bool:
    """HumanEval/32: any root of the polynomial."""
    value = math.fsum(factor * math.pow(got, power) for power, factor in enumerate(args[0]))
    return abs(value) <= slack


def is_same_set(got: Any, wanted: Any, slack: float, args: Sequence[Any]) -> bool:
    return set(got) == set(wanted)


def is_present_alike(got: Any, wanted: Any, slack: float, args: Sequence[Any]) -> bool:
    """A match or none: which one it is was never specified."""
    present = got if isinstance(got, bool) else got is not None
    return present == (wanted if isinstance(wanted, bool) else wanted is not None)


def is_any(got: Any, wanted: Any, slack: float, args: Sequence[Any]) -> bool:
    """Mbpp/164: the published statement is wrong, so every answer passes."""
    return True


def is_same_or_zero(got: Any, wanted: Any, slack: float, args: Sequence[Any]) -> bool:
    """Mbpp/295."""
    return got == 0 or is_same(got, wanted, slack, args)


def is_surface(got: Any, wanted: Any, slack: float, args: Sequence[Any]) -> bool:
    """Mbpp/581: the height may also be that of the pyramid, not of its sides."""
    edge, height = args
    other = edge**2 + 2 * edge * math.sqrt((edge / 2) ** 2 + height**2)
    return abs(got - round(other)) <= slack or is_same(got, wanted, slack, args)


def is_digit_distance(got: Any, wanted: Any, slack: float, args: Sequence[Any]) -> bool:
    """Mbpp/558: numbers of different length may also be compared with zeros in front."""
    first, second = (str(number) for number in args)
    width = max(len(first), len(second))
    pairs = zip(first.zfill(width), second.zfill(width), strict=True)
    return got == sum(abs(int(a) - int(b)) for a, b in pairs) or is_same(got, wanted, slack, args)


def check_all(
    candidate: Callable[..., Any],
    reference: Callable[..., Any],
    many_args: Sequence[Sequence[Any]],
    accept: Callable[[Any, Any, float, Sequence[Any]], bool],
    slack: float,
) -> None:
    for args in many_args:
        wanted = reference(*copy.deepcopy(args))
        got = candidate(*copy.deepcopy(args))
        assert accept(got, wanted, slack, args), f"{args!r:.300}: {got!r:.300} is not {wanted!r:.300}"
