"""Every benchmark, one after another, each in a process of its own: `python -m benchmarks [NAME ...] [--out FOLDER]`.

Writes one JSON file a benchmark and prints all bars at the end. A benchmark is a module here with a `main`; one that
fails is named at the end and does not stop the others. Exits 1 if any could not measure.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.figures import Bar

HERE = Path(__file__).parent


def names() -> list[str]:
    """Modules that can be run: they define `main` and accept `--json`."""
    return [
        file.stem
        for file in sorted(HERE.glob("*.py"))
        if file.stem != "__main__"
        and re.search(r"^def main\(", text := file.read_text(encoding="utf-8"), re.MULTILINE)
        and "--json" in text
    ]


def measure(name: str, out: Path) -> list[Bar] | None:
    """Run one benchmark with its own defaults; its bars, or None where it could not measure."""
    file = out / f"{name}.json"
    file.unlink(missing_ok=True)
    command = [sys.executable, "-m", f"benchmarks.{name}", "--json", str(file.resolve())]
    if subprocess.run(command, check=False, cwd=HERE.parent).returncode or not file.exists():
        return None
    return [Bar(**bar) for bar in json.loads(file.read_text(encoding="utf-8"))["bars"]]


def summary(measured: dict[str, list[Bar] | None]) -> Table:
    table = Table("benchmark", "what", "value", "goal", "n", "", title="All bars")
    for name, bars in measured.items():
        if bars is None:
            table.add_row(name, "could not measure; its output above says why", "", "", "", "")
        for bar in bars or []:
            sign = "at least" if bar.direction == "min" else "at most"
            value = f"{bar.value:,.4g} {bar.unit}"
            met = "met" if bar.met else "missed"
            table.add_row(name, bar.name, value, f"{sign} {bar.goal:,.4g}", str(bar.n), met)
    return table


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help=f"which ones; all without ({', '.join(names())})")
    parser.add_argument("--out", type=Path, default=Path("var/benchmarks"), help="folder for the JSON files")
    given = parser.parse_args()
    unknown = sorted(set(given.names) - set(names()))
    if unknown:
        parser.error(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(names())}")
    given.out.mkdir(parents=True, exist_ok=True)
    measured = {name: measure(name, given.out) for name in given.names or names()}
    Console().print(summary(measured))
    return 1 if any(bars is None for bars in measured.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
