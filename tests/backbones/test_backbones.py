"""A backbone is checked and weighed before it is loaded; what cannot work gets a sentence and stores nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from solver.backbones import estimate, host
from solver.backbones.estimate import GIB, Gpu, Host
from solver.engines.spec import EngineKind, EngineSpec
from solver.models import Engine
from tests.engines.conftest import tiny

pytestmark = pytest.mark.django_db
__all__ = ["tiny"]
QWEN_7B = {
    "hidden_size": 3584,
    "num_hidden_layers": 28,
    "num_attention_heads": 28,
    "num_key_value_heads": 4,
    "intermediate_size": 18944,
}
LAPTOP = Host(16 * GIB, 8, 20e9)
SERVER = Host(128 * GIB, 32, 20e9, (Gpu("NVIDIA H100 80GB HBM3", 80 * GIB, 78 * GIB),) * 2)


@pytest.fixture
def base(tiny: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny / "base", tmp_path / "Small-Model"))


def add(*args: Any) -> EngineSpec:
    call_command("backbone", "add", *map(str, args))
    return EngineSpec.parse(Engine.objects.get().spec)


def test_the_published_shape_needs_what_its_authors_and_arithmetic_say() -> None:
    found = estimate.needs(QWEN_7B, 7_615_616_512, bytes_each=2)
    assert found.weights == 15_231_233_024
    assert found.kv_per_token == 57_344
    assert found.adapters == pytest.approx(4 * 80_740_352 * 2)
    assert found.adapters / found.weights == pytest.approx(0.0424, abs=0.0002)


def test_a_7b_is_refused_on_a_laptop_and_welcome_on_a_gpu() -> None:
    whole = estimate.needs(QWEN_7B, 7_615_616_512, bytes_each=4)
    assert not estimate.on_cpu(whole, LAPTOP, 8192).fits
    half = estimate.needs(QWEN_7B, 7_615_616_512, bytes_each=2)
    slow = estimate.on_cpu(half, Host(64 * GIB, 8, 20e9), 8192)
    assert slow.fits and not slow.quick and "1.3 tokens a second" in slow.sentence
    one = estimate.on_gpus(half, SERVER, 8192, 1)
    assert one.fits and one.quick and one.tokens_per_s == pytest.approx(220, rel=0.01)
    assert estimate.on_gpus(half, SERVER, 8192, 2).tokens_per_s == pytest.approx(440, rel=0.01)
    assert not estimate.on_gpus(half, SERVER, 8192, 4).fits


def test_a_folder_becomes_an_engine_of_the_lab_with_its_adapters(
    base: Path, tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = add(base, "--adapter", f"coding={tiny / 'coding'}", "--context", 1024, "--cpu")
    assert (spec.name, spec.kind, spec.models) == (
        "small-model",
        EngineKind.TRANSFORMERS,
        {"coding": "coding"},
    )
    told = capsys.readouterr().out
    assert "fingerprint" in told and "tokens a second in one stream" in told and "B parameters" in told


def test_with_vllm_it_becomes_one_that_the_lab_starts_with_adapters_named_by_content(
    base: Path, tiny: Path
) -> None:
    spec = add(
        base, "--vllm", "/opt/vllm/bin/python", "--adapter", f"coding={tiny / 'coding'}", "--port", 8123
    )
    assert (
        spec.vllm is not None and spec.vllm.model == str(base) and spec.base_url == "http://127.0.0.1:8123/v1"
    )
    assert spec.models["coding"].startswith("coding@") and spec.models["coding"] in spec.adapters


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        ({"config.json": None}, "config.json is missing"),
        ({"model.safetensors": None, "pytorch_model.bin": "x"}, "pickle files are never loaded"),
        ({"model.safetensors": "garbage that is longer than eight bytes"}, "is not a safetensors file"),
        ({"tokenizer.json": None}, "tokenizer.json is missing"),
        (
            {"config.json": {"auto_map": {"AutoModel": "x.Y"}}},
            "code that comes with the model, which is never run",
        ),
        ({"config.json": {"model_type": "mamba"}}, "its model_type is mamba"),
        ({"chat_template.jinja": "{{ raise_exception('no system') }}"}, "cannot be rendered (no system)"),
        ({"chat_template.jinja": "{{ messages[-1]['content'] }}"}, "drops the system prompt or the question"),
        ({"chat_template.jinja": "{{ ().__class__.__base__.__subclasses__() }}"}, "cannot be rendered"),
        ({"chat_template.jinja": None}, "it has no chat template"),
    ],
)
def test_a_folder_that_cannot_serve_is_refused_in_a_sentence(
    base: Path, spoil: dict[str, Any], sentence: str
) -> None:
    for name, content in spoil.items():
        if content is None:
            (base / name).unlink()
        elif isinstance(content, dict):
            (base / name).write_text(json.dumps({**json.loads((base / name).read_text()), **content}))
        else:
            (base / name).write_text(content)
    with pytest.raises(CommandError) as refused:
        add(base)
    assert sentence in str(refused.value)
    assert not Engine.objects.exists()


def test_a_wrong_adapter_is_refused(base: Path, tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no agent 'poet'"):
        add(base, "--adapter", f"poet={tiny / 'coding'}")
    other = Path(shutil.copytree(tiny / "coding", tmp_path / "other"))
    (other / "base.json").write_text(json.dumps({"fingerprint": "0" * 64}))
    with pytest.raises(CommandError, match="was trained on another base"):
        add(base, "--adapter", f"coding={other}")


def test_too_slow_is_refused_unless_asked_twice_and_too_big_always(
    base: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(host, "bandwidth", lambda: 1.0)
    monkeypatch.setattr(host, "gpus", tuple)
    with pytest.raises(CommandError, match=r"too slow to work with.*--anyway"):
        add(base)
    assert add(base, "--anyway").name == "small-model"
    Engine.objects.all().delete()
    monkeypatch.setattr(host, "free_memory", lambda: 1000)
    with pytest.raises(CommandError, match="it does not fit"):
        add(base, "--anyway")
    call_command("backbone", "check", str(base))
    assert "it does not fit" in capsys.readouterr().out and not Engine.objects.exists()


def test_a_name_that_is_not_here_is_said_without_a_network() -> None:
    with pytest.raises(CommandError, match="is not on this machine and could not be fetched from the hub"):
        add("Example/No-Such-Model")
    with pytest.raises(CommandError, match="no folder 'nowhere/at/all'"):
        add("nowhere/at/all")


def test_this_host_is_measured() -> None:
    found = host.this_host()
    assert found.free_bytes > 10**8 and found.cores >= 1 and found.cpu_bandwidth > 10**8
