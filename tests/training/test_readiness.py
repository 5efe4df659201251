"""The gate of a training run: what is refused before anything is spent, and where DPO may start."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from solver.engines import base_model
from tests.training import micro_rows
from tests.training.test_adapters import imported
from tests.training.test_training_runs import start, torch_needed
from tests.training.versions import make_version, micro_version, quick_spec
from training import (
    devices,
    fit,
    launch,
    readiness,
    training_log,
)
from training.lora_spec import BadSpec, read_spec
from training.models import Adapter, Device, Example, ExampleState, TrainingEvent
from training.rows_file import Row
from training.run_models import TrainingStatus

pytestmark = pytest.mark.django_db(transaction=True)


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


def test_the_time_a_run_takes_is_told_from_runs_on_its_own_device() -> None:
    devices.refresh()
    Device.objects.create(
        name="cuda:0", host=devices.host(), title="A card", memory_bytes=80 * 10**9, flops=10**14
    )
    spec = quick_spec(micro_version(), device="auto", precision="fp32")
    for device, speed in (("cuda:0", 50_000.0), ("cpu", 40.0)):
        run = start(spec)
        measured = {"step": 6, "loss": 1.0, "tokens_per_s": speed}
        facts: list[training_log.Fact] = [("attempt", {"device": device, "fence": 1}), ("metrics", measured)]
        training_log.append(run.pk, facts, fence=None)
    seconds = {
        device: gate.fit.seconds
        for device in ("cuda:0", "cpu")
        if (gate := readiness.check(read_spec({**spec.canonical(), "device": device}))).fit
    }
    assert seconds["cpu"] == pytest.approx(seconds["cuda:0"] * 50_000 / 40)


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
    mixed = quick_spec(
        make_version("coding", [*pairs[:4], *micro_rows.rows("coding", 6, 2)[4:]]), method="dpo"
    )
    told = readiness.check(mixed)
    assert told.open and len(told.lengths) == 4
    assert any(
        finding.title == "2 of 6 rows have no refused answer and are left out" for finding in told.findings
    )


def test_the_reference_of_dpo_is_part_of_the_time_it_takes() -> None:
    spec = quick_spec(micro_version())
    base = base_model.read_base(Path(settings.BASE_DIR) / "micro/artefact/base")

    def seconds(**changes: Any) -> float:
        one = read_spec({**spec.canonical(), **changes})
        return fit.estimate(one, base, tokens=4000, longest=200, rows=20, device="cpu", flops=1e9).seconds

    assert seconds(method="dpo") == pytest.approx(seconds() * 6 / 4)
    whole = {"gradient_checkpointing": True}
    assert seconds(method="dpo", **whole) == pytest.approx(seconds(**whole) * 8 / 6)


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
