"""DPO that starts from an adapter: the first loss is log 2, the reference stays, a resumed run has the same reference."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import shutil
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="training needs torch")
pytest.importorskip("peft", reason="training needs peft")

import torch

from tests.training.micro_rows import rows
from tests.training.test_trainer import BASE, job, losses, train
from training import rows_file, trainer_loop
from training.encoding import encoder
from training.rows_file import Row, tokenize
from training.trainer_data import Collator
from training.trainer_job import Job
from training.trainer_model import adapted, load_base, preference_loss
from training.trainer_reference import FrozenAdapter, begin_at
from training.trainer_report import TrainingFailed

LORA = {"r": 8, "lora_alpha": 16, "lora_dropout": 0.0, "target_modules": "all-linear"}


def pairs(count: int = 6) -> list[Row]:
    return [dataclasses.replace(row, refused="print(0)") for row in rows("retrieval", count, 0)]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter that SFT has moved away from the base."""
    few = {"max_steps": 2, "save_every": 100, "eval_every": 100}
    made = job(tmp_path_factory.mktemp("sft"), pairs(), role="retrieval", dataset="retrieval@v1", **few)
    train(made)
    return Path(made.adapter)


def digest(folder: Path) -> str:
    return hashlib.sha256((folder / "adapter_model.safetensors").read_bytes()).hexdigest()


def dpo(folder: Path, start: Path, **changes: Any) -> Job:
    few = {"max_steps": 4, "save_every": 100, "eval_every": 100, "batch": 2, "dropout": 0.0}
    told = {"role": "retrieval", "dataset": "retrieval@v1", "method": "dpo", "adapter": "retrieval@1"}
    made = job(folder, pairs(), **{**few, **told, **changes})
    return dataclasses.replace(made, start=str(start), start_digest=digest(start))


def model_at(start: Path, dropout: float = 0.0) -> Any:
    model = adapted(
        load_base(BASE, "fp32", "cpu"),
        {**LORA, "lora_dropout": dropout},
        checkpointing=False,
        quantised=False,
    )
    begin_at(model, start, digest(start))
    model.train()
    return model


def batch() -> dict[str, Any]:
    told, _ = tokenize(encoder(BASE), pairs(2), length=400, over_length="refuse", pairs=True)
    return Collator(told, flat=True, pad=2)([[0, 1]])


def test_the_first_loss_is_log_2_and_the_policy_moves_away_from_the_adapter_it_began_as(
    tmp_path: Path, start: Path
) -> None:
    before = digest(start)
    lines = train(dpo(tmp_path / "run", start))
    margins = [line["margin"] for line in lines if line["kind"] == "metrics"]
    assert losses(lines)[1] == pytest.approx(math.log(2), abs=1e-5) and abs(margins[0]) < 1e-5
    assert losses(lines)[4] < losses(lines)[1] and margins[-1] > 0
    assert digest(start) == before != lines[-1]["digest"]


def test_rows_without_a_refused_answer_are_passed_over_and_end_no_run(tmp_path: Path, start: Path) -> None:
    made = dpo(tmp_path / "run", start, max_steps=2)
    alone = dataclasses.replace(rows("retrieval", 7, 0)[6], split="train")
    rows_file.write(Path(made.rows), [*pairs(), alone])
    lines = train(made)
    assert lines[0]["rows"] == 6 and lines[-1]["kind"] == "finished"


def test_the_reference_is_the_adapter_as_it_was_whatever_the_policy_and_its_dropout_become(
    start: Path,
) -> None:
    model, told = model_at(start, dropout=0.5), batch()
    frozen = FrozenAdapter(model)
    inputs = {name: told[name] for name in ("input_ids", "position_ids", "labels", "segments")}

    def reference() -> torch.Tensor:
        with torch.no_grad(), frozen.standing_in(model):
            answer: torch.Tensor = model(**inputs).logits
        return answer

    first = reference()
    moved = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.5)
    preference_loss(model, told, 0.1, 2, frozen)[0].backward()
    moved.step()
    own = [p.detach().clone() for p in model.parameters() if p.requires_grad]
    assert torch.equal(reference(), first)
    assert all(
        torch.equal(p, kept)
        for p, kept in zip((p for p in model.parameters() if p.requires_grad), own, strict=True)
    )
    assert model.training and not all(
        torch.equal(p, frozen.weights[n]) for n, p in model.named_parameters() if p.requires_grad
    )


def test_a_reference_that_is_an_adapter_is_another_than_the_base(start: Path) -> None:
    model, told = model_at(start), batch()
    frozen = FrozenAdapter(model)
    against_itself = preference_loss(model, told, 0.1, 2, frozen)[1]
    against_base = preference_loss(model, told, 0.1, 2)[1]
    assert against_itself.abs().max() < 1e-5 < against_base.abs().max()


def test_a_run_that_was_stopped_is_measured_against_the_same_reference_when_it_goes_on(
    tmp_path: Path, start: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train(dpo(tmp_path / "whole", start))
    stopped = dpo(tmp_path / "stopped", start)

    def stop_after_two(self: Any, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step == 2:
            control.should_save = control.should_training_stop = True

    with monkeypatch.context() as patched:
        patched.setattr(trainer_loop.Reporter, "on_step_end", stop_after_two)
        assert train(stopped)[-1]["kind"] == "stopped"
    again = train(stopped)
    assert losses(again) == losses(whole) and again[-1]["digest"] == whole[-1]["digest"]


def test_weights_to_start_from_that_changed_or_do_not_fit_are_refused_with_a_sentence(
    tmp_path: Path, start: Path
) -> None:
    changed = tmp_path / "changed"
    shutil.copytree(start, changed)
    (changed / "adapter_model.safetensors").write_bytes(b"other")
    model = adapted(load_base(BASE, "fp32", "cpu"), LORA, checkpointing=False, quantised=False)
    with pytest.raises(TrainingFailed, match="not those that were registered"):
        begin_at(model, changed, digest(start))
    with pytest.raises(TrainingFailed, match="cannot be read"):
        begin_at(model, tmp_path / "nowhere", digest(start))
    fewer = adapted(
        load_base(BASE, "fp32", "cpu"),
        {**LORA, "target_modules": ["q_proj"]},
        checkpointing=False,
        quantised=False,
    )
    with pytest.raises(TrainingFailed, match="has other layers than the run"):
        begin_at(fewer, start, digest(start))
