"""However a trainer ends, its page says so in a sentence, offers to resume, and keeps the checkpoints."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client

from tests.training.versions import micro_version, quick_spec
from training import launch, trainer, training_runs
from training.models import TrainingRun
from training.trainer_report import Report

pytestmark = pytest.mark.django_db(transaction=True)
ENDINGS = {
    "The disk is full; earlier checkpoints are whole.": OSError(errno.ENOSPC, "No space left on device"),
    "The device ran out of memory. Lower batch or length": RuntimeError("CUDA out of memory."),
    "needs the Python package peft, which is not installed": ModuleNotFoundError(name="peft"),
}


@pytest.mark.parametrize("sentence", ENDINGS)
def test_the_page_of_a_run_whose_trainer_failed_says_why_and_offers_to_resume(
    sentence: str, monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    """The trainer's process is one that fails at once; what it reports is worded by the trainer's own code."""

    def fails(run: TrainingRun, job: Path, device: str) -> subprocess.Popen[bytes]:
        failed = trainer.worded(ENDINGS[sentence])
        Report(run.metrics_file(run.fence)).tell("failed", code=failed.code, message=str(failed))
        return subprocess.Popen([sys.executable, "-S", "-c", "raise SystemExit(1)"], start_new_session=True)

    monkeypatch.setattr(launch, "_spawn", fails)
    run = training_runs.start(quick_spec(micro_version()), publish_to_workers=False)
    checkpoint = run.folder / "checkpoints" / "checkpoint-4"
    checkpoint.mkdir(parents=True)
    assert launch.execute(run.pk, "test")
    run.refresh_from_db()
    assert run.status == "failed" and checkpoint.is_dir()
    page = client.get(f"/training/runs/{run.pk}/").content.decode()
    assert sentence in page and "Resume" in page
