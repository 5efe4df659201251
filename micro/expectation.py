"""What a reproduction must come to: the published table for `full`, wide ranges for the smaller scales.

The ranges are one measured run of each scale with room on both sides. They say that formats mend, and with them pass@1 as
the published parser counts it (strict); of pass@1 with tolerant parsers the smaller scales show too little, on too few
problems, to expect anything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from micro import engine_spec, table


class Range(NamedTuple):
    """In percent of problems."""

    arm: str
    measure: str
    least: float
    most: float


RANGES: dict[str, tuple[Range, ...]] = {
    "ci": (
        Range(table.BASE, "any_format_failure", 60, 100),
        Range(table.BASE, "strict_pass_at_1", 0, 10),
        Range(table.FOUR, "any_format_failure", 0, 15),
        Range(table.FOUR, "strict_pass_at_1", 40, 100),
    ),
    "smoke": (
        Range(table.BASE, "any_format_failure", 60, 100),
        Range(table.FOUR, "any_format_failure", 0, 35),
        Range(table.FOUR, "strict_pass_at_1", 15, 100),
    ),
}


def check(scale: str, rows: Sequence[Mapping[str, Any]], seeds: Sequence[int]) -> list[tuple[str, bool]]:
    """Sentences with the numbers, and whether each is as expected. `rows` are over these seeds."""
    by_name = {str(row["arm"]): row for row in rows}
    ranges = RANGES[scale] if scale in RANGES else published(seeds)
    return [_in_range(expected, by_name) for expected in ranges]


def published(seeds: Sequence[int]) -> tuple[Range, ...]:
    """The intervals of pass@1 and strict pass@1 that ship with the weights, over those of the seeds that were published."""
    path = engine_spec.ARTEFACT / "results.json"
    if not path.exists():
        return ()
    arms = json.loads(path.read_text(encoding="utf-8"))["seeds"]
    known = [arms[str(seed)] for seed in seeds if str(seed) in arms]
    return tuple(
        Range(row["arm"], measure, row[measure]["low"], row[measure]["high"])
        for row in table.rows(known or list(arms.values()))
        for measure in ("pass_at_1", "strict_pass_at_1")
    )


def _in_range(expected: Range, rows: Mapping[str, Mapping[str, Any]]) -> tuple[str, bool]:
    said = f"{expected.arm}, {expected.measure.replace('_', ' ')}: expected {expected.least:g} to {expected.most:g} %"
    if expected.arm not in rows:
        return f"{said}, not measured here", True
    value = rows[expected.arm][expected.measure]["percent"]
    return f"{said}, measured {value} %", expected.least <= value <= expected.most
