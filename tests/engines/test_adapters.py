from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from solver.engines.adapters import BASE_CARD, BadAdapter, base_fingerprint, read_adapter
from solver.engines.base_model import BadBase, read_base
from solver.engines.transformers_engine import TransformersEngine
from tests.engines.conftest import tiny_spec
from tests.engines.tiny_model import Shape, save_adapter, save_base


@pytest.fixture
def coding(tiny: Path, tmp_path: Path) -> Path:
    """A copy of a good adapter, to be spoiled."""
    shutil.copytree(tiny / "coding", tmp_path / "coding")
    return tmp_path / "coding"


def set_config(folder: Path, **fields: Any) -> None:
    file = folder / "adapter_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **fields}))


def change_weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    tensors = load_file(folder / "adapter_model.safetensors")
    change(tensors)
    save_file(tensors, folder / "adapter_model.safetensors")


def rename_to_pickle(folder: Path) -> None:
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")


def cut_off(folder: Path) -> None:
    file = folder / "adapter_model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])


def test_a_good_adapter_is_described_by_its_layers(tiny: Path) -> None:
    found = read_adapter("debugging", tiny / "debugging", max_rank=8)
    assert found.rank == 8
    down = found.factors["model.layers.0.mlp.down_proj"]
    assert (down.rank, down.inputs, down.outputs) == (3, 128, 64)
    assert down.scale == pytest.approx(16 / 3)
    assert found.factors["model.layers.0.self_attn.q_proj"].scale == 4
    assert found.factors["model.layers.1.self_attn.q_proj"].scale == 2
    assert read_adapter("coding", tiny / "coding", max_rank=8).factors[
        "model.layers.1.self_attn.q_proj"
    ].scale == pytest.approx(8 / 8**0.5)


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (shutil.rmtree, "its folder does not exist; correct the path"),
        (rename_to_pickle, r"adapter_model\.bin, a pickle file, which can run code"),
        (cut_off, "is cut off or damaged"),
        (lambda f: (f / "adapter_model.safetensors").write_bytes(b"\x80\x04garbage"), "not a safetensors file"),
        (lambda f: (f / "adapter_model.safetensors").unlink(), r"adapter_model\.safetensors is missing"),
        (lambda f: (f / "adapter_config.json").unlink(), r"adapter_config\.json is missing"),
        (lambda f: (f / "adapter_config.json").write_text("{"), r"adapter_config\.json is not JSON"),
        (lambda f: set_config(f, use_dora=True), "DoRA adapter"),
        (lambda f: set_config(f, modules_to_save=["lm_head"]), "replaces whole layers of the base"),
        (lambda f: set_config(f, bias="all"), r"trains biases \(bias: all\); train it with bias: none"),
        (lambda f: set_config(f, peft_type="IA3"), "peft_type is IA3, not LORA"),
        (lambda f: set_config(f, init_lora_weights="pissa_niter_4"), "began by changing the base"),
        (lambda f: set_config(f, alora_invocation_tokens=[1]), "activated LoRA"),
        (lambda f: set_config(f, r=4), "says rank 4 and the layer .* has 8"),
        (lambda f: set_config(f, lora_alpha="big"), "gives no lora_alpha"),
        (lambda f: set_config(f, alpha_pattern={"(a+)+b": 1}), "not a plain module name"),
        (lambda f: change_weights(f, lambda t: t.update({"base_model.model.lm_head.weight": torch.zeros(2, 2)})),
         "which is no LoRA matrix of a linear layer"),
        (lambda f: change_weights(f, lambda t: t.pop(next(iter(t)))) , "only one of its two matrices"),
        (lambda f: change_weights(f, lambda t: t.clear()), "adapts no layer"),
    ],
)  # fmt: skip
def test_what_cannot_be_served_is_refused_with_the_reason(
    coding: Path, spoil: Callable[[Path], Any], expected: str
) -> None:
    spoil(coding)
    with pytest.raises(BadAdapter, match=expected) as caught:
        read_adapter("coding", coding, max_rank=64)
    assert str(caught.value).startswith("The adapter 'coding' cannot be served: ")
    assert str(caught.value).endswith(".")


