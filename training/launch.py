"""The life of a training run in a worker.

1. Claim the row; 2. lease a device; 3. write rows and job; 4. start the trainer as a child process; 5. turn its report
into events while both leases are renewed; 6. write the ending. Any kill loses the steps since the last checkpoint: the reaper
gives the run back, and the next attempt goes on from there.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.timezone import now

from solver.engines.adapters import BadAdapter
from training import adapters, devices, evaluation, rows_file, training_leases, training_log, version_rows
from training.models import TrainingRun
from training.run_models import Ask, TrainingStatus
from training.trainer_job import NOTHING_TO_SAVE, Job
from training.trainer_report import LAST, read_parts
from training.training_leases import Held
from training.training_log import Fact, StaleFence

log = logging.getLogger(__name__)
POLL_S = 0.2
GRACE_S = 120.0  # to finish a step and write a checkpoint
MOST_DEATHS = 3  # of the trainer without a checkpoint in between
Ending = tuple[TrainingStatus, dict[str, Any]]

_active: set[Held] = set()
_active_lock = threading.Lock()
_stopping = threading.Event()


def shut_down() -> None:
    """The worker is stopping: every trainer saves and its run goes back to the queue."""
    _stopping.set()
    with _active_lock:
        for hold in _active:
            hold.stopping.set()


@contextlib.contextmanager
def _listed(hold: Held) -> Iterator[None]:
    with _active_lock:
        _active.add(hold)
        if _stopping.is_set():  # claimed while the others were told
            hold.stopping.set()
    try:
        yield
    finally:
        with _active_lock:
            _active.discard(hold)


def execute(run_id: int, worker: str) -> bool:
    """Train until the run ends; False if it was not this worker's to take, no device is free, or it was taken away."""
    run = TrainingRun.objects.filter(pk=run_id).claimable().first()
    if _stopping.is_set() or run is None:
        return False
    devices.refresh()
    # Two workers that are told of one run both get this far: each gives back its own device only.
    holder = f"training:{run_id}:{run.fence + 1}:{uuid.uuid4().hex[:8]}"
    device = training_leases.claim_device(str(run.spec["device"]), devices.host(), holder)
    if device is None:
        return False
    try:
        fence = training_leases.claim(run_id, worker)
        if fence is None:
            return False
        run.refresh_from_db()
        with training_leases.held(run_id, fence, holder) as hold, _listed(hold):
            return _work(run, hold, device.name)
    except StaleFence:
        log.warning("training run %s was taken over by another worker", run_id)
        return False
    finally:
        training_leases.give_device_back(holder)


def _work(run: TrainingRun, hold: Held, device: str) -> bool:
    _drain(run)
    training_log.append(
        run.pk,
        [("attempt", {"fence": run.fence, "device": device, "worker": run.lease_owner})],
        fence=run.fence,
    )
    try:
        job = _prepare(run, device)
        child = _spawn(run, job, device)
    except OSError as error:
        message = f"The run's folder cannot be written ({error.strerror}); make room or set MCL_VAR to another folder."
        _finish(run, (TrainingStatus.FAILED, {"reason": "no_folder", "message": message}))
        return True
    try:
        ending = _follow(run, hold, child)
    finally:
        _kill(child)
    if ending is None:
        return False
    try:
        _finish(run, ending)
    except (OSError, BadAdapter) as error:
        _finish(run, _unregistered(error))
        return True
    run.refresh_from_db()
    evaluation.after_training(run)
    return True


def _prepare(run: TrainingRun, device: str) -> Path:
    """The frozen rows (once), and the job of this attempt."""
    folder = run.folder
    folder.mkdir(parents=True, exist_ok=True)
    rows = folder / "rows.jsonl"
    if not rows.exists():
        rows_file.write(rows, version_rows.read(run.dataset))
    shutil.rmtree(folder / "adapter", ignore_errors=True)
    Job(
        spec={**run.spec, "device": device.partition(":")[0]},
        base=run.base,
        rows=str(rows),
        checkpoints=str(folder / "checkpoints"),
        adapter=str(folder / "adapter"),
        metrics=str(run.metrics_file(run.fence)),
        supervisor=os.getpid(),
        threads=devices.threads(),
        start=str(run.started_from.folder) if run.started_from else "",
        start_digest=run.started_from.digest if run.started_from else "",
        card=adapters.card(run),
    ).write(folder / "job.json")
    return folder / "job.json"


def _spawn(run: TrainingRun, job: Path, device: str) -> subprocess.Popen[bytes]:
    """In a session of its own; the child binds its life to this thread's by itself (see `training.trainer`)."""
    env = {
        **os.environ,
        "OMP_WAIT_POLICY": "PASSIVE",
        "HF_HUB_OFFLINE": "1",
        "PYTHONUNBUFFERED": "1",
        "CUDA_VISIBLE_DEVICES": device.partition(":")[2],  # the leased card alone; none for the CPU
    }
    with (run.folder / "trainer.log").open("ab") as sink:
        return subprocess.Popen(
            [sys.executable, "-m", "training.trainer", str(job)],
            env=env,
            cwd=settings.BASE_DIR,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
        )


