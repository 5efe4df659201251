"""Where the engines of the lab that runs on this state folder listen, told to commands that somebody else starts.

`manage.py up` tells its own processes by their environment and leaves the same in a file for commands in other terminals:
the teacher of the micro world answers nowhere else, and a model need not be loaded a second time. A socket at which
nobody listens, as after the lab has ended, is left out; the engine is then opened in the command's own process.
"""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

from solver.engines.sockets import SOCKETS

NAME = "engine-sockets.json"


def leave(folder: Path, sockets: dict[str, str]) -> None:
    """Whole or not at all: a command may be reading it."""
    fresh = folder / f"{NAME}.new"
    fresh.write_text(json.dumps(sockets), encoding="utf-8")
    fresh.replace(folder / NAME)


def find(folder: Path) -> None:
    """For this process and its children, unless they were told already."""
    if SOCKETS in os.environ:
        return
    try:
        told: dict[str, str] = json.loads((folder / NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    if alive := {home: file for home, file in told.items() if _listens(file)}:
        os.environ[SOCKETS] = json.dumps(alive)


def _listens(file: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(2.0)
        try:
            asking.connect(file)
        except OSError:
            return False
    return True
