"""Programs in the other languages: compiled in the sandbox, cached by digest, run through an init."""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from . import memfiles
from .jail.native import unpack_archive
from .jail.spec import Order, Role
from .languages import Language, Toolchain, command_for, main_class
from .listener import Calls
from .outcome import Bounds, Outcome, rule
from .single import SLACK, bounds_of, collect
from .slot import Slot
from .task import Limits
from .verdict import Verdict
from .watch import Run, watch

_ARTEFACTS_MAX = 64 << 20
_CACHE_MAX = 256 << 20
_MINIMUM_SCRATCH = 1 << 20
_COMPILE_SCRATCH = 256 << 20

Files = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Build:
    """`files` to lay out before each run; without them, `failure` says why there are none."""

    files: Files
    main: str = ""
    output: str = ""
    failure: Outcome | None = None


class BuildCache:
    """Builds by digest of source, command and compiler; the least recently used go first."""

    def __init__(self, limit: int = _CACHE_MAX) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._builds: OrderedDict[str, Build] = OrderedDict()
        self._size = 0

    def get(self, key: str) -> Build | None:
        with self._lock:
            build = self._builds.get(key)
            if build is not None:
                self._builds.move_to_end(key)
            return build

    def put(self, key: str, build: Build) -> None:
        with self._lock:
            if key in self._builds:
                return
            self._builds[key] = build
            self._size += _size(build)
            while self._size > self._limit and len(self._builds) > 1:
                _, old = self._builds.popitem(last=False)
                self._size -= _size(old)


def _size(build: Build) -> int:
    return sum(len(body) for _, body in build.files) + len(build.output)


def build(slot: Slot, toolchain: Toolchain, source: bytes, limits: Limits, cache: BuildCache) -> Build:
    """Compile, or check the syntax where the language has no compiler. A refusal is kept too; a lost sandbox
    is not."""
    language = toolchain.language
    words = language.compile or language.check
    main = main_class(source) if "{main}" in language.source else ""
    name = language.source.replace("{main}", main)
    if not words:
        return Build(((name, source),))
    command = command_for(words, toolchain, limits.compile_memory_mb, main)
    text = "\0".join((*command, toolchain.version, str(limits.compile_s), str(limits.compile_memory_mb)))
    key = hashlib.sha256(text.encode() + b"\0" + source).hexdigest()
    if (known := cache.get(key)) is not None:
        return known
    made = replace(_compile(slot, language, command, name, source, limits), main=main)
    if made.failure is None or made.failure.failed is None:
        cache.put(key, made)
    return made


def _compile(
    slot: Slot, language: Language, command: list[str], name: str, source: bytes, limits: Limits
) -> Build:
    with _Work(slot) as work:
        order = Order(
            number=slot.next_number(),
            role=Role.COMPILE,
            cpu=int(limits.compile_s) + 2,
            memory=0,
            output=_ARTEFACTS_MAX,
            scratch=_COMPILE_SCRATCH,
            argv=tuple(command),
            environment=language.environment,
            files=(name,),
            fetch=language.artefacts if language.compile else (),
            work=work.path,
        )
        bounds = Bounds(limits.compile_s, 30.0, limits.compile_memory_mb << 20, _ARTEFACTS_MAX)
        run = Run(order.number, bounds, Calls(), shim=True, tree=True)
        null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        code, out, err, archive = (
            memfiles.sealed(source),
            memfiles.empty(),
            memfiles.empty(),
            memfiles.empty(),
        )
        with memfiles.closing(null, code, out, err, archive):
            slot.send(order, [null, out, err, code, archive])
            watch(slot, [run])
            collect(run.outcome, out, err, 1 << 20)
            data, _ = memfiles.contents(archive, 2 * _ARTEFACTS_MAX)
    outcome = run.outcome
    said = (outcome.stdout + outcome.stderr).decode("utf-8", "replace")
    ruling = rule(outcome, bounds)
    if ruling.verdict is None:
        files = tuple(unpack_archive(data)) if language.compile else ((name, source),)
        if files:
            return Build(files, output=said)
        said += "\nthe compiler produced no program"
    if ruling.verdict is Verdict.IE:
        outcome.failed = ruling.reason  # of the judge's making, such as a starved compiler: not to be kept
    else:
        outcome.compile_error = (
            f"{said.strip()}\n" if ruling.verdict in (None, Verdict.RE) else _stopped(ruling.reason, said)
        )
    return Build((), output=said, failure=outcome)


def _stopped(reason: str, said: str) -> str:
    return f"{said.strip()}\nthe compiler was stopped: {reason}\n"


class Native:
    """Runs what a build made; a `stdio.Runner`."""

    def __init__(
        self,
        slot: Slot,
        toolchain: Toolchain,
        files: Files,
        limits: Limits,
        *,
        main: str = "",
        argv: tuple[str, ...] = (),
    ) -> None:
        self._slot = slot
        self._toolchain = toolchain
        self._files = files
        self._limits = limits
        self._main = main
        self._arguments = argv
        bounds = bounds_of(limits)
        self.bounds = replace(bounds, memory=bounds.memory + (toolchain.language.overhead_mb << 20))

    def start(self, stdin: int, out: int, err: int, more: Files = ()) -> tuple[Run, _Work]:
        """Order the run without waiting for it. `more`: further files laid out beside the program's own."""
        language = self._toolchain.language
        files = (*self._files, *more)
        work = _Work(self._slot)
        scratch = self._limits.scratch_mb << 20
        size = sum(len(body) for _, body in files)
        order = Order(
            number=self._slot.next_number(),
            role=Role.NATIVE,
            cpu=int(self._limits.cpu_s) + 2,
            memory=(self._limits.memory_mb << 20) + SLACK if language.address_space else 0,
            output=self._limits.output_kb << 10,
            scratch=scratch,
            room=scratch + size + (len(files) << 12) + _MINIMUM_SCRATCH,
            argv=(
                *command_for(language.run, self._toolchain, self._limits.memory_mb, self._main),
                *self._arguments,
            ),
            environment=language.environment,
            files=tuple(name for name, _ in files),
            quiet=language.quiet,
            work=work.path,
        )
        run = Run(order.number, self.bounds, Calls(execs=1), shim=True)
        laid = [memfiles.sealed(body) for _, body in files]
        with memfiles.closing(*laid):
            self._slot.send(order, [stdin, out, err, *laid])
        return run, work

    def run(self, stdin: int, extra: tuple[int, ...] = (), more: Files = ()) -> Outcome:
        out, err = memfiles.empty(), memfiles.empty()
        with memfiles.closing(out, err):
            run, work = self.start(stdin, out, err, more)
            with work:
                watch(self._slot, [run])
            collect(run.outcome, out, err, run.bounds.output)
        return run.outcome


class _Work:
    """The working directory where there are no namespaces to make one: private to the run, emptied after it."""

    def __init__(self, slot: Slot) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.path = ""
        if "namespaces" not in slot.config.layers:
            self._folder = tempfile.TemporaryDirectory(prefix="judge-")
            self.path = self._folder.name
            if slot.config.uid:
                os.chown(self.path, slot.config.uid, slot.config.uid)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._folder is not None:
            self._folder.cleanup()
