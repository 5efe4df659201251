"""A training run from start to adapter: started once, leased, saved, resumed, registered."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils.timezone import now

from tests.training.versions import micro_version, quick_spec
from training import (
    adapters,
    curves,
    devices,
    launch,
    trainer_report,
    training_leases,
    training_log,
    training_runs,
)
from training.lora_spec import BadSpec, read_spec
from training.models import Device, TrainingEvent, TrainingRun
from training.run_models import TrainingStatus
from training.trainer_report import Report

pytestmark = pytest.mark.django_db(transaction=True)
torch_needed = pytest.mark.skipif(
    not __import__("importlib.util").util.find_spec("peft"), reason="training needs peft"
)


def start(spec: Any = None, **changes: Any) -> TrainingRun:
    return training_runs.start(
        spec or quick_spec(micro_version()), **{"publish_to_workers": False, **changes}
    )


def in_background(run: TrainingRun) -> threading.Thread:
    def work() -> None:
        try:
            launch.execute(run.pk, "test")
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def until(ready: Callable[[], bool], timeout_s: float = 600.0) -> None:
    end = time.monotonic() + timeout_s
    while not ready():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.05)


def kinds(run: TrainingRun) -> list[str]:
    return list(TrainingEvent.objects.filter(run=run).order_by("seq").values_list("kind", flat=True))


def test_the_same_request_starts_one_run_however_often_and_at_once_it_arrives() -> None:
    spec = quick_spec(micro_version())

    def again(_: int) -> int:
        try:
            return start(spec, request_id="double-click").pk
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(again, range(8)))) == 1
    assert TrainingRun.objects.count() == 1


def test_of_two_workers_told_of_one_run_one_takes_it_and_a_stale_one_writes_nothing() -> None:
    run = start()
    fence = training_leases.claim(run.pk, "first")
    assert fence == 1 and training_leases.claim(run.pk, "second") is None
    TrainingRun.objects.update(lease_expires_at=now() - training_leases._until())
    assert training_leases.reap() == 1 and training_leases.claim(run.pk, "second") == 2
    with pytest.raises(training_log.StaleFence):
        training_log.append(run.pk, [("metrics", {"step": 1, "loss": 1.0})], fence=1)
    assert not kinds(run)


def test_a_device_is_leased_to_one_run_and_the_other_waits_in_the_queue() -> None:
    devices.refresh()
    assert training_leases.claim_device("cpu", devices.host(), "training:1:1")
    run = start()
    assert launch.execute(run.pk, "test") is False
    run.refresh_from_db()
    assert run.status == TrainingStatus.QUEUED and run.fence == 0
    training_leases.give_device_back("training:1:1")
    assert Device.objects.free().filter(name="cpu").exists()


def test_a_worker_that_comes_too_late_takes_no_device_from_the_one_that_trains(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both are told of the run and lease a device each; then one of them gets the run."""
    monkeypatch.setattr(devices, "refresh", lambda: None)
    for name in ("cuda:0", "cpu"):
        Device.objects.create(name=name, host=devices.host(), title=name, memory_bytes=10**12, flops=10**12)
    run, told = start(), []
    claim = training_leases.claim

    def late(run_id: int, worker: str) -> int | None:
        if worker == "late":
            return None
        told.append(worker)
        assert launch.execute(run_id, "late") is False
        return claim(run_id, worker)

    def work(run: TrainingRun, hold: training_leases.Held, device: str) -> bool:
        assert Device.objects.get(name=device).holder == hold.holder and device == "cuda:0"
        assert list(Device.objects.free().values_list("name", flat=True)) == ["cpu"]
        return True

    monkeypatch.setattr(training_leases, "claim", late)
    monkeypatch.setattr(launch, "_work", work)
    assert launch.execute(run.pk, "first") is True
    assert Device.objects.free().count() == 2


def test_a_run_whose_device_another_has_taken_is_lost() -> None:
    devices.refresh()
    run = start()
    fence = training_leases.claim(run.pk, "slow")
    assert fence is not None and training_leases.claim_device("cpu", devices.host(), "slow") is not None
    hold = training_leases.Held(run.pk, fence, "slow")
    hold.beat()
    assert not hold.lost.is_set()
    Device.objects.update(lease_expires_at=now() - training_leases._until())  # it was paused past its lease
    assert training_leases.claim_device("cpu", devices.host(), "quick") is not None
    hold.beat()
    assert hold.lost.is_set() and Device.objects.get(name="cpu").holder == "quick"


