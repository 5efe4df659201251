"""The tests' side of a function test: runs the hidden asserts against stand-ins for what the solution
defined.

The solution's process sees arguments and nothing else. It cannot raise an AssertionError here, replace a
built-in the tests use, or decide what one of its objects equals.
"""

from __future__ import annotations

import ast
import builtins
import json
import os
import sys
import types
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any

from .codec import ForeignValue, Pipe, dump, load, refuse_state


class TestEnd(StrEnum):
    """FAILED: an assert did. REMOTE: the solution raised. GONE: its process ended. FOREIGN: it sent what may
    not cross. ODD: another exception in the test, such as a comparison of types that do not compare.
    BROKEN: not valid Python. UNDEFINED: the solution lacks the name the test calls."""

    PASSED = "passed"
    FAILED = "failed"
    REMOTE = "remote"
    GONE = "gone"
    FOREIGN = "foreign"
    ODD = "odd"
    BROKEN = "broken"
    UNDEFINED = "undefined"


class RemoteError(Exception):
    """An exception of the solution that has no counterpart among the built-in ones."""


class Remote:
    """An object that lives in the solution's process. `plain`: the built-in value it is a subclass instance
    of."""

    __slots__ = ("__connection", "__has_plain", "__key", "__plain")
    __hash__ = object.__hash__

    def __init__(self, connection: Connection, key: int, has_plain: bool, plain: Any) -> None:
        object.__setattr__(self, "_Remote__connection", connection)
        object.__setattr__(self, "_Remote__key", key)
        object.__setattr__(self, "_Remote__has_plain", has_plain)
        object.__setattr__(self, "_Remote__plain", plain)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Remote):
            if self.__has_plain and other.__has_plain:
                return bool(self.__plain == other.__plain)
            return bool(self.__key == other.__key)
        if not self.__has_plain:
            return False
        same: bool = self.__plain == other
        return same

    def __bool__(self) -> bool:
        return bool(self.__plain) if self.__has_plain else True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.__connection.ask("call", self, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self.__connection.ask("get", self, (name,), {})

    def __setattr__(self, name: str, value: Any) -> None:
        self.__connection.ask("set", self, (name, value), {})

    def __iter__(self) -> Iterator[Any]:
        if self.__has_plain:
            yield from self.__plain
            return
        iterator = self.__connection.ask("iterate", self, (), {})
        while True:
            found, value = self.__connection.ask("advance", iterator, (), {})
            if not found:
                return
            yield value

    def __next__(self) -> Any:
        found, value = self.__connection.ask("advance", self, (), {})
        if not found:
            raise StopIteration
        return value

    def __len__(self) -> int:
        length = len(self.__plain) if self.__has_plain else self.__connection.ask("length", self, (), {})
        if type(length) is not int:
            raise ForeignValue("a length that is not a number")
        return length

    def __getitem__(self, key: Any) -> Any:
        return self.__plain[key] if self.__has_plain else self.__connection.ask("item", self, (key,), {})

    def __repr__(self) -> str:
        return repr(self.__plain) if self.__has_plain else "<object of the solution>"


class Connection:
    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._callbacks: dict[int, Callable[..., Any]] = {}
        self.raised: BaseException | None = None

    def await_ready(self) -> None:
        if load(self._pipe.receive(), self._resolve) != ("ready",):
            raise ForeignValue("no greeting")

    def _identify(self, value: Any) -> Any:
        if type(value) is Remote:
            return ("handle", object.__getattribute__(value, "_Remote__key"))
        if callable(value):
            self._callbacks[id(value)] = value
            return ("callback", id(value))
        raise TypeError(f"a test cannot pass a {type(value).__name__} to the solution")

    def _resolve(self, mark: Any) -> Any:
        match mark:
            case ("handle", int() as key, bool(), bool() as known, plain):
                return Remote(self, key, known, plain)
        raise ForeignValue("an unknown mark")

    def ask(self, operation: str, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self._pipe.send(dump((operation, target, args, kwargs), self._identify))
        while True:
            match load(self._pipe.receive(), self._resolve):
                case ("ok", result, changed):
                    if type(changed) is tuple:
                        for old, new in zip(args, changed, strict=False):
                            _copy_back(old, new)
                    return result
                case ("error", str() as name, str() as text):
                    self.raised = _exception(name, text)
                    raise self.raised
                case ("callback", int() as key, tuple() as given, dict() as named) if key in self._callbacks:
                    self._pipe.send(dump(self._call_back(key, given, named), self._identify))
                case _:
                    raise ForeignValue("not an answer")

    def _call_back(self, key: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[str, Any]:
        try:
            return ("ok", self._callbacks[key](*args, **kwargs))
        except Exception as error:
            return ("error", f"{type(error).__name__}: {error}")


def _copy_back(old: Any, new: Any) -> None:
    """A list, dict, set or bytearray that the solution changed in place changes here too."""
    if type(old) is not type(new):
        return
    if type(old) in (list, bytearray):
        old[:] = new
    elif type(old) in (dict, set):
        old.clear()
        old.update(new)


def _exception(name: str, text: str) -> BaseException:
    kind = getattr(builtins, name, None)
    if isinstance(kind, type) and issubclass(kind, Exception) and not issubclass(kind, AssertionError):
        try:
            return kind(text)
        except TypeError:
            pass
    return RemoteError(f"{name}: {text}")


def run_tests(document: bytes, pipe: Pipe, events: int, go_on: int) -> None:
    """`document`: JSON with preamble, entry and tests. Events go out as one JSON line each."""
    plan = json.loads(document)
    refuse_state()
    connection = Connection(pipe)
    try:
        connection.await_ready()
    except (EOFError, ForeignValue):
        tell(events, go_on, {"load": TestEnd.GONE})
        return
    last: dict[str, Any] = {"load": TestEnd.PASSED}
    for index, source in plan["tests"]:
        tell(events, go_on, last, {"begin": index})
        end, detail = _run_test(connection, source, plan["preamble"], plan["entry"])
        last = {"end": index, "how": end, "detail": detail[:2000]}
        if end in (TestEnd.GONE, TestEnd.FOREIGN):
            break
    tell(events, go_on, last)


def tell(events: int, go_on: int, *told: dict[str, Any]) -> None:
    """One write for what happened together: each wakes the judge, who reads the program's clock between two tests.

    On a busy machine the judge comes late. So we wait for it, or one test's time would count as another's.
    """
    os.write(events, "".join(json.dumps(event) + "\n" for event in (*told, {"asks": "to go on"})).encode())
    os.read(go_on, 1)


def _run_test(connection: Connection, source: str, preamble: str, entry: str) -> tuple[TestEnd, str]:
    try:
        code, calls_check = compile_test(source)
    except (SyntaxError, ValueError, RecursionError) as error:
        return TestEnd.BROKEN, f"{type(error).__name__}: {error}"
    namespace: dict[str, Any] = {"__name__": "__tests__"}
    connection.raised = None
    try:
        if preamble:
            exec(compile(preamble, "preamble.py", "exec", dont_inherit=True), namespace)
        _bind_names(connection, code, namespace, entry)
        exec(code, namespace)
        if calls_check:
            namespace["check"](namespace[entry])
    except BaseException as error:
        return _how_it_failed(error, connection.raised, source)
    return TestEnd.PASSED, ""


def _how_it_failed(error: BaseException, raised: BaseException | None, source: str) -> tuple[TestEnd, str]:
    """What the solution raised comes first: it may be an EOFError or a NameError like one of ours."""
    said = f"{type(error).__name__}: {error}"
    if error is raised:
        return TestEnd.REMOTE, str(error) if isinstance(error, RemoteError) else said
    match error:
        case AssertionError():
            return TestEnd.FAILED, _failed_line(error, source)
        case EOFError():
            return TestEnd.GONE, ""
        case ForeignValue():
            return TestEnd.FOREIGN, str(error)
        case NameError():
            return TestEnd.UNDEFINED, str(error)
        case _:
            return TestEnd.ODD, said


def compile_test(source: str) -> tuple[types.CodeType, bool]:
    """The test, and whether its `check` still has to be called: it is defined but nothing at the top calls
    it."""
    tree = ast.parse(source, "tests.py")
    defined = any(isinstance(node, ast.FunctionDef) and node.name == "check" for node in tree.body)
    called = any(
        isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.func.id == "check"
        for node in tree.body
        for part in ast.walk(node)
        if not (isinstance(node, ast.FunctionDef) and node.name == "check")
    )
    return compile(tree, "tests.py", "exec", dont_inherit=True), defined and not called


def _bind_names(connection: Connection, code: types.CodeType, namespace: dict[str, Any], entry: str) -> None:
    """Names of the test that the solution defines become stand-ins; built-in names never do, but for the
    entry point.

    What the trusted preamble defines stays ours, again but for the entry point, whose stub it may hold.
    """
    wanted = {
        name
        for name in _names(code)
        if not hasattr(builtins, name) and not name.startswith("__") and name not in namespace
    }
    if entry:
        wanted.add(entry)
    found = connection.ask("names", sorted(wanted), (), {})
    if type(found) is not dict:
        raise ForeignValue("names that are not a dict")
    if entry and entry not in found:
        namespace.pop(entry, None)  # the stub of the preamble is not an answer
    for name, value in found.items():
        if name not in wanted:
            raise ForeignValue("a name nobody asked for")
        match value:
            case ("module", str() as module) if module.split(".")[0] in sys.stdlib_module_names:
                namespace[name] = __import__(module, fromlist=["_"])
            case ("value", thing):
                namespace[name] = thing


def _names(code: types.CodeType) -> set[str]:
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= _names(constant)
    return names


def _failed_line(error: AssertionError, source: str) -> str:
    """The assert that failed, as written."""
    line = 0
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "tests.py":
            line = trace.tb_lineno
        trace = trace.tb_next
    rows = source.splitlines()
    text = rows[line - 1].strip() if 0 < line <= len(rows) else ""
    message = str(error)
    return f"{text}  # {message}" if message and message not in text else text
