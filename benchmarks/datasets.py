"""Building a dataset version from 100,000 examples: seconds, and how memory grows from a tenth of them.

    python -m benchmarks.datasets [--examples 100000] [--json FILE]

Synthetic examples with prompts and answers of some 1.6 kB and 0.5 kB, 200 evaluation problems to be held against. Exact
comparison of all pairs (5 * 10^9) is out of reach, so the limit beside it is one bare pass over the same rows that reads
and hashes every text.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import random
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.figures import Bar, report
from benchmarks.lab import empty_lab

if TYPE_CHECKING:
    from training.models import DatasetVersion

VOCABULARY = 20_000
TEMPLATE = " ".join(f"instruction{n % 60}" for n in range(120))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--examples", type=int, default=100_000)
    parser.add_argument("--json", type=Path, default=None)
    given = parser.parse_args()
    with empty_lab():
        bars, rows = measure(given.examples)
    report("datasets", bars, rows, given.json)


def measure(count: int) -> tuple[list[Bar], list[dict[str, Any]]]:
    _evaluation_problems()
    rows = []
    done = 0
    for size in (count // 10, count):
        _fill(done, size)
        done = size
        rows.append(_build(size))
    small, large = rows
    grown = large["MB more while building"] - small["MB more while building"]
    bars = [
        Bar(f"version of {count:,} examples", large["seconds"], "s", 60.0, "max", large["rows"]),
        Bar(
            "against one pass that reads and hashes",
            large["seconds"] / large["bare pass, s"],
            "times",
            20.0,
            "max",
            1,
        ),
        Bar(
            "memory from a tenth to all",
            1e6 * grown / (count - count // 10),
            "bytes an example",
            500.0,
            "max",
            count,
        ),
    ]
    return bars, rows


def _words(rng: random.Random, count: int) -> str:
    return " ".join(f"w{int(rng.paretovariate(0.6)) % VOCABULARY}" for _ in range(count))


def _evaluation_problems() -> None:
    from tests.factories import make_problem

    for number in range(200):
        make_problem(id=f"eval/{number}", statement=_words(random.Random(f"e{number}"), 150), split="test")


def _fill(start: int, end: int) -> None:
    from tests.factories import make_problem
    from training.models import Example, ExampleState, Way

    for first in range(start, end, 2000):
        rng = random.Random(first)
        problems = [
            make_problem(id=f"train/{first}-{n}", statement=_words(rng, 150), split="train")
            for n in range(100)
        ]
        made: list[Example] = []
        for number in range(first, min(end, first + 2000)):
            problem = problems[number % len(problems)]
            answer = made[-1].answer + " too" if made and rng.random() < 0.05 else _words(rng, 80)
            text = f"{TEMPLATE} {problem.title} {number % 250} {_words(rng, 100)}"
            made.append(
                Example(
                    role="coding",
                    way=Way.IMPORTED,
                    state=ExampleState.ACCEPTED,
                    problem=problem,
                    messages=[{"role": "user", "content": text}],
                    answer=answer,
                    digest=hashlib.sha256(str(number).encode()).hexdigest(),
                )
            )
        Example.objects.bulk_create(made, batch_size=500)


def _build(size: int) -> dict[str, Any]:
    from training.datasets import lifecycle
    from training.datasets.build import build
    from training.datasets.spec import DatasetSpec

    gc.collect()
    bare = _bare_pass()
    version: DatasetVersion = lifecycle.start(DatasetSpec(role="coding", per_problem=None))
    with Peak() as peak:
        began, busy = time.monotonic(), time.process_time()
        build(version.pk, "benchmark")
        seconds, busy = time.monotonic() - began, time.process_time() - busy
    version.refresh_from_db()
    return {
        "examples": size,
        "rows": version.row_count,
        "state": version.state,
        "seconds": round(seconds, 2),
        "CPU s": round(busy, 2),
        "bare pass, s": round(bare, 2),
        "MB more while building": round(peak.most - peak.before, 1),
    }


class Peak:
    """The most anonymous memory of this process while a block runs, sampled every 20 ms. Pages of the mapped database
    file and of the signature file are the kernel's to take back, so they are not counted."""

    def __enter__(self) -> Peak:
        self.before = self.most = _memory("RssAnon")
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.02):
            self.most = max(self.most, _memory("RssAnon"))


def _memory(name: str) -> float:
    """Of this process, in megabytes."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"/proc/self/status has no {name}")


def _bare_pass() -> float:
    from training.models import Example

    began = time.monotonic()
    for messages, answer in Example.objects.values_list("messages", "answer").iterator(chunk_size=500):
        hashlib.sha256(f"{messages[0]['content']}{answer}".encode()).digest()
    return time.monotonic() - began


if __name__ == "__main__":
    main()
