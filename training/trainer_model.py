"""The base with a fresh LoRA adapter, and the loss on answers alone.

Attention is by segment: rows that lie end to end in one bin see themselves only, at the cost they would have alone and
without a mask. The head, whose logits are the largest tensor of all (vocabulary times tokens), is computed for trained
tokens only, in chunks that are computed again in the backward pass instead of being kept.
"""

from __future__ import annotations

import types
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint
from transformers import AttentionInterface, AutoModelForCausalLM
from transformers.modeling_outputs import CausalLMOutput

from training.trainer_reference import FrozenAdapter

ATTENTION = "lab_segments"
IGNORED = -100
HEAD_CHUNK = 1024  # trained tokens whose logits exist at once


def segment_attention(
    module: nn.Module,
    query: torch.Tensor,  # (batch, heads, tokens, size)
    key: torch.Tensor,  # (batch, key heads, tokens, size)
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    segments: list[int] | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention within each segment. Without `segments` rows are padded on the right, which causality hides."""
    grouped = query.shape[1] // key.shape[1]
    if grouped > 1:
        key, value = (t.repeat_interleave(grouped, dim=1) for t in (key, value))
    parts = [query.shape[2]] if segments is None else segments
    told = [
        functional.scaled_dot_product_attention(
            q, k, v, dropout_p=dropout, is_causal=q.shape[2] > 1, scale=scaling
        )
        for q, k, v in zip(*(torch.split(t, parts, 2) for t in (query, key, value)), strict=True)
    ]
    out = told[0] if len(told) == 1 else torch.cat(told, dim=2)
    return out.transpose(1, 2).contiguous(), None


AttentionInterface.register(ATTENTION, segment_attention)


def load_base(folder: Path, precision: str, device: str) -> Any:
    """The frozen base on `device`. `precision` is fp32, bf16 or 4bit."""
    kind = {"fp32": torch.float32}.get(precision, torch.bfloat16)
    settings: dict[str, Any] = {"dtype": kind, "attn_implementation": ATTENTION}
    if precision == "4bit":
        from transformers import BitsAndBytesConfig

        settings["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16
        )
        settings["device_map"] = {"": device}
    model = AutoModelForCausalLM.from_pretrained(
        str(folder), local_files_only=True, trust_remote_code=False, use_safetensors=True, **settings
    )
    model.config.use_cache = False
    return model if precision == "4bit" else model.to(device)


def adapted(model: Any, lora: dict[str, Any], *, checkpointing: bool, quantised: bool) -> Any:
    """The base with a LoRA adapter that starts as nothing, and with the chunked answer loss as its forward pass."""
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training

    kwargs = {"use_reentrant": False}
    if quantised:
        model = prepare_model_for_kbit_training(
            model, use_gradient_checkpointing=checkpointing, gradient_checkpointing_kwargs=kwargs
        )
    elif checkpointing:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs=kwargs)
    made = get_peft_model(model, LoraConfig(bias="none", task_type="CAUSAL_LM", **lora))
    causal = made.base_model.model
    causal.forward = types.MethodType(_answer_forward, causal)
    return made


def _answer_forward(
    self: Any,
    input_ids: torch.Tensor,
    position_ids: torch.Tensor | None = None,
    labels: torch.Tensor | None = None,
    segments: list[int] | None = None,
    num_items_in_batch: torch.Tensor | int | None = None,
    **_: Any,
) -> CausalLMOutput:
    """`loss`: summed over the trained tokens, over their number in the whole step; `logits`: each token's own loss."""
    losses = token_losses(self, input_ids, position_ids, labels, segments)
    count = max(1, losses.numel()) if num_items_in_batch is None else num_items_in_batch
    return CausalLMOutput(loss=losses.sum() / count, logits=losses)


def token_losses(
    causal: Any,
    input_ids: torch.Tensor,
    position_ids: torch.Tensor | None,
    labels: torch.Tensor | None,
    segments: list[int] | None,
) -> torch.Tensor:
    """Cross-entropy of each trained token, (trained tokens,), row by row, in fp32.

    The label of a row's first token is never trained, so that no row is predicted from the one before it in the bin.
    """
    assert labels is not None
    hidden = causal.model(
        input_ids=input_ids, position_ids=position_ids, use_cache=False, segments=segments
    ).last_hidden_state
    wanted = labels[:, 1:]
    chosen = wanted != IGNORED
    rows, targets = hidden[:, :-1][chosen], wanted[chosen]  # (trained, hidden), (trained,)
    parts = [
        checkpoint(_chunk_losses, causal.lm_head, part, target, use_reentrant=False)
        if torch.is_grad_enabled()
        else _chunk_losses(causal.lm_head, part, target)
        for part, target in zip(torch.split(rows, HEAD_CHUNK), torch.split(targets, HEAD_CHUNK), strict=True)
    ]
    return torch.cat(parts) if parts else rows.new_zeros(0).float()


def _chunk_losses(head: nn.Module, hidden: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    logits: torch.Tensor = head(hidden)
    return functional.cross_entropy(logits.float(), targets, reduction="none")


def preference_loss(
    model: Any, batch: dict[str, Any], beta: float, pairs: int, frozen: FrozenAdapter | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """DPO (Rafailov et al., 2023, equation 7): mean loss, and each pair's margin. The reference is the `frozen` adapter, or
    the base itself.

    The batch holds answer and refused answer of each pair in turn: segments 2 i and 2 i + 1.
    """
    chosen = batch["labels"][:, 1:] != IGNORED
    owner = batch["owner"][:, 1:][chosen]  # segment of each trained token
    inputs = {name: batch[name] for name in ("input_ids", "position_ids", "labels", "segments")}

    def likelihoods() -> torch.Tensor:
        losses = model(**inputs).logits
        return torch.zeros(2 * pairs, device=losses.device).index_add(0, owner, -losses)

    with torch.no_grad(), _as_reference(model, frozen):
        reference = likelihoods()
    gain = (likelihoods() - reference).view(pairs, 2)
    margins = beta * (gain[:, 0] - gain[:, 1])
    return -functional.logsigmoid(margins).mean(), margins.detach()


def _as_reference(model: Any, frozen: FrozenAdapter | None) -> AbstractContextManager[None]:
    bare = getattr(model, "module", model)
    told: AbstractContextManager[None] = (
        bare.disable_adapter() if frozen is None else frozen.standing_in(bare)
    )
    return told
