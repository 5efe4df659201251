"""Runs one Python program as the interpreter itself would: real descriptors, real `__main__`, real exit code."""

from __future__ import annotations

import atexit
import builtins
import io
import linecache
import os
import re
import socket
import struct
import sys
import threading
import traceback
import types
from _sitebuiltins import Quitter
from typing import Any, NoReturn

from . import client, codec, drivers
from .spec import Order, Role, Tag, pack, send

_exit = os._exit  # a program may replace the name in `os`; it must still end here

FILE = "solution.py"
PREAMBLE_FILE = "preamble.py"
_COMPILE_ERRORS = (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError)
_SIZE = struct.Struct("=Q")
_BOM = b"\xef\xbb\xbf"
_CODING = re.compile(rb"^[ \t\f]*#.*?coding[:=]", re.MULTILINE)


def pack_source(preamble: bytes, source: bytes) -> bytes:
    """How a program travels: the preamble's length, the preamble, the source."""
    return _SIZE.pack(len(preamble)) + preamble + source


def unpack_source(data: bytes) -> tuple[bytes, bytes]:
    size = _SIZE.unpack_from(data)[0]
    return data[_SIZE.size : _SIZE.size + size], data[_SIZE.size + size :]


def prepare_builtins() -> None:
    """`exit` and `quit`, which the site module would have put there."""
    for name in ("exit", "quit"):
        setattr(builtins, name, Quitter(name, "Ctrl-D (i.e. EOF)"))


class Compiled:
    """A preamble and a program as code, with the program's text for tracebacks."""

    __slots__ = ("code", "preamble", "text")

    def __init__(self, data: bytes, optimize: int) -> None:
        before, source = unpack_source(data)
        self.text = source
        try:
            self._compile(before, source, optimize or -1)
        except SyntaxError:
            if not before:
                raise
            # The preamble may end in the middle of what the program goes on with, such as a function's head.
            try:
                self._compile(b"", before + b"\n" + source, optimize or -1)
            except SyntaxError:
                pass
            else:
                return
            raise

    def _compile(self, before: bytes, source: bytes, level: int) -> None:
        self.preamble = (
            compile(before, PREAMBLE_FILE, "exec", dont_inherit=True, optimize=level) if before else None
        )
        if not _CODING.search(source[:1000]):
            source.removeprefix(
                _BOM
            ).decode()  # `compile` lets bytes in comments pass; reading a file does not
        self.code = compile(source, FILE, "exec", dont_inherit=True, optimize=level)


def read_all(fd: int) -> bytes:
    with open(fd, "rb", buffering=0) as file:
        return file.readall()


def compile_or_exit(order: Order, source: int, channel: socket.socket) -> Compiled:
    """Compile what `source` holds; closes it and the channel, so that the program finds neither.

    The judge tells a compiler that was stopped from a program that was by the offset it shares with us on
    `source`: at the end while the text compiles, back at 0 afterwards.
    """
    with open(source, "rb", buffering=0, closefd=False) as file:
        data = file.readall()
    try:
        compiled = Compiled(data, order.optimize)
        os.lseek(source, 0, os.SEEK_SET)
        os.close(source)
        channel.close()
        return compiled
    except _COMPILE_ERRORS as error:
        lines = traceback.format_exception_only(type(error), error)
        text = "".join(lines).encode("utf-8", "backslashreplace")
        if len(text) > 4000:  # a long source line is quoted in full; what matters comes last
            text = text[:1500] + b"\n...\n" + text[-2000:]
        send(channel, pack(Tag.CODE, order.number, text), [])
        _exit(1)


def run(order: Order, extra: list[int], channel: socket.socket) -> NoReturn:
    """`extra`: the source; then, by role, what the driver needs."""
    if order.role is Role.TESTS:
        _run_tests(extra, channel)
    compiled = compile_or_exit(order, extra[0], channel)
    execute(order, compiled, extra[1:])


