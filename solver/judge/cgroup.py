"""Memory and process bounds for a whole process tree, where the system delegates a cgroup (version 2) to us.

systemd does with `Delegate=yes` and `DelegateSubgroup=main`: our own group is then a leaf, and its parent,
which is ours to write, hands `memory` and `pids` to its children. Slots become our siblings there.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass

_NEEDED = ("memory", "pids")
_PROCESSES = 1024


@dataclass(frozen=True, slots=True)
class Delegated:
    """A directory under which groups may be made."""

    root: str

    def make(self, name: str, memory: int) -> Group:
        group = Group(os.path.join(self.root, name))
        os.mkdir(group.path)
        group.write("pids.max", str(_PROCESSES))
        group.write("memory.swap.max", "0")
        group.bound(memory)
        return group


@dataclass(frozen=True, slots=True)
class Group:
    path: str

    def write(self, name: str, text: str) -> None:
        with open(os.path.join(self.path, name), "w") as file:
            file.write(text)

    def bound(self, memory: int) -> None:
        self.write("memory.max", str(memory))

    def add(self, pid: int) -> None:
        self.write("cgroup.procs", str(pid))

    def kills(self) -> int:
        """How often the kernel ended a process of the group for want of memory."""
        with open(os.path.join(self.path, "memory.events")) as file:
            for line in file:
                name, _, count = line.partition(" ")
                if name == "oom_kill":
                    return int(count)
        return 0

    def remove(self) -> None:
        with contextlib.suppress(OSError):
            self.write("cgroup.kill", "1")
        for _ in range(100):
            try:
                os.rmdir(self.path)
            except FileNotFoundError:
                return
            except OSError:
                time.sleep(0.01)  # the dead leave the group a moment after they are killed
            else:
                return


def find_delegated(
    mounts: tuple[str, ...] = ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"), own: str = "/proc/self/cgroup"
) -> Delegated | str:
    """The place for groups, or why there is none."""
    mount = next((path for path in mounts if os.path.exists(os.path.join(path, "cgroup.controllers"))), None)
    if mount is None:
        return "no cgroup version 2 is mounted"
    with open(own) as file:
        entry = next((line[3:].strip() for line in file if line.startswith("0::")), "/")
    if entry == "/":
        return "this process is in the root group; run it as a service with Delegate=yes and DelegateSubgroup=main"
    parent = os.path.dirname(os.path.join(mount, entry.lstrip("/")))
    try:
        with open(os.path.join(parent, "cgroup.subtree_control")) as file:
            given = file.read().split()
    except OSError as error:
        return f"{parent}: {error.strerror}"
    lacking = [name for name in _NEEDED if name not in given]
    if lacking:
        return f"{parent} does not hand {' and '.join(lacking)} to its groups"
    if not os.access(parent, os.W_OK) or not os.access(os.path.join(parent, "cgroup.procs"), os.W_OK):
        return f"{parent} is not ours to write"
    return Delegated(parent)