def test_a_recipe_starts_all_roles_or_none() -> None:
    versions = {role: str(micro_version(role, 6, 2)) for role in ("retrieval", "coding")}
    specs = training_runs.read(
        "recipe: true\nmax_steps: 2\nlength: 512\nrank: 8\nroles: {coding: {lr: 0.001}}\n"
    )
    assert [(spec.role, spec.dataset, spec.lr) for spec in specs] == [
        ("retrieval", versions["retrieval"], 1e-4), ("coding", versions["coding"], 1e-3),
    ]  # fmt: skip
    first = training_runs.start_recipe(specs, request_id="r", publish_to_workers=False)
    second = training_runs.start_recipe(specs, request_id="r", publish_to_workers=False)
    assert [run.pk for run in first] == [run.pk for run in second] and {run.recipe for run in first} == {"r"}
    bad = [specs[0], read_spec({**specs[1].canonical(), "targets": ["w_proj"]})]
    with pytest.raises(BadSpec, match="no linear layers called w_proj"):
        training_runs.start_recipe(bad, request_id="s", publish_to_workers=False)
    assert TrainingRun.objects.count() == 2


def test_an_abort_outlives_the_worker_that_was_asked_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    run = start()
    assert training_leases.claim(run.pk, "killed") is not None and training_runs.abort(run.pk)
    TrainingRun.objects.update(lease_expires_at=now() - training_leases._until())
    assert training_leases.reap() == 1

    def trains_for_ever(*_: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(["sleep", "600"], start_new_session=True)

    monkeypatch.setattr(launch, "_spawn", trains_for_ever)
    assert launch.execute(run.pk, "another") is True
    run.refresh_from_db()
    assert (run.status, run.reason) == (TrainingStatus.CANCELLED, "aborted")
    assert training_runs.resume(run.pk, publish_to_workers=False)
    run.refresh_from_db()
    assert run.ask == ""


@torch_needed
def test_a_run_ends_as_a_registered_adapter_whose_lineage_leads_both_ways() -> None:
    run = start()
    assert launch.execute(run.pk, "test") is True
    run.refresh_from_db()
    assert (run.status, run.step, run.checkpoint, run.message) == (TrainingStatus.FINISHED, 4, 4, "")
    assert kinds(run)[:2] == ["attempt", "started"] and kinds(run)[-2:] == ["finished", "ended"]
    seqs = list(TrainingEvent.objects.filter(run=run).values_list("seq", flat=True))
    assert seqs == list(range(1, run.last_seq + 1))
    made = run.adapter
    assert made is not None and made.dataset == run.dataset and list(made.training_runs.all()) == [run]
    assert (made.folder / "adapter_model.safetensors").is_file()
    assert made.base_fingerprint == run.base_fingerprint and made.template_digest and made.rank == 8
    assert made.metrics["steps"] == 4 and made.metrics["eval_rows"] == 3
    assert str(run.dataset) in (made.folder / "README.md").read_text()
    assert not Device.objects.exclude(holder="").exists()
    assert launch.execute(run.pk, "test") is False  # a duplicate message
    assert [step for step, _ in curves.points(run)] == [1, 2, 3, 4]


@torch_needed
def test_a_trainer_killed_with_9_is_resumed_from_its_last_whole_checkpoint() -> None:
    run = start(quick_spec(micro_version(), max_steps=4000, save_every=2, eval_every=5000))
    thread = in_background(run)
    until(lambda: TrainingEvent.objects.filter(run=run, kind="checkpoint").exists())
    os.kill(trainer_of(run), signal.SIGKILL)
    thread.join(600)
    run.refresh_from_db()
    assert (run.status, run.deaths) == (TrainingStatus.QUEUED, 1) and run.checkpoint >= 2
    training_runs_shortened(run, 14)
    assert launch.execute(run.pk, "test") is True
    run.refresh_from_db()
    assert run.status == TrainingStatus.FINISHED and run.deaths == 0
    told = (
        TrainingEvent.objects.filter(run=run, kind="started")
        .order_by("seq")
        .values_list("payload", flat=True)
    )
    assert list(told)[1]["resumed_from"] >= 2
    steps = [step for step, _ in curves.points(run)]
    assert steps == list(range(1, len(steps) + 1))


def training_runs_shortened(run: TrainingRun, steps: int) -> None:
    """Only so that the test is quick: the rest of a run whose beginning is what matters."""
    TrainingRun.objects.filter(pk=run.pk).update(spec={**run.spec, "max_steps": max(steps, run.step + 2)})


def trainer_of(run: TrainingRun) -> int:
    """The process that trains this run: the one whose command line names its job."""
    wanted = str(run.folder / "job.json").encode()
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                command = open(f"/proc/{entry.name}/cmdline", "rb").read()  # noqa: SIM115, PTH123
            except OSError:
                continue
            if wanted in command:
                return int(entry.name)
    raise AssertionError("no trainer is running")


def test_a_trainer_that_dies_is_started_again_where_no_lab_would_do_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "run.yaml").write_text(quick_spec(micro_version()).to_yaml())
    attempts: list[int] = []

    def dies_at_first(run_id: int, worker: str) -> bool:
        attempts.append(run_id)
        if len(attempts) == 1:
            return False
        return bool(TrainingRun.objects.filter(pk=run_id).update(status=TrainingStatus.FINISHED))

    def waits(seconds: float) -> None:
        assert attempts and len(waited) < 5, "it waits for somebody who does not come"
        waited.append(seconds)

    waited: list[float] = []
    monkeypatch.setattr(launch, "execute", dies_at_first)
    monkeypatch.setattr(time, "sleep", waits)
    call_command("train", str(tmp_path / "run.yaml"), "--here", stdout=io.StringIO())
    assert len(attempts) == 2 and len(waited) == 1


