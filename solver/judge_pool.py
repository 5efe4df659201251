"""The one judge of this process, started when first used."""

from __future__ import annotations

import atexit
import threading
from functools import cache

from django.conf import settings

from solver.judge import LANGUAGES, Judge, Level
from solver.judge.languages import find_toolchain

_lock = threading.Lock()
_judge: Judge | None = None


def judge() -> Judge:
    """Raises SandboxUnavailable where this machine is below the configured floor."""
    global _judge
    with _lock:
        if _judge is None:
            _judge = Judge(slots=settings.JUDGE_SLOTS, min_level=Level(settings.JUDGE_MIN_LEVEL))
            atexit.register(_judge.close)
        return _judge


@cache
def languages() -> tuple[str, ...]:
    """Languages whose tool-chains this machine has."""
    return tuple(key for key in LANGUAGES if key == "python" or find_toolchain(key))
