"""What a preference is measured against: the base alone, or the adapter that training began with, frozen.

The frozen adapter is a copy of the weights outside the model. The optimiser, the checkpoints and the exported adapter know
nothing of it, and a resumed run freezes the same weights again, because they are read before its checkpoint is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from peft import set_peft_model_state_dict
from safetensors.torch import load

from training.trainer_report import TrainingFailed


def begin_at(model: Any, folder: Path, digest: str) -> None:
    """Give the fresh adapter of `model` the weights in `folder`: all of them, and nothing else. Raises TrainingFailed."""
    try:
        data = (folder / "adapter_model.safetensors").read_bytes()
    except OSError as error:
        raise TrainingFailed(
            "adapter_missing", f"The adapter to start from cannot be read in {folder} ({error.strerror})."
        ) from None
    if hashlib.sha256(data).hexdigest() != digest:
        raise TrainingFailed(
            "adapter_changed",
            f"The weights in {folder} are not those that were registered; import that adapter again.",
        )
    told = set_peft_model_state_dict(model, load(data))
    missing = [name for name in told.missing_keys if "lora_" in name]
    if missing or told.unexpected_keys:
        raise TrainingFailed(
            "adapter_does_not_fit",
            f"The adapter in {folder} has other layers than the run ({[*missing, *told.unexpected_keys][0]}); "
            "take its rank and targets.",
        )


class FrozenAdapter:
    """The adapter of `model` as it is now."""

    def __init__(self, model: Any) -> None:
        self.weights: dict[str, torch.Tensor] = {
            name: parameter.detach().clone() for name, parameter in _trained(model)
        }

    @contextmanager
    def standing_in(self, model: Any) -> Iterator[None]:
        """`model` with these weights and without dropout; its own come back however the body ends. No gradient may be
        taken of what is computed inside."""
        own = {name: parameter.data for name, parameter in _trained(model)}
        training = model.training
        try:
            for name, parameter in _trained(model):
                parameter.data = self.weights[name].to(parameter.device)
            model.eval()
            yield
        finally:
            for name, parameter in _trained(model):
                parameter.data = own[name]
            model.train(training)


def _trained(model: Any) -> Iterator[tuple[str, torch.nn.Parameter]]:
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            yield name, parameter
