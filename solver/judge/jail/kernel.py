"""The kernel calls the standard library does not offer, one function each. Every failure is an OSError that
names it."""

from __future__ import annotations

import ctypes
import os
import struct

from .syscalls import architecture

ARCH = architecture()
NR = ARCH.numbers

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
MNT_DETACH = 2

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 4, 36, 38
_CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)
_syscall = _libc.syscall
_syscall.restype = ctypes.c_long


def syscall(name: str, *args: int | bytes | ctypes.Array[ctypes.c_char] | None) -> int:
    values: list[object] = [
        ctypes.c_ulong(arg & 0xFFFFFFFFFFFFFFFF) if isinstance(arg, int) else arg for arg in args
    ]
    result: int = _syscall(ctypes.c_long(NR[name]), *values)
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), name)
    return result


def prctl(option: int, value: int = 0) -> None:
    syscall("prctl", option, value, 0, 0, 0)


def unshare(flags: int) -> None:
    syscall("unshare", flags)


def setns(fd: int, kind: int) -> None:
    syscall("setns", fd, kind)


def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    try:
        syscall("mount", source.encode(), target.encode(), kind.encode(), flags, data.encode())
    except OSError as error:
        raise OSError(error.errno, error.strerror, f"mount {kind or source} on {target}") from None


def umount(target: str) -> None:
    syscall("umount2", target.encode(), MNT_DETACH)


def pivot_root(new: str, old: str) -> None:
    syscall("pivot_root", new.encode(), old.encode())


_MOUNT_ATTR_RDONLY, _MOUNT_ATTR_NOSUID, _MOUNT_ATTR_NODEV = 1, 2, 4
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000


def make_read_only(path: str) -> None:
    """The mount at `path` and all below it: read-only, no set-uid, no devices."""
    attributes = struct.pack("QQQQ", _MOUNT_ATTR_RDONLY | _MOUNT_ATTR_NOSUID | _MOUNT_ATTR_NODEV, 0, 0, 0)
    buffer = ctypes.create_string_buffer(attributes, len(attributes))
    syscall("mount_setattr", _AT_FDCWD, path.encode(), _AT_RECURSIVE, buffer, len(attributes))


def sethostname(name: str) -> None:
    syscall("sethostname", name.encode(), len(name))


def close_from(first: int) -> None:
    syscall("close_range", first, 0xFFFFFFFF, 0)


_NO_CAPABILITIES = ctypes.create_string_buffer(24)
_CAPABILITY_HEADER = ctypes.create_string_buffer(struct.pack("Ii", _CAPABILITY_VERSION_3, 0), 8)


def drop_capabilities() -> None:
    """Empty every set. No execve follows in the Python path, so the kernel would not do it for us."""
    syscall("capset", _CAPABILITY_HEADER, _NO_CAPABILITIES)
