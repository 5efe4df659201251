"""One arm of `benchmarks.train`, in a process of its own: `ours JOB.json` or `trl SPEC.json`. Its last line is JSON.

The arm of TRL runs in another environment, so that part knows nothing of the lab.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("HF_HUB_OFFLINE", "1")


class Clock:
    """CPU-seconds of the steps after the first, which prepares kernels."""

    def __init__(self) -> None:
        self.marks: list[float] = []

    def step_ended(self) -> None:
        self.marks.append(time.process_time())

    @property
    def seconds(self) -> float:
        return self.marks[-1] - self.marks[0]


def tell(losses: list[float], tokens: list[int], clock: Clock) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    speed = sum(tokens[1:]) / clock.seconds
    print(json.dumps({"losses": losses, "tokens": tokens, "tokens_per_s": speed, "memory_mb": peak}))


def ours(file: Path) -> None:
    import torch

    torch.set_num_threads(1)
    from training import trainer, trainer_loop
    from training.trainer_job import Job
    from training.trainer_report import Report, read_lines

    clock, usual = Clock(), trainer_loop.Reporter.on_step_end

    def timed(self: Any, *args: Any, **kwargs: Any) -> None:
        clock.step_ended()
        usual(self, *args, **kwargs)

    trainer_loop.Reporter.on_step_end = timed  # type: ignore[method-assign]
    job = Job.read(file)
    trainer.run(job, Report(Path(job.metrics)))
    lines = [line for line in read_lines(Path(job.metrics), 0)[0] if line["kind"] == "metrics"]
    tell([line["loss"] for line in lines], [line["tokens"] for line in lines], clock)


def trl(file: Path) -> None:
    """TRL's SFTTrainer on the same rows: completion-only loss by the template's own marks, the same order of rows."""
    import torch

    torch.set_num_threads(1)
    import datasets
    import trl as library
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback

    given = json.loads(file.read_text())
    spec, clock = given["spec"], Clock()
    tokenizer = AutoTokenizer.from_pretrained(given["base"])
    model = AutoModelForCausalLM.from_pretrained(
        given["base"], dtype=torch.float32, attn_implementation="sdpa"
    )
    losses: list[float] = []

    class Timed(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, *_: Any, **__: Any) -> None:
            clock.step_ended()

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            if logs and "loss" in logs:
                losses.append(float(logs["loss"]))

    made = library.SFTTrainer(
        model=model,
        args=library.SFTConfig(
            output_dir=given["out"], max_steps=spec["max_steps"], per_device_train_batch_size=spec["batch"],
            learning_rate=spec["lr"], lr_scheduler_type="constant_with_warmup", warmup_steps=0, weight_decay=0.0,
            max_length=spec["length"], assistant_only_loss=True, packing=False, gradient_checkpointing=False, bf16=False,
            logging_steps=1, save_strategy="no", report_to="none", seed=spec["seed"], data_seed=spec["seed"], use_cpu=True,
            disable_tqdm=True, dataset_num_proc=None, max_grad_norm=spec["max_grad_norm"],
        ),
        train_dataset=datasets.Dataset.from_list(given["rows"]),
        processing_class=tokenizer,
        peft_config=LoraConfig(
            r=spec["rank"], lora_alpha=spec["alpha"], lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM"
        ),
        callbacks=[Timed()],
    )  # fmt: skip
    lengths: list[int] = []
    collate = made.data_collator

    def counted(rows: Any) -> Any:
        lengths.append(sum(len(row["input_ids"]) for row in rows))
        return collate(rows)

    made.data_collator = counted
    made.train()
    tell(losses[: spec["max_steps"]], lengths[: spec["max_steps"]], clock)


if __name__ == "__main__":
    {"ours": ours, "trl": trl}[sys.argv[1]](Path(sys.argv[2]))
