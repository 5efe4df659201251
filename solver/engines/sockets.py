"""Which engines run in a process of their own on this machine: told by the supervisor, asked by who opens one."""

from __future__ import annotations

import json
import os
from pathlib import Path

from solver.engines.spec import EngineSpec

SOCKETS = "MCL_ENGINE_SOCKETS"  # environment variable; JSON: socket by `EngineSpec.home`


def socket_of(spec: EngineSpec) -> Path | None:
    """Where the engine of `spec` is served; None: open it in this process."""
    found = json.loads(os.environ.get(SOCKETS) or "{}").get(spec.home())
    return Path(found) if found else None


def address_of(spec: EngineSpec) -> str:
    """Where the engine is reached, as people read it; "" for one that has no address."""
    socket_file = socket_of(spec)
    return (spec.base_url or "") if socket_file is None else f"unix socket {socket_file}"
