"""From a job to a trainer that is ready to run: rows, model, arguments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import TrainingArguments, set_seed
from transformers.trainer_callback import PrinterCallback, ProgressCallback
from transformers.utils import logging as transformers_logging

from training import rows_file
from training.encoding import Encoder, encoder
from training.rows_file import TokenRow
from training.trainer_data import Bins, Collator
from training.trainer_job import Job, last_checkpoint
from training.trainer_loop import LoraTrainer, Reporter, Seen, held_out_rows
from training.trainer_model import adapted, load_base
from training.trainer_reference import FrozenAdapter, begin_at
from training.trainer_report import Report, TrainingFailed

FIRST_ROWS = 8
TOKENS_SHOWN = 400


@dataclass(frozen=True, slots=True)
class Prepared:
    trainer: LoraTrainer
    reporter: Reporter


def prepare(job: Job, report: Report) -> Prepared:
    """Raises TrainingFailed."""
    spec = job.spec
    tokens = encoder(Path(job.base))
    train, held = _rows(job, tokens)
    device, precision = _device(spec["device"]), _precision(spec)
    if device == "cpu":
        torch.use_deterministic_algorithms(True)
    set_seed(spec["seed"])
    transformers_logging.disable_progress_bar()
    model = adapted(
        load_base(Path(job.base), precision, device),
        {
            "r": spec["rank"],
            "lora_alpha": spec["alpha"],
            "lora_dropout": spec["dropout"],
            "target_modules": spec["targets"] if isinstance(spec["targets"], str) else list(spec["targets"]),
        },
        checkpointing=spec["gradient_checkpointing"],
        quantised=precision == "4bit",
    )
    frozen = None
    if job.start:
        begin_at(model, Path(job.start), job.start_digest)
        frozen = FrozenAdapter(model)
    pairs = spec["method"] == "dpo"
    bins = Bins(train, spec["length"], packing=spec["packing"], seed=spec["seed"])
    pad = min(tokens.stop_ids)
    seen = Seen(lambda rows: _tell_first(report, tokens, train, rows))
    held_out = Collator(held_out_rows([TokenRow(row.row, row.encoded) for row in held]), flat=True, pad=pad)
    reporter = Reporter(report, seen, spec, held_out, job.supervisor)
    trainer = LoraTrainer(
        dpo_beta=spec["beta"] if pairs else None,
        frozen=frozen,
        seen=seen,
        model=model,
        args=_arguments(job, spec, device, precision),
        train_dataset=bins,
        data_collator=Collator(train, flat=spec["packing"] or pairs, pad=pad),
        callbacks=[reporter],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.remove_callback(ProgressCallback)
    reporter.trainer = trainer
    _tell_start(report, job, trainer, bins, held_out, device, precision)
    return Prepared(trainer, reporter)


def _rows(job: Job, tokens: Encoder) -> tuple[list[TokenRow], list[TokenRow]]:
    spec = job.spec
    kept, left = rows_file.tokenize(
        tokens,
        rows_file.read(Path(job.rows)),
        length=spec["length"],
        over_length=spec["over_length"],
        pairs=spec["method"] == "dpo",
    )
    if left and spec["over_length"] == "refuse":
        raise TrainingFailed(
            "rows_left_out",
            f"Row {left[0].row.position} cannot be trained: {left[0].why} ({len(left)} such rows).",
        )
    train = [row for row in kept if row.row.split == "train"]
    if not train:
        raise TrainingFailed("no_rows", "No row is left to train on; build a dataset version with more rows.")
    return train, [row for row in kept if row.row.split == "eval"]


def _device(wanted: str) -> str:
    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if wanted.startswith("cuda") and not torch.cuda.is_available():
        raise TrainingFailed(
            "no_device", f"The device {wanted} is not there: this machine has no CUDA GPU that torch can use."
        )
    return wanted


def _precision(spec: dict[str, Any]) -> str:
    if spec["precision"] != "auto":
        return str(spec["precision"])
    return "bf16" if torch.cuda.is_available() and spec["device"] != "cpu" else "fp32"


def _arguments(job: Job, spec: dict[str, Any], device: str, precision: str) -> TrainingArguments:
    return TrainingArguments(
        output_dir=job.checkpoints,
        num_train_epochs=spec["epochs"],
        max_steps=spec["max_steps"] or -1,
        per_device_train_batch_size=spec["batch"],
        gradient_accumulation_steps=spec["accumulation"],
        learning_rate=spec["lr"],
        lr_scheduler_type={"cosine": "cosine", "linear": "linear", "constant": "constant_with_warmup"}[
            spec["schedule"]
        ],
        warmup_steps=spec["warmup"],
        weight_decay=spec["weight_decay"],
        max_grad_norm=spec["max_grad_norm"],
        optim="adamw_torch",
        seed=spec["seed"],
        data_seed=spec["seed"],
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="steps",
        save_steps=spec["save_every"],
        save_total_limit=None,
        eval_strategy="no",
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_num_workers=0,
        dataloader_pin_memory=device != "cpu",
        gradient_checkpointing=False,  # switched on in trainer_model, before the adapter is laid over
        bf16=precision != "fp32" and device != "cpu",
        use_cpu=device == "cpu",
        full_determinism=False,
    )


def _tell_first(report: Report, tokens: Encoder, train: Sequence[TokenRow], positions: list[int]) -> None:
    by_position = {row.row.position: row for row in train}
    told = []
    for position in positions[:FIRST_ROWS]:
        row = by_position[position]
        pieces = tokens.pieces(row.encoded, TOKENS_SHOWN)
        told.append(
            {
                "row": position,
                "title": row.row.title,
                "tokens": len(row.encoded.ids),
                "trained": row.encoded.trained,
                "pieces": [[piece.text, piece.trained, piece.special] for piece in pieces],
            }
        )
    report.tell("batch", rows=told, of=len(positions), template=tokens.template_digest)


def _tell_start(
    report: Report,
    job: Job,
    trainer: LoraTrainer,
    bins: Bins,
    held: Collator,
    device: str,
    precision: str,
) -> None:
    numbers = [(p.numel(), p.requires_grad) for p in trainer.model.parameters()]
    resumed = last_checkpoint(Path(job.checkpoints))
    steps = _steps(trainer, len(bins))
    report.tell(
        "started",
        steps=steps,
        rows=len(bins.rows),
        bins=len(bins),
        held_out=len(held.rows),
        tokens=sum(row.length for row in bins.rows),
        trained_tokens=sum(row.encoded.trained for row in bins.rows),
        parameters=sum(count for count, _ in numbers),
        trainable=sum(count for count, on in numbers if on),
        device=torch.cuda.get_device_name() if device != "cpu" else "cpu",
        precision=precision,
        resumed_from=int(resumed.name.removeprefix("checkpoint-")) if resumed else 0,
    )


def _steps(trainer: LoraTrainer, bins: int) -> int:
    args = trainer.args
    if args.max_steps > 0:
        return int(args.max_steps)
    a_step = args.per_device_train_batch_size * args.world_size
    batches = -(-bins // a_step)
    an_epoch = max(1, -(-batches // args.gradient_accumulation_steps))
    return int(-(-args.num_train_epochs * an_epoch // 1))
