"""transformers' Trainer with our loss, our checkpoints and our report."""

from __future__ import annotations

import errno
import math
import os
import resource
import shutil
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from training.trainer_data import Collator
from training.trainer_job import CHECKPOINTS_KEPT, EVAL_ROWS, last_checkpoint
from training.trainer_model import IGNORED, preference_loss
from training.trainer_reference import FrozenAdapter
from training.trainer_report import Report, TrainingFailed
from training.watch import Watch

ROWS_TOLD = 64  # of a step's batch
EVAL_TOKENS = 8192  # at once
EXTREMES = 5  # best and worst rows of an evaluation


class LoraTrainer(Trainer):
    """`dpo_beta` None: SFT. `frozen`: the reference of DPO, where it is not the base itself."""

    def __init__(
        self, *, dpo_beta: float | None, frozen: FrozenAdapter | None = None, seen: Seen, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.dpo_beta, self.frozen, self.seen = dpo_beta, frozen, seen
        self.model_accepts_loss_kwargs = dpo_beta is None

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        batch = dict(inputs)
        self.seen.took(batch.pop("rows"), batch.pop("tokens"))
        if self.dpo_beta is not None:
            pairs = len(batch["segments"]) // 2
            loss, margins = preference_loss(model, batch, self.dpo_beta, pairs, self.frozen)
            self.seen.margins.extend(margins.tolist())
            return loss
        batch.pop("owner", None)
        loss = model(**batch, num_items_in_batch=num_items_in_batch).loss
        if num_items_in_batch is not None and self.args.average_tokens_across_devices:
            loss = loss * self.accelerator.num_processes
        return loss

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """Written beside the others and named when whole: a kill or a full disk leaves the earlier ones as they were."""
        folder = Path(str(self.args.output_dir))
        unfinished = folder / "unfinished"
        if self.args.should_save:
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir(parents=True)
        self.accelerator.wait_for_everyone()
        self.args.output_dir = str(unfinished)
        try:
            super()._save_checkpoint(model, trial)
        except (OSError, RuntimeError) as error:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise _not_written(error, folder) from error
        finally:
            self.args.output_dir = str(folder)
        self.accelerator.wait_for_everyone()
        if self.args.should_save:
            _settle(unfinished, folder, self.state.global_step)

    def is_over_at(self, checkpoint: Path) -> bool:
        """Whether nothing is left to train after this checkpoint; its weights are taken then. `train` would take a step more."""
        state = TrainerState.load_from_json(str(checkpoint / "trainer_state.json"))
        if state.global_step < state.max_steps:
            return False
        self._load_from_checkpoint(str(checkpoint))
        self.state = state
        return True

    @torch.no_grad()
    def held_out(self, rows: Collator) -> tuple[float, int, list[tuple[float, int]]]:
        """Mean loss a trained token over the held-out rows, their tokens, and each row's own mean with its position."""
        self.model.eval()
        total, count, each = 0.0, 0, []
        for batch in _token_batches(rows, EVAL_TOKENS):
            positions = batch.pop("rows")
            batch.pop("tokens"), batch.pop("owner")
            inputs = self._prepare_inputs(batch)
            losses = self.model(**inputs).logits
            trained = [
                int((part[1:] != IGNORED).sum()) for part in inputs["labels"][0].split(batch["segments"])
            ]
            for position, part in zip(positions, losses.split(trained), strict=True):
                total, count = total + float(part.sum()), count + part.numel()
                each.append((float(part.mean()), position))
        self.model.train()
        return total / max(1, count), count, each


def _token_batches(collator: Collator, most: int) -> Any:
    """Bins of at most `most` tokens, in order; only the answers, never the refused ones."""
    chosen: list[int] = []
    tokens = 0
    for place, row in enumerate(collator.rows):
        if chosen and tokens + row.length > most:
            yield collator([chosen])
            chosen, tokens = [], 0
        chosen.append(place)
        tokens += row.length
    if chosen:
        yield collator([chosen])


def _settle(unfinished: Path, folder: Path, step: int) -> None:
    made = unfinished / f"checkpoint-{step}"
    for file in made.iterdir():
        descriptor = os.open(file, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
    final = folder / made.name
    shutil.rmtree(final, ignore_errors=True)
    made.replace(final)
    shutil.rmtree(unfinished, ignore_errors=True)
    steps = sorted(int(path.name.removeprefix("checkpoint-")) for path in folder.glob("checkpoint-[0-9]*"))
    for old in steps[:-CHECKPOINTS_KEPT]:
        shutil.rmtree(folder / f"checkpoint-{old}", ignore_errors=True)


def _not_written(error: Exception, folder: Path) -> TrainingFailed:
    full = getattr(error, "errno", None) in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
    full = full or "No space left" in str(error) or shutil.disk_usage(folder).free < 1_000_000
    kept = last_checkpoint(folder)
    whole = f"{kept.name} is whole" if kept else "there is no earlier checkpoint"
    if full:
        return TrainingFailed(
            "disk_full",
            f"The disk is full, so the checkpoint could not be written; {whole}. Make room, then resume.",
        )
    return TrainingFailed(
        "checkpoint_not_written",
        f"The checkpoint could not be written ({error}); {whole}. Mend that, then resume.",
    )


class Seen:
    """What went through the model since it was last asked."""

    def __init__(self, first_batch: Callable[[list[int]], None]) -> None:
        self.rows: list[int] = []
        self.tokens = 0
        self.margins: list[float] = []
        self._first: Callable[[list[int]], None] | None = first_batch

    def took(self, rows: list[int], tokens: int) -> None:
        if self._first is not None:
            self._first(rows)
            self._first = None
        self.rows += rows
        self.tokens += tokens

    def take(self) -> tuple[list[int], int, list[float]]:
        told = self.rows, self.tokens, self.margins
        self.rows, self.tokens, self.margins = [], 0, []
        return told


class Reporter(TrainerCallback):
    """A line a step, an evaluation when it is due, and the three ways to stop: asked, orphaned, not a number."""

    def __init__(
        self, report: Report, seen: Seen, spec: dict[str, Any], held_out: Collator, supervisor: int
    ) -> None:
        self.report, self.seen, self.spec, self.held = report, seen, spec, held_out
        self.supervisor = supervisor
        self.stop_asked = False
        self.failure: TrainingFailed | None = None
        self.trainer: LoraTrainer | None = None
        self._recent: deque[tuple[float, int]] = deque([(time.monotonic(), 0)], maxlen=21)
        self._tokens = 0
        self._watch: Watch | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self._watch = Watch(state.max_steps)
        if state.global_step == 0:
            self._evaluate(state)
        self._recent[0] = (time.monotonic(), 0)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        if self.supervisor and not _alive(self.supervisor):
            os._exit(3)
        if self.stop_asked or state.global_step >= state.max_steps:
            control.should_save = True
            control.should_training_stop = True

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        if not logs or "loss" not in logs:
            return
        rows, tokens, margins = self.seen.take()
        self._tokens += tokens
        now = time.monotonic()
        self._recent.append((now, self._tokens))
        (then, before), left = self._recent[0], state.max_steps - state.global_step
        speed = (self._tokens - before) / max(1e-9, now - then)
        loss, norm = float(logs["loss"]), float(logs.get("grad_norm") or 0.0)
        self.report.tell(
            "metrics",
            step=state.global_step,
            loss=_finite(loss),
            lr=logs.get("learning_rate"),
            grad_norm=_finite(norm),
            epoch=round(state.epoch or 0.0, 4),
            tokens=tokens,
            tokens_per_s=round(speed, 1),
            eta_s=round(left * (now - then) / max(1, len(self._recent) - 1), 1),
            memory_mb=_peak_megabytes(),
            rows=rows[:ROWS_TOLD],
            **({"margin": _finite(sum(margins) / len(margins))} if margins else {}),
        )
        self._look(state, control, loss, norm)
        if self.failure is None and (
            state.global_step % self.spec["eval_every"] == 0 or control.should_training_stop
        ):
            self._evaluate(state)

    def _look(self, state: TrainerState, control: TrainerControl, loss: float, norm: float) -> None:
        assert self._watch is not None
        for alert in self._watch.take(state.global_step, loss, norm):
            self.report.tell("alert", code=alert.code, step=alert.step, message=alert.message)
            if alert.fatal:
                self.failure = TrainingFailed(alert.code, alert.message)
                control.should_training_stop = True
                control.should_save = False

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self.report.tell("checkpoint", step=state.global_step)

    def _evaluate(self, state: TrainerState) -> None:
        if not self.held.rows:
            return
        assert self.trainer is not None
        loss, tokens, each = self.trainer.held_out(self.held)
        each.sort()
        told = [{"loss": _finite(value), "row": row} for value, row in each]
        self.report.tell(
            "eval",
            step=state.global_step,
            loss=_finite(loss),
            tokens=tokens,
            n=len(each),
            best=told[:EXTREMES],
            worst=told[::-1][:EXTREMES],
        )
        self.seen.take()


def _finite(value: float) -> float | None:
    """JSON knows no NaN."""
    return round(value, 6) if math.isfinite(value) else None


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError:
        return False
    return True


def _peak_megabytes() -> float:
    if torch.cuda.is_available():
        return round(torch.cuda.max_memory_allocated() / 1e6, 1)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3, 1)


def held_out_rows(rows: list[Any]) -> list[Any]:
    return rows[:EVAL_ROWS]
