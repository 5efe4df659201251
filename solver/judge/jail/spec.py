"""What the judge and the sandbox say to each other, over one SOCK_SEQPACKET socket per slot.

To the zygote go orders as JSON with descriptors beside them; no test data is ever in a message. Back come
fixed records: a tag, the run's number and values. A record from a process that runs a program is sent before
the program starts, so a program cannot forge one.
"""

from __future__ import annotations

import array
import json
import socket
import struct
from dataclasses import asdict, dataclass
from enum import Enum, StrEnum
from typing import Any

MESSAGE_MAX = 1 << 16
DESCRIPTORS_MAX = 64


class Role(StrEnum):
    """What a run does. SOLUTION serves calls and TESTS makes them; CHECKED does both in one process; TEMPLATE
    forks once per test."""

    PYTHON = "python"
    CALL = "call"
    SOLUTION = "solution"
    CHECKED = "checked"
    TESTS = "tests"
    TEMPLATE = "template"
    NATIVE = "native"
    COMPILE = "compile"


class Tag(Enum):
    """READY: the zygote serves. HELLO: a sandboxed process is about to run; carries its pidfd and its
    listener. CODE: the program does not compile. ENDED: the program of an init shim ended. EXIT: the run's
    process ended. FAILED: the sandbox could not be set up; the text says why."""

    READY = b"R"
    HELLO = b"H"
    CODE = b"C"
    ENDED = b"N"
    EXIT = b"X"
    FAILED = b"F"


@dataclass(frozen=True, slots=True)
class JailConfig:
    """How a launcher builds its slot. `uid` 0: keep the user it has. `layers`: names from LAYERS.
    `owner`, the judge's process, is only there to be seen in a list of processes."""

    layers: tuple[str, ...]
    roots: tuple[str, ...]
    uid: int = 0
    stage: str = ""
    work: str = ""
    packages: tuple[str, ...] = ()
    owner: int = 0

    def dump(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, text: str) -> JailConfig:
        data = json.loads(text)
        for name in ("layers", "roots", "packages"):
            data[name] = tuple(data[name])
        return cls(**data)


LAYERS = ("namespaces", "seccomp", "landlock")


@dataclass(frozen=True, slots=True)
class Order:
    """One run. Descriptors follow in the order stdin, stdout, stderr, then the role's own.

    `memory` bytes of address space beyond what the process starts with, 0 for no bound; `scratch` bytes of
    writable working directory, 0 for none; `room` bytes of it for files laid out beforehand too; `files`
    names what the descriptors after the first `fixed` ones hold.
    """

    number: int
    role: Role
    cpu: int
    memory: int
    output: int
    scratch: int = 0
    room: int = 0
    argv: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    files: tuple[str, ...] = ()
    fetch: tuple[str, ...] = ()
    quiet: tuple[str, ...] = ()
    optimize: int = 0
    exits: bool = True
    entry: str = ""
    work: str = ""
    drive: Role | None = None

    def dump(self) -> bytes:
        return json.dumps([getattr(self, name) for name in self.__slots__]).encode()

    @classmethod
    def load(cls, data: bytes) -> Order:
        raw: dict[str, Any] = dict(zip(cls.__slots__, json.loads(data), strict=True))
        raw["role"] = Role(raw["role"])
        raw["drive"] = Role(raw["drive"]) if raw["drive"] else None
        for name in ("argv", "files", "fetch", "quiet"):
            raw[name] = tuple(raw[name])
        raw["environment"] = tuple((key, value) for key, value in raw["environment"])
        return cls(**raw)

    @property
    def driver(self) -> Role:
        """What the process that runs the program does."""
        return self.drive or self.role


_HEAD = struct.Struct("=cI")
_USAGE = struct.Struct("=iddqq")


@dataclass(frozen=True, slots=True)
class Usage:
    """What wait4 told: raw status, CPU seconds in user and system mode, peak KB, minor faults."""

    status: int
    user_s: float
    system_s: float
    peak_kb: int
    faults: int

    @property
    def cpu_s(self) -> float:
        return self.user_s + self.system_s

    def pack(self) -> bytes:
        return _USAGE.pack(self.status, self.user_s, self.system_s, self.peak_kb, self.faults)

    @classmethod
    def unpack(cls, data: bytes) -> Usage:
        return cls(*_USAGE.unpack(data))


def pack(tag: Tag, number: int, body: bytes = b"") -> bytes:
    return _HEAD.pack(tag.value, number) + body


def unpack(data: bytes) -> tuple[Tag, int, bytes]:
    letter, number = _HEAD.unpack_from(data)
    return Tag(letter), number, data[_HEAD.size :]


def send(channel: socket.socket, data: bytes, descriptors: list[int]) -> None:
    """Always sendmsg: it is the one sending call that a confined process still has."""
    ancillary: list[tuple[int, int, bytes]] = []
    if descriptors:
        ancillary.append((socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors).tobytes()))
    channel.sendmsg([data], ancillary)


_RIGHTS_SPACE = socket.CMSG_SPACE(DESCRIPTORS_MAX * 4) + socket.CMSG_SPACE(12)


def receive(channel: socket.socket) -> tuple[bytes, list[int], int]:
    """One message, its descriptors (close-on-exec), and the sender's process number where the socket asks for
    it.

    An empty message means that the other side is gone.
    """
    data, ancillary, _, _ = channel.recvmsg(MESSAGE_MAX, _RIGHTS_SPACE, socket.MSG_CMSG_CLOEXEC)
    descriptors: list[int] = []
    pid = 0
    for level, kind, body in ancillary:
        if level != socket.SOL_SOCKET:
            continue
        if kind == socket.SCM_RIGHTS:
            numbers = array.array("i")
            numbers.frombytes(body[: len(body) - len(body) % 4])
            descriptors += numbers
        elif kind == socket.SCM_CREDENTIALS:
            pid = struct.unpack("=iII", body[:12])[0]
    return data, descriptors, pid