def _follow(run: TrainingRun, hold: Held, child: subprocess.Popen[bytes]) -> Ending | None:
    """None: the run is not ours to end, it was lost or goes back to the queue."""
    asked_at: float | None = None
    while True:
        ended = child.poll() is not None  # asked before the report is read: what it wrote last is not missed
        last = _read(run, run.fence)
        if hold.lost.is_set():
            return None
        if hold.ask == Ask.ABORT:
            _kill(child)
            return TrainingStatus.CANCELLED, {"reason": "aborted", "message": "Aborted."}
        if asked_at is None and (hold.ask == Ask.SAVE or hold.stopping.is_set()):
            child.send_signal(signal.SIGTERM)
            asked_at = time.monotonic()
        if asked_at is not None and time.monotonic() - asked_at > GRACE_S:
            _kill(child)
        if last or ended:
            return _ended(run, hold, child, last)
        time.sleep(POLL_S)


def _ended(run: TrainingRun, hold: Held, child: subprocess.Popen[bytes], last: Fact | None) -> Ending | None:
    kind, told = last or ("", {})
    if kind == "finished":
        return TrainingStatus.FINISHED, {"told": told}
    if hold.stopping.is_set() and hold.ask != Ask.SAVE:
        training_leases.release(run.pk, run.fence)
        return None
    if kind == "stopped":
        return TrainingStatus.STOPPED, {"told": told, "message": f"Saved and stopped at step {told['step']}."}
    if kind == "failed":
        return TrainingStatus.FAILED, {"reason": told["code"], "message": told["message"]}
    if hold.ask == Ask.SAVE:
        return TrainingStatus.CANCELLED, {"reason": "cancelled", "message": _unsaved(run, child)}
    return _died(run, child)


def _unsaved(run: TrainingRun, child: subprocess.Popen[bytes]) -> str:
    """Of a run that was to be saved and whose trainer ended without a word."""
    if child.wait() == NOTHING_TO_SAVE:
        return "Stopped before the trainer had begun; nothing was lost."
    run.refresh_from_db(fields=["step", "checkpoint"])
    kept = f"of step {run.checkpoint}" if run.checkpoint else "there is none yet, so it begins anew"
    return (
        f"Stopped without saving: the step after {run.step} did not end within {GRACE_S:.0f} s, or the trainer died in it. "
        f"Resuming goes on from the last checkpoint, {kept}."
    )


def _died(run: TrainingRun, child: subprocess.Popen[bytes]) -> Ending | None:
    """Without a last word: killed from outside, or a crash. Tried again from the last checkpoint, a few times."""
    code = child.wait()
    deaths = run.deaths + 1
    training_log.append(run.pk, [("died", {"code": code})], fence=run.fence, deaths=deaths)
    if deaths < MOST_DEATHS:
        training_leases.release(run.pk, run.fence)
        return None
    what = (
        "was killed, most likely because the machine ran out of memory; lower batch or length"
        if code == -signal.SIGKILL
        else f"ended with code {code} and no word; see {run.folder / 'trainer.log'}"
    )
    message = f"The trainer {what}. It was tried {deaths} times; checkpoints are whole."
    return TrainingStatus.FAILED, {"reason": "trainer_died", "message": message}


def _read(run: TrainingRun, fence: int) -> Fact | None:
    """New lines of the report become events; the last word, if it is among them. To the end of the report: where this
    worker was held up, more may wait than is read at once, and the last word behind it."""
    last: Fact | None = None
    for lines, offset in read_parts(run.metrics_file(fence), run.metrics_read):
        facts = _facts(lines)
        training_log.append(run.pk, facts, fence=run.fence, metrics_read=offset, **_projected(run, facts))
        run.metrics_read = offset
        last = next((fact for fact in facts if fact[0] in LAST), last)
    return last


def _facts(lines: list[dict[str, Any]]) -> list[Fact]:
    return [(str(line.pop("kind")), line) for line in lines]


def _projected(run: TrainingRun, facts: list[Fact]) -> dict[str, Any]:
    """The row's own figures, so that lists open no event."""
    changes: dict[str, Any] = {}
    for kind, told in facts:
        if kind == "started":
            changes["steps"] = told["steps"]
        elif kind == "metrics":
            changes["step"] = told["step"]
        elif kind == "checkpoint":
            changes.update(checkpoint=told["step"], deaths=0)
            run.deaths = 0
    return changes


def _drain(run: TrainingRun) -> None:
    """What the attempt before had reported and no one read: its supervisor was killed first. The last one that had begun:
    one killed right after its claim has a fence and nothing more."""
    told = run.events.filter(kind="attempt").order_by("-seq").first()
    if told is None:
        return
    fence = int(told.payload["fence"])
    seen = run.events.filter(seq__gt=told.seq).exclude(kind__in=["died", "cancelled", "ended"]).count()
    lines = [line for part, _ in read_parts(run.metrics_file(fence)) for line in part]
    if facts := _facts(lines[seen:]):
        training_log.append(run.pk, facts, fence=run.fence, **_projected(run, facts))


def _unregistered(error: OSError | BadAdapter) -> Ending:
    what = error.strerror or type(error).__name__ if isinstance(error, OSError) else str(error).rstrip(".")
    message = (
        f"The adapter was trained, but could not be put into the registry ({what}). The last checkpoint is whole: make room "
        f"in {adapters.root()} or mend that, then resume."
    )
    return TrainingStatus.FAILED, {"reason": "not_registered", "message": message}


def _finish(run: TrainingRun, ending: Ending) -> None:
    status, told = ending
    said = told.pop("told", None)
    changes: dict[str, Any] = {"reason": "", "message": "", **told, "finished_at": now()}
    if said is not None:
        changes["adapter"] = adapters.register(run, said)
    event = {"status": status.value, "reason": changes["reason"], "message": changes["message"]}
    training_log.append(
        run.pk, [("ended", event)], fence=run.fence, status=status, lease_expires_at=None, **changes
    )


def _kill(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
