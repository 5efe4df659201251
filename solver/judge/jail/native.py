"""Runs an executable, or a compiler, under a small init.

The init is process 1 of the run's namespace: the program below it gets true exit signals, and everything it
left behind dies when the init ends. The working directory is a fresh tmpfs (without namespaces: a directory
the judge made).
"""

from __future__ import annotations

import errno
import fnmatch
import os
import signal
import socket
import stat
import struct
from typing import NoReturn

from . import confine, kernel, landlock, policy
from .kernel import MS_NODEV, MS_NOSUID
from .root import WORK
from .spec import Order, Role, Tag, Usage, pack, send

_BASE_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
_ARCHIVE_HEAD = struct.Struct("=HQI")
_FILES_MAX = 1000


def run(slot: confine.Slot, order: Order, extra: list[int], channel: socket.socket) -> NoReturn:
    """`extra`: one descriptor per file to lay out, then the archive for what a compilation leaves."""
    work = _prepare(slot, order)
    for name, fd in zip(order.files, extra, strict=False):
        _write_file(name, fd)
    if order.role is Role.NATIVE and not order.scratch and slot.has("namespaces"):
        kernel.make_read_only(work)
    kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
    process = os.fork()
    if process == 0:
        _become_program(slot, order, work, channel)
    _, status, usage = os.wait4(process, 0)
    _kill_leftovers(slot)
    if order.fetch and status == 0:
        _archive(order.fetch, extra[len(order.files)], order.output)
    record = Usage(status, usage.ru_utime, usage.ru_stime, usage.ru_maxrss, usage.ru_minflt)
    send(channel, pack(Tag.ENDED, order.number, record.pack()), [])
    os._exit(0)


def _prepare(slot: confine.Slot, order: Order) -> str:
    work = WORK if slot.has("namespaces") else order.work
    if slot.has("namespaces"):
        kernel.unshare(kernel.CLONE_NEWNS)
        mount_work(max(order.scratch, order.room))
    os.chdir(work)
    return work


def mount_work(size: int) -> None:
    """A fresh tmpfs on the working directory, in a mount namespace of the caller's own."""
    kernel.mount("tmpfs", WORK, "tmpfs", MS_NOSUID | MS_NODEV, f"size={size},nr_inodes=4096,mode=700")


def _write_file(name: str, source: int) -> None:
    size = os.fstat(source).st_size
    target = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o755)
    offset = 0
    while offset < size:
        sent = os.sendfile(target, source, offset, size - offset)
        if not sent:
            raise OSError(errno.EIO, "short copy", name)
        offset += sent
    os.close(target)


def _become_program(slot: confine.Slot, order: Order, work: str, channel: socket.socket) -> NoReturn:
    try:
        for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)  # ignored ones would stay ignored across exec
        confine.limit(slot, order, processes=512, files=256)
        ruleset = _ruleset(slot, order, work)
        own = os.pidfd_open(os.getpid())
        kept = [channel.fileno(), own, *([ruleset] if ruleset >= 0 else [])]
        confine.keep_only(kept)
        kind = policy.Kind.COMPILE if order.role is Role.COMPILE else policy.Kind.NATIVE
        program = policy.build(kind, pid=os.getpid(), quiet=order.quiet).assemble()
        environment = _BASE_ENVIRONMENT | {"HOME": work, "TMPDIR": work} | dict(order.environment)
        listener = confine.seal(slot, ruleset, program, listen=True)
        send(channel, pack(Tag.HELLO, order.number), [own, listener] if listener >= 0 else [own])
        os.set_inheritable(own, False)
        os.execve(order.argv[0], order.argv, environment)
    except OSError as error:
        text = f"{order.argv[0]}: {error.strerror}"
        send(channel, pack(Tag.FAILED, order.number, text.encode()), [])
    finally:
        os._exit(125)


def _ruleset(slot: confine.Slot, order: Order, work: str) -> int:
    if not slot.landlock_abi:
        return -1
    rules = confine.ruleset_for(slot.config, slot.landlock_abi)
    if order.role is Role.COMPILE:
        rules.allow(work, landlock.SCRATCH)
    elif order.scratch:
        rules.allow(work, landlock.SCRATCH | landlock.EXECUTE)
    else:
        rules.allow(work, landlock.READ)
    return rules.fd


def _kill_leftovers(slot: confine.Slot) -> None:
    """Without a namespace that dies with us, orphans come back to us as their reaper and are ended here."""
    if slot.has("namespaces"):
        return
    while True:
        with open(f"/proc/self/task/{os.getpid()}/children") as file:
            children = [int(word) for word in file.read().split()]
        if not children:
            return
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _archive(patterns: tuple[str, ...], target: int, limit: int) -> None:
    """Pack the regular files that match. The compiler's inputs were hostile, so links are never followed."""
    total = 0
    names = sorted(name for name in os.listdir(".") if any(fnmatch.fnmatchcase(name, p) for p in patterns))
    with open(target, "wb", closefd=False) as out:
        for name in names[:_FILES_MAX]:
            try:
                fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError:
                continue
            with open(fd, "rb") as file:
                state = os.fstat(fd)
                total += state.st_size
                if not stat.S_ISREG(state.st_mode) or total > limit:
                    continue
                label = name.encode("utf-8", "surrogateescape")
                out.write(_ARCHIVE_HEAD.pack(len(label), state.st_size, state.st_mode & 0o777) + label)
                while block := file.read(1 << 20):
                    out.write(block)


def unpack_archive(data: bytes) -> list[tuple[str, bytes]]:
    """What `_archive` packed; ValueError when it does not hold together."""
    files: list[tuple[str, bytes]] = []
    offset = 0
    while offset < len(data):
        try:
            length, size, _ = _ARCHIVE_HEAD.unpack_from(data, offset)
        except struct.error:
            raise ValueError("truncated archive") from None
        offset += _ARCHIVE_HEAD.size
        label = data[offset : offset + length].decode("utf-8", "surrogateescape")
        body = data[offset + length : offset + length + size]
        if len(body) != size or "/" in label or label in ("", ".", ".."):
            raise ValueError(f"bad archive entry {label!r}")
        files.append((label, body))
        offset += length + size
    return files
