"""What the kernel and the watch saw of a finished run, and the table that makes it a verdict."""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass, field
from enum import Enum

from .verdict import Verdict


class Kill(Enum):
    """Why the judge ended a run. STARVED: the machine gave it no processor for so long that nothing can be
    said."""

    CPU = "cpu"
    IDLE = "idle"
    MEMORY = "memory"
    HOSTILE = "hostile"
    SELF = "self"
    CANCELLED = "cancelled"
    STARVED = "starved"


@dataclass(slots=True)
class Outcome:
    """Times in seconds, sizes in bytes. `exit_code` is negative for a signal, as subprocess has it."""

    exit_code: int = 0
    cpu_s: float = 0.0
    wall_s: float = 0.0
    peak: int = 0
    stdout: bytes = b""
    stderr: bytes = b""
    stdout_size: int = 0
    stderr_size: int = 0
    killed: Kill | None = None
    hostile: str = ""
    denied: dict[str, int] = field(default_factory=dict)
    own_signal: int = 0
    compile_error: str | None = None
    failed: str | None = None
    compiled: bool = True


@dataclass(frozen=True, slots=True)
class Bounds:
    """The limits of one run in the kernel's units."""

    cpu_s: float
    idle_s: float
    memory: int
    output: int


@dataclass(frozen=True, slots=True)
class Ruling:
    """A verdict, or None where the run ended well and its answer decides. `soft`: calls that were denied."""

    verdict: Verdict | None
    reason: str = ""
    soft: tuple[str, ...] = ()


_NEAR_MEMORY = 0.95
_OUT_OF_MEMORY = (
    re.compile(rb"^MemoryError\b", re.MULTILINE),
    re.compile(rb"std::bad_alloc|std::bad_array_new_length"),
    re.compile(rb"java\.lang\.OutOfMemoryError"),
    re.compile(rb"heap out of memory|Array buffer allocation failed"),
    re.compile(rb"memory allocation of \d+ bytes failed"),
    re.compile(rb"Allowed memory size of \d+ bytes exhausted"),
)
_TAIL = 8192


def rule(outcome: Outcome, bounds: Bounds) -> Ruling:
    """The table: the first line that applies. See docs/judge.md, "Verdicts"."""
    soft = tuple(sorted(outcome.denied))
    if outcome.failed is not None:
        return Ruling(Verdict.IE, outcome.failed)
    if outcome.hostile:
        return Ruling(Verdict.SV, outcome.hostile)
    if outcome.exit_code == -signal.SIGSYS:
        return Ruling(Verdict.SV, "SIGSYS")
    if outcome.compile_error is not None:
        return Ruling(Verdict.CE, _complaint(outcome.compile_error.encode()))
    if not outcome.compiled and outcome.exit_code != 0:
        return Ruling(Verdict.CE, f"the compiler was stopped: {_how_it_ended(outcome)}")
    for size, name in ((outcome.stdout_size, "stdout"), (outcome.stderr_size, "stderr")):
        if size >= bounds.output:
            return Ruling(Verdict.OLE, name)
    if _short_of_memory(outcome, bounds):
        over = outcome.peak > bounds.memory
        return Ruling(Verdict.MLE, f"{outcome.peak >> 20} MB" if over else "out of memory")
    too_long = outcome.cpu_s > bounds.cpu_s or outcome.killed is Kill.CPU
    if too_long or outcome.exit_code == -signal.SIGXCPU:
        return Ruling(Verdict.TLE, "cpu")
    if outcome.killed is Kill.IDLE:
        return Ruling(Verdict.TLE, "idle")
    if outcome.killed in (Kill.STARVED, Kill.CANCELLED):
        return Ruling(Verdict.IE, outcome.killed.value)
    if outcome.exit_code != 0:
        if soft:
            return Ruling(Verdict.SV, soft[0], soft)
        return Ruling(Verdict.RE, _how_it_ended(outcome))
    return Ruling(None, "", soft)


def _short_of_memory(outcome: Outcome, bounds: Bounds) -> bool:
    if outcome.peak > bounds.memory or outcome.killed is Kill.MEMORY:
        return True
    if outcome.exit_code == 0:
        return False
    if any(pattern.search(outcome.stderr[-_TAIL:]) for pattern in _OUT_OF_MEMORY):
        return True
    ours = outcome.killed is not None or outcome.own_signal
    fatal = outcome.exit_code in (-signal.SIGSEGV, -signal.SIGKILL)
    return fatal and not ours and outcome.peak >= _NEAR_MEMORY * bounds.memory


def _how_it_ended(outcome: Outcome) -> str:
    number = outcome.own_signal or (-outcome.exit_code if outcome.exit_code < 0 else 0)
    if number:
        try:
            return signal.Signals(number).name
        except ValueError:
            return f"signal {number}"
    error = exception_name(outcome.stderr)
    return error or f"exit code {outcome.exit_code}"


_EXCEPTION = re.compile(
    rb"^((?:[A-Za-z_][\w.]*)?(?:Error|Exception|Exit|Interrupt|Warning|Iteration)[\w.]*)(?::|$)"
)
_RUNTIMES = re.compile(
    rb"Exception in thread .*? ([\w.$]+(?:Error|Exception))|^(panic: .*)|thread '.*' .*panicked|^thread '.*' panicked"
)


def exception_name(stderr: bytes) -> str:
    """The uncaught exception's type, from the last lines a runtime printed."""
    lines = stderr[-_TAIL:].strip().splitlines()
    for line in reversed(lines[-20:]):
        if match := _EXCEPTION.match(line.strip()):
            return match[1].decode("utf-8", "replace")[:120]
    for line in stderr[:_TAIL].splitlines():  # a stack trace follows, however long
        if match := _RUNTIMES.search(line):
            return (match[1] or match[2] or b"panic").decode("utf-8", "replace")[:120]
    return ""


_COMPLAINT = re.compile(rb"\b(fatal error|error)\b(\[E\d+\])?:|^[A-Za-z]*Error\b|was stopped:")


def _complaint(text: bytes) -> str:
    """The first line of a compiler's output that says what is wrong; failing that, the last line."""
    lines = [line for line in text.splitlines() if line.strip()]
    found = next((line for line in lines if _COMPLAINT.search(line)), lines[-1] if lines else b"")
    return found.decode("utf-8", "replace").strip()[:300]
