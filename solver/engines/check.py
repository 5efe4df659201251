"""One finding about an engine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """One capability. `ok` None means that it could not be told."""

    name: str
    ok: bool | None
    detail: str
    mend: str = ""
    seconds: float = 0.0
