"""Random-weight models with LoRA adapters, made on the spot: small ones in a second, larger ones to measure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

LINEARS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
CHAT = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
CORPUS = [
    "read n and print the sum of all numbers in the list",
    "def solve(values): return max(values) - min(values)",
    "naïve café, 数字を読む, 🙂 Ωmega",
]


@dataclass(frozen=True)
class Shape:
    """`spread` is the deviation of the weights: at 0.4 small models give answers that differ and do not repeat.

    Without `ends` no token is an end token, so that every answer has the length that was asked for.
    """

    hidden: int = 64
    feed_forward: int = 128
    layers: int = 3
    heads: int = 4
    vocabulary: int = 320
    spread: float = 0.4
    ends: bool = True
    kind: str = "qwen2"


def save_tokenizer(folder: Path, *, ends: bool = True) -> None:
    """320 tokens; digits are never merged, so a text of n digits has n tokens."""
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    marks = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    raw.train_from_iterator(
        CORPUS,
        trainers.BpeTrainer(
            vocab_size=320, special_tokens=marks, initial_alphabet=alphabet, show_progress=False
        ),
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=raw, eos_token="<|im_end|>" if ends else None, pad_token="<|endoftext|>"
    )
    fast.chat_template = CHAT
    fast.save_pretrained(folder)


def save_base(folder: Path, shape: Shape = Shape(), *, seed: int = 0) -> Path:
    save_tokenizer(folder, ends=shape.ends)
    torch.manual_seed(seed)
    config = AutoConfig.for_model(
        shape.kind,
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        intermediate_size=shape.feed_forward,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=2,
        head_dim=shape.hidden // shape.heads,
        max_position_embeddings=2048,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=2 if shape.ends else None,
        pad_token_id=0,
        initializer_range=shape.spread,
    )
    if shape.kind == "mistral":
        config.sliding_window = None
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    return folder


def save_adapter(base: Path, folder: Path, *, seed: int, **settings: Any) -> Path:
    """An untrained adapter whose B matrices are random too, so that it changes every answer."""
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    chosen = {"r": 8, "lora_alpha": 16, "target_modules": list(LINEARS), **settings}
    peft = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", init_lora_weights=False, **chosen))
    peft.save_pretrained(str(folder))
    return folder