def test_a_rank_over_the_maximum_is_refused(coding: Path) -> None:
    with pytest.raises(BadAdapter, match=r"rank 8 is over the engine's maximum of 4; raise local\.max_rank"):
        read_adapter("coding", coding, max_rank=4)


def test_an_adapter_of_another_base_is_refused_and_the_engine_serves_on(
    tiny: Path, tiny_engine: TransformersEngine, tmp_path: Path
) -> None:
    wide = save_base(tmp_path / "wide", Shape(hidden=96))
    save_adapter(wide, tmp_path / "foreign", seed=1)
    with pytest.raises(BadAdapter, match=r"does not fit this base: \S+ takes \d+ to \d+ numbers"):
        tiny_engine.load_adapter("foreign", tmp_path / "foreign")
    deep = save_base(tmp_path / "deep", Shape(layers=4))
    save_adapter(deep, tmp_path / "deeper", seed=1)
    with pytest.raises(BadAdapter, match=r"there is no linear layer model\.layers\.3"):
        tiny_engine.load_adapter("deeper", tmp_path / "deeper")
    assert "foreign" not in tiny_engine.info().models


def test_the_base_an_adapter_was_trained_on_is_compared_where_the_trainer_wrote_it(
    tiny: Path, tiny_engine: TransformersEngine, coding: Path
) -> None:
    (coding / BASE_CARD).write_text(json.dumps({"fingerprint": "0" * 64}))
    with pytest.raises(BadAdapter, match="was trained on another base than 'base'"):
        tiny_engine.load_adapter("other", coding)
    (coding / BASE_CARD).write_text(json.dumps({"fingerprint": base_fingerprint(tiny / "base")}))
    tiny_engine.load_adapter("other", coding)
    assert tiny_engine.unload_adapter("other")


def test_a_name_stands_for_one_content(tiny: Path, tiny_engine: TransformersEngine) -> None:
    digest = tiny_engine.load_adapter("coding", tiny / "coding")
    assert digest == tiny_engine.adapters()["coding"]
    with pytest.raises(BadAdapter, match="already stands for other weights"):
        tiny_engine.load_adapter("coding", tiny / "planning")
    with pytest.raises(BadAdapter, match="already stands"):
        tiny_engine.load_adapter("base", tiny / "planning")


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (shutil.rmtree, "the folder does not exist"),
        (lambda f: (f / "config.json").unlink(), r"config\.json is missing"),
        (
            lambda f: (f / "model.safetensors").rename(f / "pytorch_model.bin"),
            "pickle files are never loaded",
        ),
        (lambda f: (f / "tokenizer.json").unlink(), r"tokenizer\.json is missing"),
        (lambda f: edit(f, model_type="mamba"), "model_type is mamba"),
        (
            lambda f: edit(f, auto_map={"AutoModel": "x.py"}),
            "code that comes with the model, which is never run",
        ),
        (lambda f: edit(f, quantization_config={"bits": 4}), "quantised"),
        (lambda f: edit(f, layer_types=["sliding_attention"]), "only a window of the past"),
    ],
)
def test_a_base_that_cannot_be_loaded_is_refused_with_the_reason(
    tiny: Path, tmp_path: Path, spoil: Callable[[Path], Any], expected: str
) -> None:
    shutil.copytree(tiny / "base", tmp_path / "base")
    spoil(tmp_path / "base")
    with pytest.raises(BadBase, match=expected):
        read_base(tmp_path / "base")


def edit(folder: Path, **fields: Any) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **fields}))


def test_a_tokenizer_without_chat_template_is_refused(tiny: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny / "base", tmp_path / "base")
    (tmp_path / "base" / "chat_template.jinja").unlink()
    with pytest.raises(BadBase, match="no chat template"):
        TransformersEngine(tiny_spec(tiny, base=str(tmp_path / "base"), adapters={}, models={}))