def _run_tests(extra: list[int], channel: socket.socket) -> NoReturn:
    """Runs nothing of the program: the tests are code of ours to trust, as far as a data set can be trusted."""
    channel.close()
    code = 0
    try:
        client.run_tests(read_all(extra[0]), codec.Pipe(extra[1], extra[2]), *extra[3:])
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        code = 1
    _exit(code)


def execute(order: Order, compiled: Compiled, extra: list[int]) -> NoReturn:
    if not order.exits:
        del builtins.exit, builtins.quit
    _standard_streams()
    _forget_the_sandbox()
    name = "__main__" if order.driver is Role.PYTHON else "solution"
    module = types.ModuleType(name)
    module.__dict__.update(__file__=FILE, __builtins__=builtins)
    sys.modules[name] = module
    code = 1
    try:
        if compiled.preamble is not None:
            exec(compiled.preamble, module.__dict__)
        exec(compiled.code, module.__dict__)
        if order.driver is not Role.PYTHON:
            drivers.drive(order, module.__dict__, extra)
        code = 0
    except SystemExit as error:
        code = _exit_code(error.code)
    except BaseException as error:
        _print_exception(error, compiled.text)
    _leave(code, module)


def _forget_the_sandbox() -> None:
    sys.argv = [FILE]
    sys.orig_argv = ["python3", FILE]


def _standard_streams() -> None:
    """What the interpreter builds at its start, over the descriptors of this run."""
    reader = io.BufferedReader(io.FileIO(0, "r", closefd=False))
    writer = io.BufferedWriter(io.FileIO(1, "w", closefd=False))
    errors = io.BufferedWriter(io.FileIO(2, "w", closefd=False))
    sys.stdin = sys.__stdin__ = io.TextIOWrapper(reader, "utf-8", "surrogateescape")  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = io.TextIOWrapper(writer, "utf-8", "surrogateescape")  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = io.TextIOWrapper(  # type: ignore[misc]
        errors, "utf-8", "backslashreplace", line_buffering=True
    )
    for stream, name, mode in ((sys.stdin, "<stdin>", "r"), (sys.stdout, "<stdout>", "w")):
        stream.mode = mode  # type: ignore[misc]
        stream.buffer.raw.name = name  # type: ignore[attr-defined]


def _exit_code(code: Any) -> int:
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    try:
        sys.stderr.write(f"{code}\n")
    except BaseException:
        os.write(2, b"SystemExit\n")
    return 1


def _print_exception(error: BaseException, text: bytes) -> None:
    """As the interpreter would, without our own frame; short of memory, at least the name."""
    try:
        trace = error.__traceback__
        error = error.with_traceback(trace.tb_next if trace else None)
        lines = text.decode("utf-8", "replace").splitlines(keepends=True)
        linecache.cache[FILE] = (len(text), None, lines, FILE)
        sys.excepthook(type(error), error, error.__traceback__)
        sys.stderr.flush()
    except BaseException:
        os.write(2, f"\n{type(error).__name__}\n".encode())


def _print_ignored(error: BaseException) -> None:
    try:
        sys.stderr.write(
            f"Exception ignored while the output was flushed:\n{type(error).__name__}: {error}\n"
        )
    except BaseException:
        os.write(2, f"\n{type(error).__name__}\n".encode())


def _leave(code: int, module: types.ModuleType) -> NoReturn:
    """Threads are joined, exit handlers run and files flushed, in the interpreter's order; an error there
    counts."""
    try:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
    except BaseException:
        code = code or 1
    for stream in (sys.stdout, *list(module.__dict__.values()), sys.__stdout__):
        if stream is None or not issubclass(type(stream), io.IOBase):
            continue
        try:
            if not stream.closed:
                stream.flush()
        except BaseException as error:
            if code == 0:
                code = 120
                _print_ignored(error)
    try:
        sys.stderr.flush()
    except BaseException:
        code = code or 120
    _exit(code)
