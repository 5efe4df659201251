"""Appends to the event log: one event a transaction, and twenty, from one writer and from four.

    python -m benchmarks.eventlog [--seconds 5] [--json FILE]

The limit beside it: the same SQLite file taking bare one-row INSERT transactions through `sqlite3`.
"""

from __future__ import annotations

import argparse
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

from benchmarks.figures import Bar, report
from benchmarks.lab import empty_lab


def _rate(work: Any, seconds: float) -> tuple[float, int]:
    began, done = time.monotonic(), 0
    while time.monotonic() - began < seconds:
        done += work()
    return done / (time.monotonic() - began), done


def _appends(threads: int, batch: int, seconds: float) -> dict[str, Any]:
    from django.db import connection

    from tests.factories import append_notes, claimed_run
    from trajectories.models import Run

    counts: list[tuple[float, int]] = []

    def write() -> None:
        run, fence = claimed_run()
        Run.objects.filter(pk=run.pk).update(lease_expires_at="2100-01-01T00:00:00Z")

        def one() -> int:
            append_notes(run, fence, batch)
            return batch

        counts.append(_rate(one, seconds))
        connection.close()

    workers = [threading.Thread(target=write) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return {
        "writers": threads,
        "events a transaction": batch,
        "events/s": sum(rate for rate, _ in counts),
        "n": sum(done for _, done in counts),
    }


def _bare(folder: Path, seconds: float) -> dict[str, Any]:
    connection = sqlite3.connect(folder / "bare.sqlite3", isolation_level=None)
    connection.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; CREATE TABLE t(a INTEGER, b TEXT)"
    )

    def one() -> int:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO t VALUES (1, ?)", ("x" * 600,))
        connection.execute("COMMIT")
        return 1

    rate, done = _rate(one, seconds)
    return {"writers": "bare sqlite3", "events a transaction": 1, "events/s": rate, "n": done}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    with empty_lab("CRITICAL") as folder:
        rows = [
            _appends(threads, batch, args.seconds) for threads, batch in ((1, 1), (4, 1), (1, 20), (4, 20))
        ]
        rows.append(_bare(folder, args.seconds))
    single, bare = rows[0], rows[-1]
    bars = [
        Bar("single appends", single["events/s"], "events/s", 500, "min", single["n"]),
        Bar(
            "bare inserts over single appends",
            bare["events/s"] / single["events/s"],
            "ratio",
            100,
            "max",
            bare["n"],
        ),
    ]
    report("eventlog", bars, rows, args.json)


if __name__ == "__main__":
    main()
