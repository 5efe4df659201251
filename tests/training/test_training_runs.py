"""A training run from start to adapter: started once, leased, saved, resumed, registered."""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.utils.timezone import now

from solver.engines import base_model
from tests.training import micro_rows
from tests.training.test_adapters import imported
from tests.training.versions import make_version, micro_version, quick_spec
from training import (
    adapters,
    curves,
    devices,
    launch,
    readiness,
    training_leases,
    training_log,
    training_runs,
)
from training.lora_spec import BadSpec, read_spec
from training.models import Adapter, Device, Example, ExampleState, TrainingEvent, TrainingRun
from training.rows_file import Row
from training.run_models import TrainingStatus

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


def until(ready: Callable[[], bool], timeout_s: float = 240.0) -> None:
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
    run = start(quick_spec(micro_version(), max_steps=40, save_every=2, eval_every=50))
    thread = in_background(run)
    until(lambda: TrainingEvent.objects.filter(run=run, kind="checkpoint").exists())
    os.kill(trainer_of(run), signal.SIGKILL)
    thread.join(240)
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


@torch_needed
def test_save_and_stop_leaves_a_usable_adapter_and_abort_keeps_what_was_saved() -> None:
    long = quick_spec(micro_version(), max_steps=500, save_every=400, eval_every=600)
    run = start(long)
    thread = in_background(run)
    until(lambda: TrainingEvent.objects.filter(run=run, kind="metrics").exists())
    assert training_runs.save_and_stop(run.pk)
    thread.join(240)
    run.refresh_from_db()
    assert run.status == TrainingStatus.STOPPED and run.adapter is not None and run.checkpoint == run.step
    assert 0 < run.step < 500 and run.message == f"Saved and stopped at step {run.step}."
    assert training_runs.resume(run.pk, publish_to_workers=False)
    stopped_at = run.step
    thread = in_background(run)
    until(lambda: TrainingEvent.objects.filter(run=run, kind="metrics", step__gt=stopped_at).exists())
    assert training_runs.abort(run.pk)
    thread.join(240)
    run.refresh_from_db()
    assert (run.status, run.reason, run.checkpoint) == (TrainingStatus.CANCELLED, "aborted", stopped_at)


def test_a_queued_run_is_cancelled_at_once() -> None:
    run = start()
    assert training_runs.save_and_stop(run.pk) and not training_runs.abort(run.pk)
    run.refresh_from_db()
    assert run.status == TrainingStatus.CANCELLED and run.last_seq == 1


# -- what is refused before anything is spent


def reasons(spec: Any) -> str:
    return " | ".join(readiness.reasons(readiness.check(spec)))


@pytest.mark.parametrize(("count", "words"), [(0, "is empty"), (1, "has a single training row")])
def test_an_empty_or_one_row_dataset_is_refused(count: int, words: str) -> None:
    version = make_version("coding", micro_rows.rows("coding", count, 0))
    assert words in reasons(quick_spec(version))


def test_rank_nought_and_misspelt_fields_are_refused_with_the_mend() -> None:
    with pytest.raises(BadSpec) as refused:
        read_spec({"role": "coding", "dataset": "coding@v1", "rank": 0, "learning_rte": 1})
    told = [str(fault) for fault in refused.value.faults]
    assert any(text.startswith("rank:") and "greater than or equal to 1" in text for text in told)
    assert any(text.startswith("learning_rte:") and "no such field" in text for text in told)


def test_targets_that_the_base_lacks_are_refused_and_those_it_has_are_named() -> None:
    told = reasons(quick_spec(micro_version(), targets=["q_proj", "gate"]))
    assert "no linear layers called gate" in told and "down_proj" in told and "q_proj" in told


def test_a_base_that_is_not_here_is_refused_with_how_to_get_it() -> None:
    told = reasons(quick_spec(micro_version(), base="Qwen/Qwen2.5-7B-Instruct"))
    assert "is not on this machine" in told and "hf download Qwen/Qwen2.5-7B-Instruct" in told


def test_rows_over_the_length_are_refused_unless_somebody_says_what_to_do_with_them() -> None:
    version = micro_version()
    assert "12 rows are over the cut-off" in reasons(quick_spec(version, length=64))
    gate = readiness.check(quick_spec(version, length=200, over_length="cut"))
    assert not [finding for finding in gate.against if "cut-off" in finding.title]


def test_withdrawn_rows_and_rows_of_the_test_split_are_refused() -> None:
    from tests.factories import make_problem

    tested = make_problem(split="test")
    version = make_version("coding", micro_rows.rows("coding", 6, 2), problems=[tested])
    Example.objects.filter(rows__position=0).update(state=ExampleState.WITHDRAWN)
    told = reasons(quick_spec(version))
    assert "4 rows come from the test split" in told and tested.external_id in told
    assert "1 row was withdrawn" in told and "held-out problems" in told


def test_quantised_training_without_bitsandbytes_is_refused() -> None:
    if __import__("importlib.util").util.find_spec("bitsandbytes"):
        pytest.skip("bitsandbytes is installed here")
    assert "bitsandbytes" in reasons(quick_spec(micro_version(), precision="4bit"))


