"""The start of a slot: `python -S -s -P -B -c BOOT DIRECTORY SOCKET OWNER CONFIG`.

The judge execs it once per slot with an empty environment. It imports what programs commonly use, builds the
jail and becomes the zygote. Order matters: root must bind an interpreter that only root can reach before it
gives up root, and /proc can only be mounted while the old one is still in sight.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys

from . import confine, kernel, landlock, root, zygote
from .kernel import (
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
)
from .spec import JailConfig, Tag, pack

STACK_BYTES = 256 << 20
_INSIDE_UID = 1000


def main() -> None:
    _grow_stack()
    channel = socket.socket(fileno=int(sys.argv[1]))
    owner = int(sys.argv[2])
    config = JailConfig.load(sys.argv[3])
    os.umask(0o022)
    zygote.preload(config.packages)
    try:
        slot = _enter(config, channel, owner)
    except OSError as error:
        channel.send(pack(Tag.FAILED, 0, f"{error.filename or 'setup'}: {error.strerror}".encode()))
        os._exit(1)
    zygote.serve(slot, channel, owner)


def _grow_stack() -> None:
    """The kernel lays out room for the main thread's stack at exec, so a new limit needs a new exec."""
    soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
    wanted = STACK_BYTES if hard == resource.RLIM_INFINITY else min(STACK_BYTES, hard)
    if soft != wanted:
        resource.setrlimit(resource.RLIMIT_STACK, (wanted, hard))
        os.execv(sys.executable, sys.orig_argv)


def _enter(config: JailConfig, channel: socket.socket, owner: int) -> confine.Slot:
    tasks = 0
    has_proc = True
    if "namespaces" in config.layers:
        if os.getuid() == 0 and config.uid:
            has_proc = _enter_as_root(config, channel, owner)
        else:
            has_proc = _enter_as_user(config, channel, owner)
        kernel.sethostname("box")
    else:
        _become(config.uid)
        tasks = confine.count_tasks(os.getuid())
        kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
    version = landlock.abi() if "landlock" in config.layers else 0
    ruleset = confine.ruleset_for(config, version).fd if version else -1
    return confine.Slot(
        config=config,
        ruleset=ruleset,
        landlock_abi=version,
        address_space=zygote.address_space(),
        tasks=tasks,
        has_proc=has_proc,
        own_pid_fd=os.pidfd_open(os.getpid()) if "namespaces" in config.layers else -1,
    )


def _enter_as_root(config: JailConfig, channel: socket.socket, owner: int) -> bool:
    proc = os.open("/proc", os.O_PATH | os.O_CLOEXEC)
    kernel.unshare(CLONE_NEWNS | CLONE_NEWPID)
    _step_into_pid_namespace(channel, owner)
    has_proc = root.build(config.roots, config.stage)
    _become(config.uid)
    _map_user(proc)
    kernel.unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_NEWPID)
    _step_into_pid_namespace(channel, owner)
    return has_proc


def _enter_as_user(config: JailConfig, channel: socket.socket, owner: int) -> bool:
    proc = os.open("/proc", os.O_PATH | os.O_CLOEXEC)
    _map_user(proc)
    kernel.unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_NEWPID)
    _step_into_pid_namespace(channel, owner)
    return root.build(config.roots, config.stage)


def _become(uid: int) -> None:
    """Give up root for good. Dumpable again afterwards, or the process could not map its own user namespace."""
    if os.getuid() == 0 and uid:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        kernel.prctl(kernel.PR_SET_DUMPABLE, 1)


def _map_user(proc: int) -> None:
    uid, gid = os.getuid(), os.getgid()
    kernel.unshare(CLONE_NEWUSER)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{_INSIDE_UID} {uid} 1"),
        ("gid_map", f"{_INSIDE_UID} {gid} 1"),
    ):
        fd = os.open(f"self/{name}", os.O_WRONLY | os.O_CLOEXEC, dir_fd=proc)
        try:
            os.write(fd, text.encode())
        finally:
            os.close(fd)
    os.close(proc)


def _step_into_pid_namespace(channel: socket.socket, owner: int) -> None:
    """Go on as process 1 of the new namespace; the parent only waits, so that its death and ours are one."""
    pid = os.fork()
    if pid:
        channel.close()
        os.close(owner)
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        _, status = os.waitpid(pid, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
