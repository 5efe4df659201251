"""Muon for the hidden matrices and AdamW for the rest, on fp32 masters of bf16 weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

CLIP = 1.0


@dataclass(frozen=True)
class Rates:
    """Peak learning rates; `matrices` None puts every weight under AdamW."""

    weights: float
    matrices: float | None = None
    decay: float = 0.0


def rate_factor(step: int, steps: int, warm_up: int, cool_down: int) -> float:
    """Linear warm-up, the peak, then linear decay to 2 % of it in the last `cool_down` steps.

    Before the decay begins nothing depends on `steps`: a run may be given more or fewer while it is under way.
    """
    return min(1.0, (step + 1) / warm_up) * min(1.0, max(0.02, (steps - step) / cool_down))


class MasterWeights:
    """The optimiser's own fp32 copy of parameters that hold bf16 numbers: small updates would round away in those."""

    def __init__(self, parameters: dict[str, torch.Tensor], rates: Rates) -> None:
        import torch

        self._live = list(parameters.values())
        self._masters = [p.detach().float().clone().requires_grad_(True) for p in self._live]
        matrices: list[torch.Tensor] = []
        others: list[torch.Tensor] = []
        for name, master in zip(parameters, self._masters, strict=True):
            hidden = rates.matrices is not None and master.dim() == 2 and "embed" not in name
            (matrices if hidden else others).append(master)
        self._optimisers: list[torch.optim.Optimizer] = [
            torch.optim.AdamW(
                others, lr=rates.weights, betas=(0.9, 0.98), weight_decay=rates.decay, fused=True
            )
        ]
        if rates.matrices is not None:
            self._optimisers.append(
                torch.optim.Muon(
                    matrices,
                    lr=rates.matrices,
                    weight_decay=0.01,
                    momentum=0.95,
                    nesterov=True,
                    adjust_lr_fn="match_rms_adamw",
                )
            )
        self._peaks = [group["lr"] for optimiser in self._optimisers for group in optimiser.param_groups]

    def step(self, factor: float) -> float:
        """Take the gradients of the live weights, update masters, copy back. Returns the gradient norm."""
        import torch

        groups = [group for optimiser in self._optimisers for group in optimiser.param_groups]
        for group, peak in zip(groups, self._peaks, strict=True):
            group["lr"] = peak * factor
        for master, live in zip(self._masters, self._live, strict=True):
            if live.grad is None:
                raise RuntimeError("a trained weight got no gradient: it takes no part in the forward pass")
            master.grad = live.grad.float()
            live.grad = None
        norm = torch.nn.utils.clip_grad_norm_(self._masters, CLIP)
        for optimiser in self._optimisers:
            optimiser.step()
        with torch.no_grad():
            for master, live in zip(self._masters, self._live, strict=True):
                live.copy_(_kept(master))
        return float(norm)

    def state_dict(self) -> dict[str, Any]:
        return {
            "masters": self._masters,
            "optimisers": [optimiser.state_dict() for optimiser in self._optimisers],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        import torch

        with torch.no_grad():
            for master, live, saved in zip(self._masters, self._live, state["masters"], strict=True):
                master.copy_(saved)
                live.copy_(_kept(saved))
        for optimiser, saved in zip(self._optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)


def _kept(master: torch.Tensor) -> torch.Tensor:
    """In bf16, also where the live weights are fp32 ones: what trains is what will be kept."""
    return master.bfloat16()
