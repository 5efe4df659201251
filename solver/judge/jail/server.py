"""The solution's side of a function test: answers calls on what the program defined. Runs in the program's
process."""

from __future__ import annotations

import pickle
import traceback
import types
from collections.abc import Callable
from typing import Any

from .codec import Pipe, dump, load, plain_value

_TEXT_MAX = 500


class Server:
    def __init__(self, pipe: Pipe, namespace: dict[str, Any]) -> None:
        self._pipe = pipe
        self._namespace = namespace
        self._objects: dict[int, Any] = {}

    def serve(self) -> None:
        """Until the tests' side has gone."""
        self._reply("ready")
        while True:
            try:
                operation, target, args, kwargs = load(self._pipe.receive(), self._resolve)
            except EOFError:
                return
            try:
                before = _frozen(args) if operation == "call" else None
                result = _OPERATIONS[operation](self, target, args, kwargs)
                changed = args if before is not None and _frozen(args) != before else None
                answer = dump(("ok", result, changed), self._identify)
            except EOFError:
                return
            except (KeyboardInterrupt, SystemExit, GeneratorExit):
                raise
            except BaseException as error:
                traceback.print_exc()
                answer = dump(("error", *_describe(error)), lambda _: None)
            self._pipe.send(answer)

    def _reply(self, *message: Any) -> None:
        self._pipe.send(dump(message, self._identify))

    def _identify(self, value: Any) -> Any:
        key = id(value)
        self._objects[key] = value  # kept for good, so that the number stays its own
        known, plain = plain_value(value)
        return ("handle", key, callable(value), known, plain)

    def _resolve(self, mark: Any) -> Any:
        kind, key = mark[0], mark[1]
        return self._objects[key] if kind == "handle" else self._callback(key)

    def _callback(self, key: int) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self._reply("callback", key, args, kwargs)
            answer = load(self._pipe.receive(), self._resolve)
            if answer[0] == "ok":
                return answer[1]
            raise RuntimeError(answer[1])

        return call

    def names(self, wanted: Any, _args: Any, _kwargs: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in wanted:
            if name in self._namespace:
                value = self._namespace[name]
                is_module = isinstance(value, types.ModuleType)
                found[name] = ("module", value.__name__) if is_module else ("value", value)
        return found

    def call(self, target: Any, args: Any, kwargs: Any) -> Any:
        return target(*args, **kwargs)

    def method(self, target: Any, args: Any, kwargs: Any) -> Any:
        return getattr(target, args[0])(*args[1], **kwargs)

    def get(self, target: Any, args: Any, _kwargs: Any) -> Any:
        return getattr(target, args[0])

    def set(self, target: Any, args: Any, _kwargs: Any) -> None:
        setattr(target, args[0], args[1])

    def iterate(self, target: Any, _args: Any, _kwargs: Any) -> Any:
        return iter(target)

    def advance(self, target: Any, _args: Any, _kwargs: Any) -> tuple[bool, Any]:
        for value in target:
            return True, value
        return False, None

    def length(self, target: Any, _args: Any, _kwargs: Any) -> int:
        return len(target)

    def item(self, target: Any, args: Any, _kwargs: Any) -> Any:
        return target[args[0]]


_OPERATIONS: dict[str, Callable[[Server, Any, Any, Any], Any]] = {
    "names": Server.names,
    "call": Server.call,
    "method": Server.method,
    "get": Server.get,
    "set": Server.set,
    "iterate": Server.iterate,
    "advance": Server.advance,
    "length": Server.length,
    "item": Server.item,
}
_MUTABLE = (list, dict, set, bytearray)


def _frozen(args: Any) -> bytes | None:
    """The arguments as bytes, to see whether a call changed them; None when it cannot have."""
    if not any(type(arg) in _MUTABLE for arg in args):
        return None
    try:
        return pickle.dumps(args, 5)
    except Exception:
        return None


def _describe(error: BaseException) -> tuple[str, str]:
    try:
        text = str(error)[:_TEXT_MAX]
    except BaseException:
        text = ""
    return type(error).__name__, text
