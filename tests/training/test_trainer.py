"""The trainer: packing changes nothing, resume is exact, a kill or a full disk loses no whole checkpoint, parity with PEFT."""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="training needs torch")
pytest.importorskip("peft", reason="training needs peft")

import torch
from django.conf import settings

from tests.training.micro_rows import rows
from training import rows_file, trainer, trainer_loop
from training.encoding import encoder
from training.lora_spec import PRESETS, read_spec
from training.rows_file import Row, TokenRow, tokenize
from training.trainer_data import Collator
from training.trainer_job import Job, last_checkpoint
from training.trainer_model import adapted, load_base, token_losses
from training.trainer_report import Report, TrainingFailed, read_lines

BASE = Path(settings.BASE_DIR) / "micro/artefact/base"
SETTINGS = {
    **PRESETS["micro"][1], "role": "coding", "dataset": "coding@v1", "rank": 8, "alpha": 16, "batch": 2, "length": 400,
    "max_steps": 6, "save_every": 3, "eval_every": 3, "lr": 2e-3, "dropout": 0.1,
}  # fmt: skip


def job(folder: Path, told: list[Row] | None = None, **changes: Any) -> Job:
    folder.mkdir(parents=True, exist_ok=True)
    rows_file.write(folder / "rows.jsonl", rows("coding", 14, 3) if told is None else told)
    spec = read_spec({**SETTINGS, **changes})
    return Job(
        spec.canonical(),
        str(BASE),
        str(folder / "rows.jsonl"),
        str(folder / "checkpoints"),
        str(folder / "adapter"),
        str(folder / "metrics.jsonl"),
        supervisor=0,
        card={"fingerprint": "f" * 64, "base": "micro"},
    )


def train(made: Job) -> list[dict[str, Any]]:
    trainer.run(made, Report(Path(made.metrics)))
    return read_lines(Path(made.metrics), 0)[0]


def losses(lines: list[dict[str, Any]]) -> dict[int, float]:
    return {line["step"]: line["loss"] for line in lines if line["kind"] == "metrics"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Job, list[dict[str, Any]]]:
    made = job(tmp_path_factory.mktemp("whole"))
    return made, train(made)


@pytest.fixture(scope="module")
def token_rows() -> list[TokenRow]:
    kept, _ = tokenize(encoder(BASE), rows("debugging", 9, 0), length=1000, over_length="drop", pairs=False)
    return kept


