"""Our trainer against TRL's SFTTrainer and against itself without packing: same base, rows, machine, seed.

    python -m benchmarks.train [--model micro|100m] [--rows 96] [--steps 6] [--trl PYTHON] [--json FILE]

Tokens a CPU-second (the unit of `benchmarks.engine`: a busy machine changes little), padding left out; on a GPU tokens a
second of wall clock. Every arm runs in a process of its own, `--repeat` times in turn, and its best time counts. TRL brings
packages that the lab does not use; install requirements-bench.txt into an environment of its own and name its Python with
`--trl`. Without it the rows of TRL are reported as not run, never guessed.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.figures import Bar, report
from training import rows_file
from training.lora_spec import read_spec
from training.rows_file import Row
from training.trainer_job import Job

HERE = Path(__file__).parent
CAPACITY = 1024
MICRO = HERE.parent / "micro/artefact/base"


def rows(count: int) -> list[Row]:
    """Short rows of very different lengths, as agents' calls are: prompts of 10 to 250 words, answers of 4 to 40."""
    told = []
    for place in range(count):
        words, answer = 10 + (place * place * 37) % 240, 4 + (place * 13) % 36
        prompt = " ".join(f"{(place * 7 + at * at) % 97}" for at in range(words))
        text = " ".join(f"{(place + at) % 10}" for at in range(answer))
        told.append(Row(place, "train", [{"role": "user", "content": f"Read {prompt}"}], text))
    return told


def settings(steps: int, batch: int, **changes: Any) -> dict[str, Any]:
    data = {
        "role": "coding", "dataset": "coding@v1", "rank": 32, "alpha": 64, "dropout": 0.0, "lr": 5e-4, "schedule": "constant",
        "warmup": 0.0, "batch": batch, "accumulation": 1, "length": CAPACITY, "max_steps": steps, "packing": False,
        "gradient_checkpointing": False, "eval_every": 10_000, "save_every": 10_000, "device": "cpu", "evaluate": 0,
    }  # fmt: skip
    return read_spec({**data, **changes}).canonical()


def ours(base: Path, told: list[Row], spec: dict[str, Any]) -> dict[str, Any]:
    """One run of our trainer: losses by step, tokens, CPU-seconds of its steps after the first, peak memory."""
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        rows_file.write(at / "rows.jsonl", told)
        Job(
            spec,
            str(base),
            str(at / "rows.jsonl"),
            str(at / "checkpoints"),
            str(at / "adapter"),
            str(at / "metrics.jsonl"),
            0,
        ).write(at / "job.json")
        return _measured([sys.executable, "-m", "benchmarks.train_arm", "ours", str(at / "job.json")])


def theirs(python: str, base: Path, told: list[Row], spec: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        pairs = [{"messages": [*row.messages, {"role": "assistant", "content": row.answer}]} for row in told]
        (at / "trl.json").write_text(
            json.dumps({"base": str(base), "rows": pairs, "spec": spec, "out": str(at)})
        )
        return _measured([python, "-P", str(HERE / "train_arm.py"), "trl", str(at / "trl.json")])


def _measured(command: list[str]) -> dict[str, Any]:
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=HERE.parent)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr[-3000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def best(arm: Any, repeat: int) -> dict[str, Any]:
    found = [arm() for _ in range(repeat)]
    return max(found, key=lambda one: float(one["tokens_per_s"]))


def arms(base: Path, given: argparse.Namespace) -> dict[str, dict[str, Any] | None]:
    told = rows(given.rows)
    unpacked, packed = settings(given.steps, 8), settings(given.steps, 2, packing=True)
    found: dict[str, dict[str, Any] | None] = {
        "ours, padded rows": best(lambda: ours(base, told, unpacked), given.repeat),
        "ours, packed": best(lambda: ours(base, told, packed), given.repeat),
        "TRL SFTTrainer, padded rows": None,
    }
    if given.trl:
        found["TRL SFTTrainer, padded rows"] = best(
            lambda: theirs(given.trl, base, told, unpacked), given.repeat
        )
    return found


def bars(found: dict[str, dict[str, Any] | None], rows: int) -> list[Bar]:
    padded, packed, trl = (
        found["ours, padded rows"],
        found["ours, packed"],
        found["TRL SFTTrainer, padded rows"],
    )
    assert padded and packed
    told = [
        Bar(
            "packed against padded, tokens a CPU-second",
            packed["tokens_per_s"] / padded["tokens_per_s"],
            "times",
            1.5,
            "min",
            rows,
        )
    ]
    if trl:
        gap = max(abs(a - b) for a, b in zip(padded["losses"], trl["losses"], strict=True))
        told += [
            Bar(
                "ours against TRL, tokens a CPU-second",
                padded["tokens_per_s"] / trl["tokens_per_s"],
                "times",
                1.0,
                "min",
                rows,
            ),
            Bar(
                "ours against TRL, peak memory",
                padded["memory_mb"] / trl["memory_mb"],
                "times",
                1.0,
                "max",
                rows,
            ),
            Bar(
                "largest difference of the losses of a step", gap, "nats", 0.02, "max", len(padded["losses"])
            ),
        ]
    return told


def line(name: str, one: dict[str, Any] | None) -> dict[str, Any]:
    if one is None:
        return {
            "arm": name,
            "tokens a CPU-second": "not run, name its Python with --trl",
            "peak memory, MB": "",
            "loss": "",
        }
    assert all(math.isfinite(loss) for loss in one["losses"])
    return {
        "arm": name,
        "tokens a CPU-second": round(one["tokens_per_s"]),
        "peak memory, MB": round(one["memory_mb"]),
        "loss": f"{one['losses'][0]:.4f} to {one['losses'][-1]:.4f}",
    }


def base_of(model: str, folder: Path) -> Path:
    if model == "micro":
        return MICRO
    from tests.engines.tiny_model import Shape, save_base

    save_base(folder / "base", Shape(768, 2048, 12, 12, 32768, 0.02, ends=False))
    return folder / "base"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", choices=("micro", "100m"), default="micro")
    parser.add_argument("--rows", type=int, default=96)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--trl", default="", help="Python of an environment with requirements-bench.txt")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = arms(base_of(given.model, Path(folder)), given)
    table = [line(name, one) for name, one in found.items()]
    report("train", bars(found, given.rows), table, given.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
