"""Says what this machine can promise and, where it is less than it could be, what would mend it."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from . import machine
from .cgroup import find_delegated
from .errors import SandboxUnavailable
from .jail import landlock
from .jail.spec import LAYERS
from .languages import LANGUAGES, find_toolchain
from .slot import base_python
from .verdict import Level


@dataclass(frozen=True, slots=True)
class Probe:
    """One thing tried, not looked up. `mend` is empty where it worked."""

    name: str
    ok: bool
    detail: str = ""
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    key: str
    title: str
    version: str


@dataclass(frozen=True, slots=True)
class Doctor:
    level: Level
    probes: tuple[Probe, ...]
    languages: tuple[Found, ...]
    missing: tuple[str, ...]
    reasons: tuple[str, ...] = field(default=())
    kernel: str = ""
    interpreter: str = ""

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "level": self.level.value}

    def text(self) -> str:
        lines = [
            f"level {self.level.value}: {self.level.label}",
            f"kernel {self.kernel}, interpreter {self.interpreter}",
        ]
        for probe in self.probes:
            lines.append(f"  {'ok  ' if probe.ok else 'FAIL'} {probe.name}: {probe.detail}")
            if probe.mend:
                lines.append(f"       mend: {probe.mend}")
        lines += [f"  language {found.title}: {found.version}" for found in self.languages]
        lines += [f"  missing  {title}" for title in self.missing]
        return "\n".join((*lines, *(f"  note: {reason}" for reason in self.reasons)))


def doctor(python: str | None = None) -> Doctor:
    """Builds each kind of sandbox once and attacks it from within; takes about a second."""
    interpreter = os.path.realpath(python) if python else base_python()
    probes = [
        *_kernel_probes(),
        *(_layer_probe(interpreter, level) for level in (Level.L2, Level.L1)),
        _cgroup_probe(),
    ]
    try:
        isolation, slot = machine.settle(interpreter, None, ())
        slot.close()
        level, reasons = isolation.level, isolation.reasons
    except SandboxUnavailable as error:
        level, reasons = Level.L0, (str(error),)
    found, missing = _languages()
    return Doctor(level, tuple(probes), found, missing, reasons, machine.kernel_name(), interpreter)


def _kernel_probes() -> list[Probe]:
    return [
        _try(
            "seccomp",
            _has_seccomp,
            "Linux with CONFIG_SECCOMP_FILTER; in a container, allow the seccomp call",
        ),
        _try("landlock", _landlock_version, "Linux >= 5.13 with landlock in the lsm= list"),
        _try("pidfd", _has_pidfd, "Linux >= 5.3"),
    ]


def _try(name: str, act: Callable[[], str], mend: str) -> Probe:
    try:
        return Probe(name, True, act())
    except OSError as error:
        return Probe(name, False, error.strerror or str(error), mend)


def _has_seccomp() -> str:
    with open("/proc/sys/kernel/seccomp/actions_avail") as file:
        actions = file.read().split()
    for action in ("user_notif", "kill_process", "errno"):
        if action not in actions:
            raise OSError(95, f"the kernel lacks the action {action}")
    return " ".join(actions)


def _has_pidfd() -> str:
    os.close(os.pidfd_open(os.getpid()))
    return "works"


def _landlock_version() -> str:
    version = landlock.abi()
    if not version:
        raise OSError(95, "not in this kernel, or not enabled")
    return f"ABI {version}"


def _layer_probe(python: str, level: Level) -> Probe:
    """A whole sandbox of the level, built and attacked from within."""
    layers = LAYERS if level is Level.L2 else ("seccomp", "landlock")
    name = f"sandbox {level.value} ({', '.join(layers)})"
    try:
        slot = machine.start_at(level, python, ())
    except SandboxUnavailable as error:
        return Probe(name, False, str(error), machine.mend(level, str(error)))
    with_proc = " with /proc" if slot.has_proc else " without /proc (/dev/stdin will not open)"
    breach = machine.self_test(slot)
    slot.close()
    if breach:
        return Probe(
            name, False, breach, "a layer is accepted by the kernel but does not hold; do not judge here"
        )
    return Probe(name, True, f"built and attacked from within{with_proc if level is Level.L2 else ''}")


def _cgroup_probe() -> Probe:
    group = find_delegated()
    if isinstance(group, str):
        return Probe("cgroup", False, group, "delegate memory and pids: systemd Delegate=yes, or run as root")
    return Probe("cgroup", True, f"{group.root}: memory and processes are bounded for the whole tree")


def _languages() -> tuple[tuple[Found, ...], tuple[str, ...]]:
    found = [Found("python", "Python 3", f"Python {sys.version.split()[0]}")]
    missing: list[str] = []
    for key, language in LANGUAGES.items():
        if key == "python":
            continue
        toolchain = find_toolchain(key)
        if toolchain is None:
            missing.append(f"{language.title}: needs {' and '.join(language.tools)}")
        else:
            found.append(Found(key, language.title, toolchain.version))
    return tuple(found), tuple(missing)


def main(argv: Sequence[str]) -> int:
    """Exit code 0 when programs can be judged here."""
    parser = argparse.ArgumentParser(prog="doctor", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--python", help="the interpreter that runs programs")
    options = parser.parse_args(argv)
    result = doctor(options.python)
    print(json.dumps(result.to_dict(), indent=2) if options.json else result.text())
    return 0 if result.level >= Level.L1 else 1
