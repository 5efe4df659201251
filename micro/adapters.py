"""One plain LoRA adapter an agent, over the frozen base."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from micro import network, tokenizer, whole_files
from micro.corpus import Document
from micro.learning import Plan, learn
from micro.pretraining import load_base
from micro.scale import Scale
from micro.sequences import Sequences
from solver.engines.adapters import BASE_CARD, base_fingerprint

TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def train_adapter(
    scale: Scale,
    plan: Plan,
    base: Path,
    tokenizer_folder: Path,
    documents: Sequence[Document],
    folder: Path,
    device: str = "cpu",
    tell: Callable[[int, int], None] = lambda done, of: None,
) -> None:
    """Leaves a PEFT adapter (safetensors, no bias, no saved modules) in `folder`."""
    import torch
    from peft import LoraConfig, get_peft_model

    sequences = Sequences.encode(tokenizer.load(tokenizer_folder), documents, scale.longest_sequence)
    torch.manual_seed(plan.seed)
    config = LoraConfig(
        r=scale.rank,
        lora_alpha=scale.alpha,
        lora_dropout=0.0,
        bias="none",
        target_modules=list(TARGETS),
        task_type="CAUSAL_LM",
    )
    model = get_peft_model(load_base(base), config, autocast_adapter_dtype=False)
    network.ready_to_train(model, device)
    causal = model.base_model.model
    causal.set_attn_implementation("eager")
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    learn(
        trained,
        lambda ids, weighed: network.answer_loss(causal, ids, weighed),
        sequences,
        plan,
        folder / "training",
        tell,
    )
    with whole_files.folder(folder, "adapter_model.safetensors") as unfinished:
        model.bfloat16().save_pretrained(unfinished)
        _make_portable(unfinished / "adapter_config.json")
        card = {"fingerprint": base_fingerprint(base)}
        (unfinished / BASE_CARD).write_text(json.dumps(card) + "\n", encoding="utf-8")
        (unfinished / "README.md").unlink(missing_ok=True)  # PEFT's empty card; ours stands beside the base


def _make_portable(path: Path) -> None:
    """No path of the machine that trained it, and one order of the target modules, which PEFT keeps as a set."""
    config = json.loads(path.read_text(encoding="utf-8"))
    config["base_model_name_or_path"] = None
    config["target_modules"] = sorted(config["target_modules"])
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
