"""Puts the calling process into the sandbox, for good: limits, no capabilities, Landlock, seccomp."""

from __future__ import annotations

import os
import resource
from dataclasses import dataclass

from . import bpf, kernel, landlock
from .root import DEVICES, LINKS, SYSTEM, WORK
from .spec import JailConfig, Order

_RLIMIT_MSGQUEUE = 12
_STACK_CEILING = resource.RLIM_INFINITY


@dataclass(frozen=True, slots=True)
class Slot:
    """What a zygote knows about the jail it lives in. `ruleset`: Landlock's, -1 without; `address_space`
    bytes."""

    config: JailConfig
    ruleset: int
    landlock_abi: int
    address_space: int
    tasks: int
    own_pid_fd: int
    has_proc: bool

    def has(self, layer: str) -> bool:
        return layer in self.config.layers


def readable_paths(config: JailConfig) -> list[str]:
    return [*SYSTEM, *(f"/{name}" for name in LINKS), *config.roots]


def ruleset_for(config: JailConfig, version: int) -> landlock.Ruleset:
    """Read and execute the system, read and write the harmless devices, nothing else."""
    rules = landlock.Ruleset(version)
    rules.allow_all(readable_paths(config), landlock.READ)
    rules.allow_all((f"/dev/{name}" for name in DEVICES), landlock.DEVICE)
    if "namespaces" in config.layers:  # a /proc of its own, where the processes of others do not show
        rules.allow("/proc", landlock.READ_FILE | landlock.READ_DIR)
        rules.allow(WORK, landlock.READ_DIR)
    return rules


def limit(slot: Slot, order: Order, *, processes: int, files: int) -> None:
    """`cpu` is only the kernel's own backstop, a second above what the judge enforces to the millisecond."""
    _set(resource.RLIMIT_CORE, 0)
    _set(resource.RLIMIT_MEMLOCK, 0)
    _set(_RLIMIT_MSGQUEUE, 0)
    _set(resource.RLIMIT_NOFILE, files)
    _set(resource.RLIMIT_FSIZE, order.output)
    _set(resource.RLIMIT_NPROC, slot.tasks + processes)
    if order.cpu:
        resource.setrlimit(resource.RLIMIT_CPU, (order.cpu, order.cpu + 1))
    if order.memory:
        _set(resource.RLIMIT_AS, slot.address_space + order.memory)


def _set(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(kind, (value, value))


def keep_only(descriptors: list[int]) -> None:
    """Close everything from 3 on but these."""
    start = 3
    for fd in sorted(descriptors):
        if fd > start:
            kernel.syscall("close_range", start, fd - 1, 0)
        start = fd + 1
    kernel.close_from(start)


def seal(slot: Slot, ruleset: int, program: bytes, *, listen: bool) -> int:
    """Capabilities, Landlock, seccomp. Returns the listener, or -1. Only allowed calls work from here on."""
    kernel.drop_capabilities()
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    if ruleset >= 0:
        landlock.restrict(ruleset)
    if not slot.has("seccomp"):
        return -1
    fd = bpf.install(program, listen=listen)
    return fd if listen else -1


def count_tasks(uid: int) -> int:
    """Threads of a user on the whole machine: without a user namespace the process limit counts them all."""
    total = 0
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                if os.stat(f"/proc/{name}").st_uid == uid:
                    total += len(os.listdir(f"/proc/{name}/task"))
            except OSError:
                continue
    return total
