"""The one shape of a measurement: bars with goals, rows, the machine, the code version; as a table and as JSON."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from trajectories.version import code_version


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure with a goal. `direction` "min": at least `goal` is wanted; "max": at most. `n` is what it rests on."""

    name: str
    value: float
    unit: str
    goal: float
    direction: Literal["min", "max"]
    n: int

    @property
    def met(self) -> bool:
        return self.value >= self.goal if self.direction == "min" else self.value <= self.goal


def machine() -> dict[str, Any]:
    return {
        "system": platform.platform(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load": [round(value, 2) for value in os.getloadavg()],
    }


def report(name: str, bars: list[Bar], rows: list[dict[str, Any]], file: Path | None) -> None:
    """Print the table; write the JSON object when `file` is given. Measuring is success, whatever the values."""
    if rows:
        _table(rows)
    for bar in bars:
        sign = "at least" if bar.direction == "min" else "at most"
        mark = "met" if bar.met else "NOT MET"
        print(f"{bar.name}: {bar.value:.4g} {bar.unit} ({sign} {bar.goal:g}, n={bar.n}) {mark}")
    if file is not None:
        text = json.dumps(figures(name, bars, rows), indent=1, ensure_ascii=False)
        file.write_text(text + "\n", encoding="utf-8")


def figures(name: str, bars: list[Bar], rows: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """The object that `--json` writes: bars and rows beside the machine and the code version, and what else there is."""
    return {
        "name": name,
        "bars": [asdict(bar) for bar in bars],
        "rows": rows,
        "machine": machine(),
        "code_version": code_version(),
        **more,
    }


def _table(rows: list[dict[str, Any]]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [names, *[[_cell(row.get(name, "")) for name in names] for row in rows]]
    widths = [max(len(line[i]) for line in cells) for i in range(len(names))]
    for line in cells:
        print("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)))


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def percentile(values: list[float], share: float) -> float:
    """The smallest value that at least `share` of `values` do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1))]
