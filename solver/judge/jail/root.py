"""The file system a slot sees: a small read-only tmpfs with read-only binds of the system and the
interpreter.

Needs a mount namespace of its own. Nothing of the machine but the named roots is reachable afterwards.
"""

from __future__ import annotations

import contextlib
import os

from . import kernel
from .kernel import MS_BIND, MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_PRIVATE, MS_RDONLY, MS_REC, MS_REMOUNT

SYSTEM = ("/usr", "/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime")
LINKS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
DEVICES = ("null", "zero", "full", "random", "urandom")
WORK = "/box"
_STANDARD = (("stdin", "self/fd/0"), ("stdout", "self/fd/1"), ("stderr", "self/fd/2"), ("fd", "self/fd"))


def build(roots: tuple[str, ...], stage: str) -> bool:
    """Build the new root on the empty directory `stage`, move into it and forget the old one.

    Returns whether /proc could be mounted: a container that masks parts of /proc refuses a fresh one.
    """
    kernel.mount("none", "/", "", MS_REC | MS_PRIVATE)
    kernel.mount("tmpfs", stage, "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,nr_inodes=1024,mode=755")
    for path in (*SYSTEM, *roots):
        _bind(path, stage)
    for name in LINKS:
        path = f"/{name}"
        if os.path.islink(path):
            os.symlink(os.readlink(path), f"{stage}/{name}")
        elif os.path.isdir(path):
            _bind(path, stage)
    os.mkdir(f"{stage}/dev")
    for name in DEVICES:
        _touch(f"{stage}/dev/{name}")
        kernel.mount(f"/dev/{name}", f"{stage}/dev/{name}", "", MS_BIND)
    os.mkdir(f"{stage}/proc")
    for name, target in _STANDARD:
        os.symlink(f"/proc/{target}", f"{stage}/dev/{name}")
    os.mkdir(f"{stage}{WORK}")
    os.symlink(WORK[1:], f"{stage}/tmp")
    has_proc = _mount_proc(f"{stage}/proc")
    os.chdir(stage)
    kernel.pivot_root(".", ".")
    kernel.umount(".")
    os.chdir("/")
    kernel.mount("none", "/", "", MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV)
    return has_proc


def _mount_proc(target: str) -> bool:
    """A view of processes only, and only of those the viewer may inspect: its own."""
    flags = MS_NOSUID | MS_NODEV | MS_NOEXEC
    for options in ("hidepid=invisible,subset=pid", "hidepid=2"):
        with contextlib.suppress(OSError):
            kernel.mount("proc", target, "proc", flags, options)
            return True
    return False


def _bind(path: str, stage: str) -> None:
    if not os.path.exists(path):
        return
    target = stage + path
    if os.path.isdir(path):
        os.makedirs(target, exist_ok=True)
    else:
        _touch(target)
    kernel.mount(path, target, "", MS_BIND | MS_REC)
    try:
        kernel.make_read_only(target)
    except OSError:  # before Linux 5.12
        # A user namespace may not clear flags the mount already has, so they are named again.
        kept = os.statvfs(target).f_flag & (MS_NOEXEC | 1024 | 2048 | 4096)
        kernel.mount("none", target, "", MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | kept)


def _touch(path: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "x"):
        pass
