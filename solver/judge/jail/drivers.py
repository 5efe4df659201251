"""What happens in the program's own process once its code has run: nothing, a call, a served interface, or
asserts."""

from __future__ import annotations

import ast
import collections
import json
from collections.abc import Callable, Iterable
from typing import Any

from .client import TestEnd, compile_test, tell
from .codec import Pipe
from .server import Server
from .spec import Order, Role


def drive(order: Order, namespace: dict[str, Any], extra: list[int]) -> None:
    match order.driver:
        case Role.CALL:
            _call(order.entry, namespace, *extra)
        case Role.SOLUTION:
            Server(Pipe(extra[0], extra[1]), namespace).serve()
        case Role.CHECKED:
            _check_in_process(order.entry, namespace, *extra)


def _call(entry: str, namespace: dict[str, Any], question: int, answer: int) -> None:
    """The result goes to a file of its own: what the program prints is not an answer."""
    with open(question, "rb") as file:
        plan = json.load(file)
    args = plan["args"] if plan["args"] is not None else [parse_argument(line) for line in plan["lines"]]
    result = _entry_point(entry, namespace)(*args)
    document: dict[str, Any] = {"text": str(result)}
    try:
        document["value"] = jsonable(result)
        text = json.dumps(document)
    except (TypeError, ValueError, RecursionError):
        text = json.dumps({"text": str(result)})
    with open(answer, "wb") as file:
        file.write(text.encode("utf-8", "backslashreplace"))


def _entry_point(entry: str, namespace: dict[str, Any]) -> Callable[..., Any]:
    """A function, or a method of a class `Solution`, as published sets have it."""
    found = namespace.get(entry)
    if found is None and "Solution" in namespace:
        found = getattr(namespace["Solution"](), entry, None)
    if not callable(found):
        raise NameError(f"name {entry!r} is not defined")
    return found  # type: ignore[no-any-return]


def parse_argument(line: str) -> Any:
    """A line of flattened text: a Python or JSON literal where it is one, else the text itself."""
    try:
        return ast.literal_eval(line)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        pass
    try:
        return json.loads(line)
    except ValueError:
        return line


_SEQUENCES: tuple[type[Iterable[Any]], ...] = (
    tuple,
    set,
    frozenset,
    collections.deque,
    range,
    type({}.keys()),
    type({}.values()),
    map,
    filter,
    zip,
)


def jsonable(value: Any) -> Any:
    """Sequences of other kinds as lists (sets sorted where they can be), keys of dicts as JSON writes them."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list):
        return [jsonable(item) for item in value]
    if isinstance(value, set | frozenset):
        try:
            return [jsonable(item) for item in sorted(value)]
        except TypeError:
            return [jsonable(item) for item in value]
    if isinstance(value, _SEQUENCES):
        return [jsonable(item) for item in value]
    if isinstance(value, dict):
        return {
            key if isinstance(key, str) else json.dumps(key): jsonable(item) for key, item in value.items()
        }
    raise TypeError(type(value).__name__)


def _check_in_process(entry: str, namespace: dict[str, Any], document: int, events: int, go_on: int) -> None:
    """Program and asserts share a process, as in the harnesses whose numbers this reproduces. A program can
    cheat."""
    with open(document, "rb") as file:
        plan = json.load(file)

    last: dict[str, Any] = {"load": TestEnd.PASSED}
    for index, source in plan["tests"]:
        tell(events, go_on, last, {"begin": index})
        end, detail = TestEnd.PASSED, ""
        try:
            code, calls_check = compile_test(source)
            exec(code, namespace)
            if calls_check:
                namespace["check"](namespace[entry])
        except SystemExit:
            raise
        except AssertionError as error:
            end, detail = TestEnd.FAILED, str(error)
        except BaseException as error:
            end, detail = TestEnd.REMOTE, f"{type(error).__name__}: {error}"
        last = {"end": index, "how": end, "detail": detail[:2000]}
    tell(events, go_on, last)
