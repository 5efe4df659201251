"""However a trainer ends, its page says so in a sentence, offers to resume, and keeps the checkpoints."""

from __future__ import annotations

import errno
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from tests.training.versions import micro_version, quick_spec
from training import adapters, launch, trainer, training_runs
from training.models import TrainingRun
from training.trainer_report import Report

pytestmark = pytest.mark.django_db(transaction=True)
SHIPPED = Path(settings.BASE_DIR) / "micro/artefact/adapters/coding"
OUTLIVED = (
    "Stopped without saving: the step after 7 did not end within 0 s, or the trainer died in it. "
    "Resuming goes on from the last checkpoint, of step 4."
)
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


@pytest.mark.parametrize(
    ("on_term", "grace_s", "sentence"),
    [
        ("lambda *_: os._exit(143)", 60.0, "Stopped before the trainer had begun; nothing was lost."),
        (
            "signal.SIG_IGN",
            0.0,
            OUTLIVED,
        ),
    ],
)
def test_a_run_that_could_not_be_saved_says_so_and_from_where_it_goes_on(
    on_term: str, grace_s: float, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = f"import os, signal, time; signal.signal(15, {on_term}); print(flush=True); time.sleep(600)"

    def asked_to_stop(run: TrainingRun, job: Path, device: str) -> subprocess.Popen[bytes]:
        if not grace_s:
            report = Report(run.metrics_file(run.fence))
            report.tell("checkpoint", step=4)
            report.tell("metrics", step=7, loss=1.0)
        assert training_runs.save_and_stop(run.pk)
        child = subprocess.Popen(
            [sys.executable, "-S", "-c", code], stdout=subprocess.PIPE, start_new_session=True
        )
        assert child.stdout is not None and child.stdout.readline()  # it knows what to do when it is asked
        child.stdout.close()
        return child

    monkeypatch.setattr(launch, "_spawn", asked_to_stop)
    monkeypatch.setattr(launch, "GRACE_S", grace_s)
    run = training_runs.start(quick_spec(micro_version()), publish_to_workers=False)
    assert launch.execute(run.pk, "test")
    run.refresh_from_db()
    assert (run.status, run.message) == ("cancelled", sentence)


def test_an_adapter_that_cannot_be_stored_ends_its_run_with_a_sentence_instead_of_starting_it_again(
    monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    def finishes(run: TrainingRun, job: Path, device: str) -> subprocess.Popen[bytes]:
        shutil.copytree(SHIPPED, run.folder / "adapter")
        Report(run.metrics_file(run.fence)).tell("finished", step=4, steps=4, digest="", seconds=1.0)
        return subprocess.Popen([sys.executable, "-S", "-c", ""], start_new_session=True)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(launch, "_spawn", finishes)
    run = training_runs.start(quick_spec(micro_version()), publish_to_workers=False)
    with monkeypatch.context() as patched:
        patched.setattr(adapters, "_place", full)
        assert launch.execute(run.pk, "test")
    run.refresh_from_db()
    assert (run.status, run.reason, run.adapter) == ("failed", "not_registered", None)
    page = client.get(f"/training/runs/{run.pk}/").content.decode()
    assert "could not be put into the registry (No space left on device)" in page and "Resume" in page
    assert training_runs.resume(run.pk, publish_to_workers=False) and launch.execute(run.pk, "test")
    run.refresh_from_db()
    assert run.status == "finished" and run.adapter is not None


def test_a_trainer_waits_for_an_earlier_one_that_is_still_at_its_run(tmp_path: Path) -> None:
    """Its worker was held up past the lease: another one has taken the run, and its own is not ended yet."""
    code = "import sys; from pathlib import Path; from training.trainer import alone_in; "
    code += "alone_in(Path(sys.argv[1])); print('alone', flush=True)"
    with trainer.alone_in(tmp_path):
        second = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)],
            cwd=settings.BASE_DIR,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert second.stderr is not None
        assert "an earlier trainer is still at" in second.stderr.readline()
        assert second.poll() is None
    told, _ = second.communicate()
    assert (told, second.returncode) == ("alone\n", 0)