def test_packed_rows_have_the_losses_they_have_alone_and_side_by_side(token_rows: list[TokenRow]) -> None:
    model = load_base(BASE, "fp32", "cpu").eval()
    places = list(range(len(token_rows)))

    def measured(flat: bool, bins: list[list[int]]) -> torch.Tensor:
        batch = Collator(token_rows, flat=flat, pad=2)(bins)
        names = ("input_ids", "position_ids", "labels", "segments")
        with torch.no_grad():
            return token_losses(model, *(batch[name] for name in names))

    packed = measured(True, [places])
    side = measured(False, [[place] for place in places])
    alone = torch.cat([measured(False, [[place]]) for place in places])
    torch.testing.assert_close(packed, alone, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(side, alone, rtol=1e-4, atol=1e-5)
    turned = measured(True, [places[::-1]])
    assert abs(float(turned.sum() - packed.sum())) < 1e-2


def test_checkpointing_changes_no_gradient(token_rows: list[TokenRow]) -> None:
    def gradients(checkpointing: bool) -> list[torch.Tensor]:
        torch.manual_seed(0)
        lora = {"r": 8, "lora_alpha": 16, "lora_dropout": 0.0, "target_modules": "all-linear"}
        model = adapted(load_base(BASE, "fp32", "cpu"), lora, checkpointing=checkpointing, quantised=False)
        batch = Collator(token_rows[:3], flat=True, pad=2)([[0, 1, 2]])
        model.train()
        model(
            **{name: batch[name] for name in ("input_ids", "position_ids", "labels", "segments")}
        ).loss.backward()
        return [p.grad for p in model.parameters() if p.requires_grad and p.grad is not None]

    kept, again = gradients(False), gradients(True)
    layers = json.loads((BASE / "config.json").read_text())["num_hidden_layers"]
    assert len(kept) == len(again) == 2 * 7 * layers
    for one, other in zip(kept, again, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-7)


def test_a_run_reports_its_first_batch_its_steps_its_held_out_rows_and_its_adapter(
    whole: tuple[Job, list[dict[str, Any]]],
) -> None:
    made, lines = whole
    kinds = [line["kind"] for line in lines]
    assert kinds[0] == "started" and kinds[-1] == "finished" and kinds.count("metrics") == 6
    assert [line["step"] for line in lines if line["kind"] == "eval"] == [0, 3, 6]
    assert [line["step"] for line in lines if line["kind"] == "checkpoint"] == [3, 6]
    shown = next(line for line in lines if line["kind"] == "batch")["rows"][0]
    trained = "".join(text for text, is_trained, _ in shown["pieces"] if is_trained)
    assert trained == rows("coding", 14, 3)[shown["row"]].answer + "<|im_end|>"
    evals = [line for line in lines if line["kind"] == "eval"]
    assert evals[-1]["loss"] < evals[0]["loss"] and evals[0]["n"] == 3
    assert {one["row"] for one in evals[0]["worst"]} == {11, 12, 13}
    assert sorted(path.name for path in Path(made.adapter).iterdir()) == [
        "adapter_config.json", "adapter_model.safetensors", "base.json",
    ]  # fmt: skip


def test_a_run_that_was_stopped_goes_on_to_the_very_same_losses(
    tmp_path: Path, whole: tuple[Job, list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = job(tmp_path / "run")

    def stop_after_four(self: Any, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step == 4:
            control.should_save = control.should_training_stop = True

    with monkeypatch.context() as patched:
        patched.setattr(trainer_loop.Reporter, "on_step_end", stop_after_four)
        first = train(stopped)
    assert first[-1]["kind"] == "stopped" and first[-1]["step"] == 4
    assert Path(stopped.adapter, "adapter_model.safetensors").is_file()
    second = train(stopped)
    assert losses(second) == losses(whole[1])
    assert second[-1]["digest"] == whole[1][-1]["digest"]


def test_a_run_whose_end_was_saved_but_not_reported_ends_without_another_step(tmp_path: Path) -> None:
    made = job(tmp_path / "run", max_steps=2, schedule="constant")  # in the middle of an epoch
    first = train(made)[-1]
    shutil.rmtree(made.adapter)
    Path(made.metrics).unlink()  # the supervisor was killed before it had read the last word
    again = train(made)
    assert [line["kind"] for line in again] == ["started", "finished"]
    assert (again[-1]["step"], again[-1]["digest"]) == (2, first["digest"])
    assert Path(made.adapter, "adapter_model.safetensors").is_file()


def failing(error: Exception) -> Callable[..., None]:
    def save(*_: Any, **__: Any) -> None:
        raise error

    return save


def test_a_full_disk_ends_the_run_with_a_sentence_and_the_earlier_checkpoint_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = job(tmp_path / "run", max_steps=4, save_every=2)
    real, calls = torch.save, 0

    def full_at_last(*args: Any, **kwargs: Any) -> None:
        nonlocal calls
        calls += 1
        if calls > 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(*args, **kwargs)

    monkeypatch.setattr(torch, "save", full_at_last)
    with pytest.raises(TrainingFailed, match=r"disk is full.*checkpoint-2 is whole") as failed:
        train(made)
    assert failed.value.code == "disk_full"
    found = last_checkpoint(Path(made.checkpoints))
    assert found is not None and found.name == "checkpoint-2"
    assert not (Path(made.checkpoints) / "unfinished").exists()
    monkeypatch.undo()
    assert train(made)[-1]["kind"] == "finished"


def test_a_loss_that_is_not_a_number_stops_before_it_is_saved(tmp_path: Path) -> None:
    made = job(
        tmp_path / "run", lr=1.0, max_grad_norm=100, warmup=0, max_steps=6, save_every=100, eval_every=100
    )
    poisoned = trainer_loop.LoraTrainer.compute_loss

    def compute(self: Any, *args: Any, **kwargs: Any) -> Any:
        loss = poisoned(self, *args, **kwargs)
        return loss * float("nan") if self.state.global_step == 2 else loss

    trainer_loop.LoraTrainer.compute_loss = compute  # type: ignore[method-assign]
    try:
        with pytest.raises(TrainingFailed, match="not a number at step 3"):
            train(made)
    finally:
        trainer_loop.LoraTrainer.compute_loss = poisoned  # type: ignore[method-assign]
    assert last_checkpoint(Path(made.checkpoints)) is None


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RuntimeError("CUDA out of memory. Tried to allocate"), "out_of_memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "out_of_memory"),
        (OSError(errno.ENOSPC, "No space left"), "disk_full"),
        (ModuleNotFoundError("No module named 'peft'", name="peft"), "missing_module"),
        (KeyError("x"), "internal_error"),
    ],
)
def test_what_ends_a_run_is_put_into_a_sentence(error: Exception, code: str) -> None:
    told = trainer.worded(error)
    assert told.code == code and str(told).endswith(".")


def test_preference_pairs_move_the_model_towards_the_answer_and_away_from_the_refused_one(
    tmp_path: Path,
) -> None:
    told = [
        Row(row.position, row.split, row.messages, row.answer, refused="print(0)")
        for row in rows("coding", 8, 0)
    ]
    lines = train(job(tmp_path / "run", told, method="dpo", max_steps=8, batch=4, save_every=100))
    margins = [line["margin"] for line in lines if line["kind"] == "metrics"]
    assert margins[0] == pytest.approx(0.0, abs=1e-4)  # the adapter starts as nothing
    assert margins[-1] > 0.05 and losses(lines)[8] < losses(lines)[1]


def test_the_adapter_answers_in_plain_peft_what_it_answers_in_the_lab(whole: tuple[Job, Any]) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from solver.engines.protocol import ChatRequest, Message, Role, Sampling
    from solver.engines.spec import EngineSpec
    from solver.engines.transformers_engine import TransformersEngine

    made, _ = whole
    folder = Path(made.adapter)
    (folder / "base.json").write_text(json.dumps({}))
    prompts = [row.messages[0]["content"] for row in rows("coding", 14, 3)[-3:]]
    tokenizer = AutoTokenizer.from_pretrained(BASE)
    model = PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(BASE, dtype=torch.float32), folder
    ).eval()
    spec = EngineSpec.parse(
        {"name": "t", "kind": "transformers", "base": str(BASE), "adapters": {"coding": str(folder)},
         "local": {"dtype": "float32", "device": "cpu", "threads": 1}}
    )  # fmt: skip
    engine = TransformersEngine(spec)
    try:
        for prompt in prompts:
            asked = tokenizer.apply_chat_template(
                [{"role": "user", "content": prompt}],
                add_generation_prompt=True,
                return_tensors="pt",
                return_dict=True,
            )
            told = model.generate(**asked, max_new_tokens=120, do_sample=False)[
                0, asked["input_ids"].shape[1] :
            ]
            reply = engine.chat(
                ChatRequest(Role.CODING, "coding", (Message("user", prompt),), Sampling(max_tokens=120))
            )
            assert tokenizer.decode(told, skip_special_tokens=True) == reply.text
    finally:
        engine.close()
