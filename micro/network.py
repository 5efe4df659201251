"""The shape of the micro model: Qwen2 as `transformers` has it, only very small."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from micro.tokenizer import CONTEXT, END_OF_TEXT_ID, TURN_END_ID

if TYPE_CHECKING:
    import torch
    from transformers import Qwen2ForCausalLM


@dataclass(frozen=True)
class Shape:
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    feed_forward: int
    vocabulary: int


def build(shape: Shape, seed: int) -> Qwen2ForCausalLM:
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(seed)
    return Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=shape.vocabulary,
            hidden_size=shape.hidden,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            num_key_value_heads=shape.kv_heads,
            intermediate_size=shape.feed_forward,
            max_position_embeddings=CONTEXT,
            tie_word_embeddings=True,
            attention_dropout=0.0,
            bos_token_id=None,
            eos_token_id=TURN_END_ID,
            pad_token_id=END_OF_TEXT_ID,
        )
    )


def multiplies_bf16(device: str) -> bool:
    """Whether the hardware multiplies in bf16. A processor without such instructions takes many times as long for it."""
    import torch

    if not device.startswith("cpu"):
        return True
    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))


def ready_to_train(model: torch.nn.Module, device: str) -> None:
    """Its weights are bf16 numbers wherever it trains; where the hardware does not multiply those, it computes in fp32."""
    model.bfloat16().to(device)
    if not multiplies_bf16(device):
        model.float()


def answer_loss(model: Qwen2ForCausalLM, ids: torch.Tensor, weighed: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy where `weighed`; the head is computed only there. Padding on the right needs no mask."""
    import torch

    hidden = model.model(input_ids=ids, use_cache=False).last_hidden_state[
        :, :-1
    ]  # (rows, length - 1, hidden)
    chosen = weighed[:, 1:]
    logits = model.lm_head(hidden[chosen]).float()  # (chosen, vocabulary)
    return torch.nn.functional.cross_entropy(logits, ids[:, 1:][chosen])
