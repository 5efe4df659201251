"""A random-weight Qwen2 of about 150 thousand parameters with LoRA adapters, built in a second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

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


def save_tokenizer(folder: Path) -> int:
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
    fast = PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    fast.chat_template = CHAT
    fast.save_pretrained(folder)
    return len(fast)


def save_base(folder: Path, *, hidden: int = 64, layers: int = 3, seed: int = 0, spread: float = 0.4) -> Path:
    """`spread` is the deviation of the weights: large enough that the answers differ and do not repeat."""
    vocabulary = save_tokenizer(folder)
    torch.manual_seed(seed)
    config = Qwen2Config(
        vocab_size=vocabulary,
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=2,
        pad_token_id=0,
        initializer_range=spread,
    )
    Qwen2ForCausalLM(config).save_pretrained(folder)
    return folder


def save_adapter(base: Path, folder: Path, *, seed: int, **settings: Any) -> Path:
    """An untrained adapter whose B matrices are random too, so that it changes every answer."""
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    chosen = {"r": 8, "lora_alpha": 16, "target_modules": list(LINEARS), **settings}
    peft = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", init_lora_weights=False, **chosen))
    peft.save_pretrained(str(folder))
    return folder
