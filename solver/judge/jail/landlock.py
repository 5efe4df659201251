"""Landlock: which files may be read, written and executed, and no TCP, no signals and no abstract sockets
outwards."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable

from .kernel import syscall

(
    EXECUTE,
    WRITE_FILE,
    READ_FILE,
    READ_DIR,
    REMOVE_DIR,
    REMOVE_FILE,
    MAKE_CHAR,
    MAKE_DIR,
    MAKE_REG,
    MAKE_SOCK,
    MAKE_FIFO,
    MAKE_BLOCK,
    MAKE_SYM,
    REFER,
    TRUNCATE,
    IOCTL_DEV,
) = (1 << bit for bit in range(16))
_ON_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
_FIRST_ABI = (1 << 13) - 1
READ = EXECUTE | READ_FILE | READ_DIR
DEVICE = READ_FILE | WRITE_FILE
SCRATCH = (
    WRITE_FILE
    | READ_FILE
    | READ_DIR
    | REMOVE_DIR
    | REMOVE_FILE
    | MAKE_DIR
    | MAKE_REG
    | MAKE_SYM
    | REFER
    | TRUNCATE
)
_VERSION_FLAG = 1
_RULE_PATH_BENEATH = 1
_NET_TCP = 3
_SCOPE_SOCKET_AND_SIGNAL = 3


def abi() -> int:
    """0 where the kernel has no Landlock."""
    try:
        return syscall("landlock_create_ruleset", None, 0, _VERSION_FLAG)
    except OSError:
        return 0


class Ruleset:
    """Rules under construction. Everything is denied that no rule allows."""

    def __init__(self, version: int) -> None:
        self._handled = _FIRST_ABI
        if version >= 2:
            self._handled |= REFER
        if version >= 3:
            self._handled |= TRUNCATE
        if version >= 5:
            self._handled |= IOCTL_DEV
        network = _NET_TCP if version >= 4 else 0
        scopes = _SCOPE_SOCKET_AND_SIGNAL if version >= 6 else 0
        size = 24 if version >= 6 else 16 if version >= 4 else 8
        attributes = struct.pack("QQQ", self._handled, network, scopes)[:size]
        buffer = ctypes.create_string_buffer(attributes, size)
        self.fd = syscall("landlock_create_ruleset", buffer, size, 0)

    def allow(self, path: str, access: int) -> None:
        """Beneath `path`; one that does not exist is passed over."""
        try:
            fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            return
        try:
            if not os.path.isdir(path):
                access &= _ON_FILES
            rule = struct.pack("=Qi", access & self._handled, fd)
            syscall(
                "landlock_add_rule", self.fd, _RULE_PATH_BENEATH, ctypes.create_string_buffer(rule, 12), 0
            )
        finally:
            os.close(fd)

    def allow_all(self, paths: Iterable[str], access: int) -> None:
        for path in paths:
            self.allow(path, access)

    def close(self) -> None:
        os.close(self.fd)


def restrict(fd: int) -> None:
    """Enter the domain of a ruleset for good. The caller has set no_new_privs."""
    syscall("landlock_restrict_self", fd, 0)