def test_a_7b_on_a_cpu_is_refused_with_the_estimate(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        base_model, "base_fingerprint", lambda folder: "0" * 64
    )  # 15 GB of holes need no hashing
    base = seven_billion(tmp_path / "qwen-7b")
    told = readiness.check(
        quick_spec(micro_version(), base=str(base), device="cpu", gradient_checkpointing=True)
    )
    said = " | ".join(f"{finding.title} {finding.detail}" for finding in told.against)
    assert "7.6 B parameters is too slow on a CPU" in said and "About " in said
    assert told.fit is not None and told.fit.memory_bytes > 30e9  # fp32 weights
    assert told.fit.adapter_parameters == pytest.approx(80.7e6 / 4, rel=0.01)  # rank 8


def seven_billion(folder: Any) -> Any:
    """Qwen2.5-7B's shapes: the headers of its weights with no data behind, and the micro tokenizer."""
    import json

    from django.conf import settings

    shutil.copytree(settings.BASE_DIR / "micro/artefact/base", folder)
    config = json.loads((folder / "config.json").read_text())
    hidden, wide, layers, words, small = 3584, 18944, 28, 152064, 512
    config.update(hidden_size=hidden, intermediate_size=wide, num_hidden_layers=layers, vocab_size=words)
    (folder / "config.json").write_text(json.dumps(config))
    shapes = {"model.embed_tokens.weight": [words, hidden], "lm_head.weight": [words, hidden]}
    for layer in range(layers):
        at = f"model.layers.{layer}"
        shapes |= {f"{at}.self_attn.{n}_proj.weight": [o, hidden] for n, o in (("q", hidden), ("k", small), ("v", small), ("o", hidden))}  # fmt: skip
        shapes |= {f"{at}.mlp.{n}_proj.weight": s for n, s in (("gate", [wide, hidden]), ("up", [wide, hidden]), ("down", [hidden, wide]))}  # fmt: skip
    header: dict[str, Any] = {}
    offset = 0
    for name, shape in shapes.items():
        size = 2 * shape[0] * shape[1]
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    with (folder / "model.safetensors").open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + offset)  # a sparse file: no disk is used
    return folder


def test_a_dpo_run_without_preference_pairs_is_refused() -> None:
    assert "DPO trains on preference pairs" in reasons(quick_spec(micro_version(), method="dpo"))
    pairs = [
        Row(r.position, r.split, r.messages, r.answer, "print(0)") for r in micro_rows.rows("coding", 6, 2)
    ]
    assert not reasons(quick_spec(make_version("coding", pairs), method="dpo"))


# -- DPO that starts from an adapter


def from_adapter(adapter: Adapter, **changes: Any) -> Any:
    told = [dataclasses.replace(row, refused="print(0)") for row in micro_rows.rows("coding", 6, 2)]
    shape = {"rank": 16, "alpha": 32, "method": "dpo", "adapter": str(adapter)}
    return quick_spec(make_version("coding", told), **{**shape, **changes})


def test_an_adapter_to_start_from_must_be_known_of_the_role_and_of_the_runs_shape_and_base() -> None:
    made = imported("coding")
    spec = from_adapter(made)
    gate = readiness.check(spec)
    assert gate.open and gate.adapter == made
    assert any("Starts from adapter coding@1" in finding.title for finding in gate.findings)
    assert "There is no adapter coding@7. Of coding there are: coding@1" in reasons(
        read_spec({**spec.canonical(), "adapter": "coding@7"})
    )
    told = reasons(read_spec({**spec.canonical(), "rank": 8, "targets": ["q_proj"]}))
    assert "another shape than this run. Write rank: 16, targets: [down_proj" in told
    Adapter.objects.update(base_fingerprint="0" * 64)
    assert "coding@1 was trained on another base" in reasons(spec)
    Adapter.objects.update(base_fingerprint="", digest="0" * 64)
    shutil.copytree(made.folder, Adapter.objects.get().folder, dirs_exist_ok=True)
    assert "not those that were registered" in reasons(spec)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"method": "sft"}, "Adapter coding@1 is where DPO starts"),
        ({"adapter": "planning@1"}, "Adapter planning@1 belongs to another role than coding"),
        ({"adapter": "coding@0a1b"}, "adapter: "),
    ],
)
def test_an_adapter_to_start_from_is_refused_where_it_means_nothing(
    changes: dict[str, str], words: str
) -> None:
    data = {"role": "coding", "dataset": "coding@v1", "method": "dpo", "adapter": "coding@1", **changes}
    with pytest.raises(BadSpec, match=words):
        read_spec(data)


@torch_needed
def test_a_run_that_starts_from_an_adapter_leaves_another_whose_lineage_leads_both_ways() -> None:
    parent = imported("coding")
    run = start(from_adapter(parent, max_steps=2, lr=1e-4))
    assert run.started_from == parent
    assert launch.execute(run.pk, "test") is True
    run.refresh_from_db()
    assert run.status == TrainingStatus.FINISHED and run.adapter is not None and run.adapter != parent
    assert list(parent.went_on.all()) == [run]
    assert (
        f"trained on by DPO from the adapter `{parent.name}`"
        in (run.adapter.folder / "README.md").read_text()
    )
    first = TrainingEvent.objects.filter(run=run, kind="metrics").order_by("seq").first()
    assert first is not None and first.payload["loss"] == pytest.approx(0.6931, abs=1e-3)


def test_the_registry_knows_what_serves_before_anything_was_promoted() -> None:
    assert adapters.serving("micro", "coding") is None
