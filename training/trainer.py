"""One training run as a process of its own: `python -m training.trainer spec.json`.

1. Read the rows as tokens; 2. load the frozen base and lay a fresh adapter over it; 3. go on from the last whole
checkpoint, to the bit; 4. report each step as a JSON line; 5. leave a PEFT adapter. SIGTERM saves and stops. The process
dies with its supervisor. It knows no Django and no database: its job file is all it reads, its report all it says.
"""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from training.trainer_job import NOTHING_TO_SAVE, Job, last_checkpoint
from training.trainer_report import Report, TrainingFailed

if TYPE_CHECKING:
    from training.trainer_loop import LoraTrainer, Reporter

PR_SET_PDEATHSIG = 1
_SPINNING = {"OMP_WAIT_POLICY": "PASSIVE"}  # waiting threads that spin cost 8 to 20 times on shared cores
_EXACT = {"CUBLAS_WORKSPACE_CONFIG": ":4096:8"}


def die_with(parent: int) -> None:
    """Death with the thread that started us, also when it is killed with -9 (Linux); elsewhere each step looks."""
    if sys.platform == "linux" and parent:
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        try:
            os.kill(parent, 0)
        except OSError:  # it died before the line above took hold
            os._exit(3)


def alone_in(folder: Path) -> IO[bytes]:
    """Waits until no other trainer is at this run; the lock goes with the process, or with what is returned.

    A worker that was held up past its lease ends its trainer once it notices. Until then that one may be writing a
    checkpoint, in the place where this one would.
    """
    lock = (folder / "trainer.lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"an earlier trainer is still at {folder}; waiting for its end", file=sys.stderr, flush=True)
        fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def run(job: Job, report: Report) -> None:
    """Raises TrainingFailed; everything else that can go wrong is worded by `main`."""
    for name, value in {**_SPINNING, **_EXACT}.items():
        os.environ.setdefault(name, value)
    import torch

    torch.set_num_threads(job.threads)
    from training import trainer_setup

    made = trainer_setup.prepare(job, report)
    _stop_when_asked(made.reporter)
    began = last_checkpoint(Path(job.checkpoints))
    started = time.monotonic()
    if began is None or not made.trainer.is_over_at(began):
        made.trainer.train(resume_from_checkpoint=str(began) if began else None)
    if made.reporter.failure is not None:
        raise made.reporter.failure
    state = made.trainer.state
    if not made.trainer.is_world_process_zero():
        return
    digest = export(made.trainer, job)
    report.tell(
        "finished" if state.global_step >= state.max_steps else "stopped",
        step=state.global_step,
        steps=state.max_steps,
        digest=digest,
        seconds=round(time.monotonic() - started, 1),
    )


def _stop_when_asked(reporter: Reporter) -> None:
    def ask(*_: Any) -> None:
        reporter.stop_asked = True

    signal.signal(signal.SIGTERM, ask)


def export(trainer: LoraTrainer, job: Job) -> str:
    """The adapter in PEFT's format with the card of its origin, in place at once; returns its digest."""
    target = Path(job.adapter)
    unfinished = target.with_name(target.name + ".part")
    shutil.rmtree(unfinished, ignore_errors=True)
    trainer.accelerator.unwrap_model(trainer.model).save_pretrained(unfinished)
    (unfinished / "README.md").unlink(missing_ok=True)  # PEFT's empty card; the registry writes one
    config = json.loads((unfinished / "adapter_config.json").read_text(encoding="utf-8"))
    config["base_model_name_or_path"] = job.card.get("base")
    config["target_modules"] = sorted(config["target_modules"])
    (unfinished / "adapter_config.json").write_text(
        json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8"
    )
    (unfinished / "base.json").write_text(json.dumps(job.card) + "\n", encoding="utf-8")
    shutil.rmtree(target, ignore_errors=True)
    unfinished.replace(target)
    return hashlib.sha256((target / "adapter_model.safetensors").read_bytes()).hexdigest()


def worded(error: BaseException) -> TrainingFailed:
    """What to change, in a sentence, for whatever ended the run."""
    if isinstance(error, TrainingFailed):
        return error
    text = str(error)
    if isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text:
        return TrainingFailed(
            "out_of_memory",
            "The device ran out of memory. Lower batch or length, switch gradient_checkpointing on, or take precision 4bit; "
            "earlier checkpoints are whole.",
        )
    if isinstance(error, OSError) and error.errno == 28:
        return TrainingFailed(
            "disk_full", "The disk is full; earlier checkpoints are whole. Make room, then resume."
        )
    if isinstance(error, ModuleNotFoundError):
        return TrainingFailed(
            "missing_module",
            f"The trainer needs the Python package {error.name}, which is not installed here. Install the lab's "
            "requirements.txt, then resume.",
        )
    return TrainingFailed(
        "internal_error",
        f"The trainer failed ({type(error).__name__}: {text[:300]}); its log has the details.",
    )


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m training.trainer spec.json\n")
        return 2
    signal.signal(signal.SIGTERM, lambda *_: os._exit(NOTHING_TO_SAVE))  # before anything is worth saving
    job = Job.read(Path(arguments[0]))
    die_with(job.supervisor)
    report = Report(Path(job.metrics))
    lock = alone_in(Path(job.metrics).parent)
    try:
        run(job, report)
    except Exception as error:
        failed = worded(error)
        report.tell("failed", code=failed.code, message=str(failed))
        if failed.code == "internal_error":
            raise
        return 1
    finally:
        lock.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
