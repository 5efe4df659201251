"""`python -m solver.judge doctor | attack | agreement`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from . import agreement, attack, diagnosis

_COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "doctor": diagnosis.main,
    "attack": attack.main,
    "agreement": agreement.main,
}


def main(argv: Sequence[str]) -> int:
    if not argv or argv[0] not in _COMMANDS:
        print(f"usage: python -m solver.judge {{{'|'.join(_COMMANDS)}}} ...", file=sys.stderr)
        return 2
    return _COMMANDS[argv[0]](argv[1:])


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
