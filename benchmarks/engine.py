"""The in-process engine against plain peft: mixed adapters, many problems in flight, shared prompts, exactness.

    python -m benchmarks.engine [--model tiny|100m] [--dtype float32|bfloat16|both] [--repeat 3] [--json FILE]

Random weights of true shapes, fixed answer lengths, one torch thread; the unit is useful answer tokens per CPU-second
of this process, so a busy machine changes little. Every mode is run `--repeat` times in turn and its median counts.
Nothing here says anything about the quality of answers.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trajectories.agents import AGENTS

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: waiting threads must not spin

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging as transformers_logging

from benchmarks.figures import Bar, report
from solver.engines.protocol import ChatRequest, Message, Role, Sampling
from solver.engines.spec import EngineSpec
from solver.engines.transformers_engine import TransformersEngine
from tests.engines.tiny_model import Shape, save_adapter, save_base

SHAPES = {
    "tiny": Shape(256, 704, 4, 4, 8192, 0.02, ends=False),
    "100m": Shape(768, 2048, 12, 12, 32768, 0.02, ends=False),  # 98.3 million parameters
}
DTYPES = {"float32": ("float32",), "bfloat16": ("bfloat16",), "both": ("bfloat16", "float32")}
RANK = 32
PROBLEMS = 8


@dataclass(frozen=True)
class Job:
    """One request: `prompt` digits are as many tokens."""

    adapter: str
    prompt: str
    answer: int


def digits(count: int, salt: int) -> str:
    return "".join(str((salt * 7919 + i * i * 31 + i) % 10) for i in range(count))


def mixed_jobs() -> list[Job]:
    """Twelve requests over four adapters: prompts of 96, 128 and 192, answers of 16 to 96 tokens."""
    lengths = (16, 96, 40, 64, 24, 80, 32, 56, 48, 72, 16, 80)
    return [Job(AGENTS[i % 4], digits((96, 128, 192)[i % 3], i), lengths[i]) for i in range(12)]


def shared_jobs() -> list[Job]:
    """Six requests of one adapter whose prompts share their first 512 tokens; one answer token, since only the
    prompt's cost differs."""
    return [Job("coding", digits(512, 1) + digits(24, i), 1) for i in range(6)]


def save_models(folder: Path, model: str) -> None:
    save_base(folder / "base", SHAPES[model])
    for seed, role in enumerate(AGENTS):
        save_adapter(folder / "base", folder / role, seed=seed, r=RANK, lora_alpha=RANK)


class Lab:
    """The models on disk, and each way of running them."""

    def __init__(self, folder: Path, dtype: str) -> None:
        self.folder, self.dtype = folder, dtype
        self.peft = self._peft()
        self.tokenizer = AutoTokenizer.from_pretrained(folder / "base", padding_side="left")

    def _peft(self) -> Any:
        base = AutoModelForCausalLM.from_pretrained(self.folder / "base", dtype=getattr(torch, self.dtype))
        model = PeftModel.from_pretrained(base, str(self.folder / AGENTS[0]), AGENTS[0])
        for role in AGENTS[1:]:
            model.load_adapter(str(self.folder / role), role)
        return model.eval()

    def engine(self, **local: Any) -> TransformersEngine:
        settings = {"dtype": self.dtype, "device": "cpu", "threads": 1, "kv_megabytes": 2000, **local}
        spec = {
            "name": "bench",
            "kind": "transformers",
            "base": str(self.folder / "base"),
            "adapters": {role: str(self.folder / role) for role in AGENTS},
            "local": settings,
        }
        return TransformersEngine(EngineSpec.parse(spec))

    def encode(self, jobs: list[Job]) -> Any:
        texts = [
            self.tokenizer.apply_chat_template(
                [{"role": "user", "content": job.prompt}], add_generation_prompt=True, tokenize=False
            )
            for job in jobs
        ]
        return self.tokenizer(texts, return_tensors="pt", padding=True, add_special_tokens=False)

    def peft_one_by_one(self, jobs: list[Job]) -> list[list[int]]:
        answers = []
        for job in jobs:
            self.peft.set_adapter(job.adapter)
            ids = self.encode([job])
            with torch.inference_mode():
                out = self.peft.generate(**ids, max_new_tokens=job.answer, do_sample=False, pad_token_id=0)
            answers.append(out[0, ids["input_ids"].shape[1] :].tolist())
        return answers

    def peft_mixed(self, jobs: list[Job]) -> None:
        """All rows in one static batch; it runs until the longest answer is complete."""
        ids = self.encode(jobs)
        longest = max(job.answer for job in jobs)
        names = [job.adapter for job in jobs]
        with torch.inference_mode():
            self.peft.generate(
                **ids, adapter_names=names, max_new_tokens=longest, do_sample=False, pad_token_id=0
            )


def chat(engine: TransformersEngine, job: Job) -> str:
    sampling = Sampling(max_tokens=job.answer)
    request = ChatRequest(Role.CODING, job.adapter, (Message("user", job.prompt),), sampling)
    reply = engine.chat(request)
    if reply.usage.completion_tokens != job.answer:
        raise AssertionError("an answer has another length than asked for; the comparison would not be fair")
    return reply.text


def flood(engine: TransformersEngine, jobs: list[Job]) -> list[str]:
    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(lambda job: chat(engine, job), jobs))


def problem(number: int) -> list[Job]:
    """Four calls in a row, one a role, as one problem's pipeline makes them."""
    lengths = (24, 32, 40, 24)
    return [
        Job(role, digits(96 + 32 * step, 100 * number + step), length)
        for step, (role, length) in enumerate(zip(AGENTS, lengths, strict=True))
    ]