@torch_needed
def test_save_and_stop_leaves_a_usable_adapter_and_abort_keeps_what_was_saved() -> None:
    long = quick_spec(micro_version(), max_steps=5000, save_every=4000, eval_every=6000)
    run = start(long)
    thread = in_background(run)
    until(lambda: TrainingEvent.objects.filter(run=run, kind="metrics").exists())
    assert training_runs.save_and_stop(run.pk)
    thread.join(600)
    run.refresh_from_db()
    assert run.status == TrainingStatus.STOPPED and run.adapter is not None and run.checkpoint == run.step
    assert 0 < run.step < 5000 and run.message == f"Saved and stopped at step {run.step}."
    assert training_runs.resume(run.pk, publish_to_workers=False)
    stopped_at = run.step
    thread = in_background(run)
    until(lambda: TrainingEvent.objects.filter(run=run, kind="metrics", step__gt=stopped_at).exists())
    assert training_runs.abort(run.pk)
    thread.join(600)
    run.refresh_from_db()
    assert (run.status, run.reason, run.checkpoint) == (TrainingStatus.CANCELLED, "aborted", stopped_at)


def test_a_queued_run_is_cancelled_at_once() -> None:
    run = start()
    assert training_runs.save_and_stop(run.pk) and not training_runs.abort(run.pk)
    run.refresh_from_db()
    assert run.status == TrainingStatus.CANCELLED and run.last_seq == 1


def test_a_stop_reaches_a_run_that_comes_back_to_the_queue_meanwhile() -> None:
    run = start()
    fence = training_leases.claim(run.pk, "killed")
    assert fence is not None

    def requeued(execute: Any, sql: str, *rest: Any) -> Any:
        done = execute(sql, *rest)
        if sql.startswith("UPDATE") and '"finished_at"' in sql:  # the try to cancel it where it waits
            training_leases.release(run.pk, fence)
        return done

    with connection.execute_wrapper(requeued):
        assert training_runs.abort(run.pk)
    run.refresh_from_db()
    assert (run.status, run.ask) == (TrainingStatus.QUEUED, "abort")


def test_a_run_that_is_claimed_while_its_worker_stops_is_told_to_save(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run, claim, told = start(), training_leases.claim, list[bool]()
    monkeypatch.setattr(launch, "_stopping", threading.Event())

    def stopped_meanwhile(run_id: int, worker: str) -> int | None:
        fence = claim(run_id, worker)
        launch.shut_down()
        return fence

    def work(run: TrainingRun, hold: training_leases.Held, device: str) -> bool:
        told.append(hold.stopping.is_set())
        return False

    monkeypatch.setattr(training_leases, "claim", stopped_meanwhile)
    monkeypatch.setattr(launch, "_work", work)
    assert not launch.execute(run.pk, "stopping") and told == [True]


def test_the_last_word_is_heard_however_much_was_reported_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker was held up while its trainer went on and ended."""

    def reports(run: TrainingRun, job: Path, device: str) -> subprocess.Popen[bytes]:
        report = Report(run.metrics_file(run.fence))
        for step in range(1, 21):
            report.tell("metrics", step=step, loss=1.0)
        report.tell("failed", code="disk_full", message="The disk is full.")
        child = subprocess.Popen(["true"], start_new_session=True)
        child.wait()
        return child

    monkeypatch.setattr(launch, "_spawn", reports)
    monkeypatch.setattr(trainer_report, "MOST_AT_ONCE", 300)
    run = start()
    assert launch.execute(run.pk, "test")
    run.refresh_from_db()
    assert (run.status, run.reason, run.step) == (TrainingStatus.FAILED, "disk_full", 20)


def test_what_nobody_read_is_not_lost_to_an_attempt_that_had_not_begun(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first worker was killed before it had read, the second one right after its claim."""
    run = start()
    monkeypatch.setattr(trainer_report, "MOST_AT_ONCE", 100)
    training_leases.claim(run.pk, "first")
    training_log.append(run.pk, [("attempt", {"fence": 1, "device": "cpu", "worker": "first"})], fence=1)
    run.folder.mkdir(parents=True)
    for step in (1, 2):
        Report(run.metrics_file(1)).tell("metrics", step=step, loss=1.0)
    for worker in ("second", "third"):
        TrainingRun.objects.update(lease_expires_at=now() - training_leases._until())
        training_leases.claim(run.pk, worker)
    run.refresh_from_db()
    launch._drain(run)
    launch._drain(run)
    assert kinds(run) == ["attempt", "metrics", "metrics"]


def test_the_registry_knows_what_serves_before_anything_was_promoted() -> None:
    assert adapters.serving("micro", "coding") is None
