"""The judge's end of one sandbox: starts its launcher, sends orders, receives records.

The launcher is exec'd, never forked: the owner may have threads, a large heap and secrets in its environment.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
import subprocess
import sys
from dataclasses import dataclass

from .cgroup import Group
from .errors import SandboxUnavailable, SlotLost
from .jail.spec import JailConfig, Order, Tag, receive, send, unpack

_JAIL_HOME = os.path.dirname(os.path.abspath(__file__))
_BOOT = "import sys; sys.path.insert(0, sys.argv.pop(1)); from jail import launcher; sys.path.pop(0); launcher.main()"
_START_SECONDS = 60.0
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONHASHSEED": "0"}


@dataclass(frozen=True, slots=True)
class Record:
    tag: Tag
    number: int
    body: bytes
    descriptors: list[int]
    pid: int


class Slot:
    """One launcher and its zygote. Used by one thread at a time."""

    def __init__(self, config: JailConfig, python: str, group: Group | None = None) -> None:
        self.group = group
        self.has_proc = False
        self.config = config
        self.python = python
        self.address_space = 0
        self.runs = 0
        self._number = 0
        self.channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.channel.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        owner = os.pidfd_open(os.getpid())
        os.set_inheritable(owner, True)
        try:
            self._process = subprocess.Popen(
                [
                    python, "-S", "-s", "-P", "-B", "-X", "utf8", "-c", _BOOT,
                    _JAIL_HOME, str(theirs.fileno()), str(owner), config.dump(),
                ],
                pass_fds=(theirs.fileno(), owner),
                env=_ENVIRONMENT,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )  # fmt: skip
        finally:
            theirs.close()
            os.close(owner)
        try:
            if group is not None:
                group.add(self._process.pid)
            self._await_ready()
        except BaseException:
            self.close()
            raise

    def _await_ready(self) -> None:
        if not select.select([self.channel], [], [], _START_SECONDS)[0]:
            raise SandboxUnavailable(f"the sandbox did not start within {_START_SECONDS:.0f} s")
        try:
            record = self.receive()
        except SlotLost:
            assert self._process.stderr is not None
            tail = self._process.stderr.read()[-600:].decode("utf-8", "replace").strip()
            raise SandboxUnavailable(f"the sandbox ended while it started: {tail or 'no message'}") from None
        if record.tag is not Tag.READY:
            raise SandboxUnavailable(
                f"the sandbox could not be built: {record.body.decode('utf-8', 'replace')}"
            )
        self.address_space, self.has_proc = struct.unpack("=Q?", record.body)

    def next_number(self) -> int:
        self._number += 1
        return self._number

    def send(self, order: Order, descriptors: list[int]) -> None:
        try:
            send(self.channel, order.dump(), descriptors)
        except OSError as error:
            raise SlotLost(f"the sandbox is gone: {error.strerror}") from None
        self.runs += 1

    def receive(self) -> Record:
        return receive_record(self.channel)

    @property
    def pid(self) -> int:
        return self._process.pid

    def abandon(self) -> None:
        """End it while another thread uses it; that thread sees the channel end, or has closed it meanwhile."""
        with contextlib.suppress(OSError):
            self.channel.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Closing the channel ends the zygote and with it every run; the launcher follows."""
        self.channel.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stderr is not None:
            self._process.stderr.close()
        if self.group is not None:
            self.group.remove()


def receive_record(channel: socket.socket) -> Record:
    try:
        data, descriptors, pid = receive(channel)
    except OSError as error:
        raise SlotLost(f"the sandbox is gone: {error.strerror}") from None
    if not data:
        raise SlotLost("the sandbox is gone")
    try:
        tag, number, body = unpack(data)
    except (ValueError, struct.error):
        raise SlotLost("the sandbox sent nonsense") from None
    return Record(tag, number, body, descriptors, pid)


def base_python() -> str:
    """The interpreter behind the virtual environment, if this is one: it has no packages of the product."""
    return os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)