def pipeline(engine: TransformersEngine, in_flight: int) -> None:
    with ThreadPoolExecutor(in_flight) as pool:
        list(pool.map(lambda number: [chat(engine, job) for job in problem(number)], range(PROBLEMS)))


def cpu_seconds(modes: dict[str, Callable[[], Any]], repeat: int) -> dict[str, list[float]]:
    """Every mode in turn, `repeat` times."""
    taken: dict[str, list[float]] = {name: [] for name in modes}
    for _ in range(repeat):
        for name, run in modes.items():
            began = time.process_time()
            run()
            taken[name].append(time.process_time() - began)
            print(f"{name}: {taken[name][-1]:.2f} CPU s", file=sys.stderr, flush=True)
    return taken


def exact(lab: Lab) -> int:
    """How many of sixteen mixed requests answer as peft does one by one; always in float32, with prefix hits."""
    jobs = [Job(AGENTS[i % 4], digits(64, 5) + digits(8 + 5 * i, i), 24) for i in range(16)]
    expected = [lab.tokenizer.decode(ids, skip_special_tokens=True) for ids in lab.peft_one_by_one(jobs)]
    engine = lab.engine(dtype="float32", max_batch=6, prefill_tokens=64)
    try:
        flood(engine, jobs)
        return sum(text == want for text, want in zip(flood(engine, jobs), expected, strict=True))
    finally:
        engine.close()


def measure(lab: Lab, repeat: int) -> tuple[dict[str, list[float]], dict[str, int]]:
    """CPU seconds of every mode, and the useful answer tokens of each."""
    mixed, shared = mixed_jobs(), shared_jobs()
    batch, plain = lab.engine(prefix_megabytes=0), lab.engine(prefix_megabytes=0)
    reusing = lab.engine(prefix_megabytes=256)
    short = [Job(role, digits(32, 1), 4) for role in AGENTS]
    lab.peft_one_by_one(short)  # first calls pay for what later ones find ready
    lab.peft_mixed(short)
    for engine in (batch, plain, reusing):
        flood(engine, short)

    def with_reuse() -> None:
        reusing._batch.prefix.clear()  # nothing is in flight: the first request fills it anew
        for job in shared:
            chat(reusing, job)

    modes: dict[str, Callable[[], Any]] = {
        "peft, one after another": lambda: lab.peft_one_by_one(mixed),
        "peft, adapter_names batch": lambda: lab.peft_mixed(mixed),
        "engine, one after another": lambda: [chat(plain, job) for job in mixed],
        "engine, 12 in flight": lambda: flood(batch, mixed),
        "8 problems, peft, one after another": lambda: [
            lab.peft_one_by_one(problem(number)) for number in range(PROBLEMS)
        ],
        "8 problems, engine, 1 in flight": lambda: pipeline(plain, 1),
        "8 problems, engine, 8 in flight": lambda: pipeline(batch, 8),
        "shared prompt, computed each time": lambda: [chat(plain, job) for job in shared],
        "shared prompt, reused": with_reuse,
    }
    useful = sum(job.answer for job in mixed)
    tokens = dict.fromkeys(modes, useful)
    tokens.update({name: PROBLEMS * 120 for name in modes if name.startswith("8 problems")})
    tokens.update({name: sum(job.answer for job in shared) for name in modes if name.startswith("shared")})
    try:
        return cpu_seconds(modes, repeat), tokens
    finally:
        for engine in (batch, plain, reusing):
            engine.close()


def bars(median: dict[str, float], repeat: int, label: str) -> list[Bar]:
    """How many times as fast."""

    def ratio(name: str, slow: str, fast: str, goal: float) -> Bar:
        return Bar(f"{name} ({label})", median[slow] / median[fast], "times", goal, "min", repeat)

    eight = "8 problems, engine, 8 in flight"
    return [
        ratio(
            "12 mixed against peft adapter_names", "peft, adapter_names batch", "engine, 12 in flight", 1.7
        ),
        ratio("12 mixed against peft one by one", "peft, one after another", "engine, 12 in flight", 3.5),
        ratio("8 problems in flight against 1", "8 problems, engine, 1 in flight", eight, 3.0),
        ratio("8 problems in flight against peft", "8 problems, peft, one after another", eight, 3.0),
        ratio("prefix reuse", "shared prompt, computed each time", "shared prompt, reused", 2.3),
    ]


def rows(seconds: dict[str, list[float]], tokens: dict[str, int], dtype: str) -> list[dict[str, Any]]:
    found = []
    for name, values in seconds.items():
        value = statistics.median(values)
        spread = 100 * (max(values) - min(values)) / value
        measured = {"CPU s": value, "tokens/CPU s": tokens[name] / value, "spread %": spread}
        found.append({"mode": name, "dtype": dtype, **measured})
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", choices=sorted(SHAPES), default="tiny")
    parser.add_argument("--dtype", choices=sorted(DTYPES), default="both")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    transformers_logging.disable_progress_bar()
    torch.set_num_threads(1)
    found: list[Bar] = []
    table: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="mcl-bench-") as name:
        folder = Path(name)
        save_models(folder, options.model)
        for dtype in DTYPES[options.dtype]:
            seconds, tokens = measure(Lab(folder, dtype), options.repeat)
            median = {mode: statistics.median(values) for mode, values in seconds.items()}
            found += bars(median, options.repeat, f"{options.model}, {dtype}")
            table += rows(seconds, tokens, dtype)
        identical = exact(Lab(folder, "float32"))
    what = f"answers identical to peft one by one ({options.model}, float32)"
    found.append(Bar(what, identical, "of 16", 16, "min", 16))
    report("engine", found, table, options.json)


if __name__ == "__main__":
    main()
