"""Matrix products at the speed the CPU has.

oneDNN computes with weights that were rearranged once for its kernels ("packed") in half the time it needs when it
has to rearrange them in every product, which is what a plain linear layer makes it do. Measured on one AVX-512 core,
12 rows by 768 x 2048: bfloat16 344 to 204 us, float32 860 to 361 us. A row's product hardly depends on how many rows
there are beside it. The operators are those that torch's own compiler emits (torch._inductor); where they are missing,
and on other devices than the CPU, the plain product is used.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional

_ROWS = 16  # for how many rows oneDNN chooses the arrangement; other counts lose next to nothing
_PACKED_DTYPES = (torch.float32, torch.bfloat16)


def can_pack(weight: torch.Tensor) -> bool:
    """Whether packed products of this weight are at hand and fast."""
    if weight.device.type != "cpu" or weight.dtype not in _PACKED_DTYPES or weight.numel() == 0:
        return False
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    if weight.dtype is torch.bfloat16 and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return False
    return hasattr(torch.ops.mkldnn, "_reorder_linear_weight")


class Factor:
    """A weight [outputs, inputs] to multiply by; packed where that is faster. x is [..., inputs]."""

    def __init__(self, weight: torch.Tensor) -> None:
        self.inputs, self.outputs = weight.shape[1], weight.shape[0]
        self._packed = can_pack(weight)
        self._weight = torch.ops.mkldnn._reorder_linear_weight(weight, _ROWS) if self._packed else weight

    def product(self, x: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        if self._packed:
            y: torch.Tensor = _pointwise(x, self._weight, bias, "none", [], "")
            return y
        return functional.linear(x, self._weight, bias)

    def added(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """y + x weight^T; y may be overwritten."""
        if self._packed:
            total: torch.Tensor = _pointwise_binary(x, y, self._weight, None, "add")
            return total
        y.view(-1, y.shape[-1]).addmm_(x.reshape(-1, x.shape[-1]), self._weight.t())
        return y


class FastLinear(nn.Module):
    """Takes the place of a linear layer for inference and lets its weight go."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.in_features, self.out_features = layer.in_features, layer.out_features
        self.dtype, self.device = layer.weight.dtype, layer.weight.device
        self._factor = Factor(layer.weight.detach())
        self._bias = None if layer.bias is None else layer.bias.detach()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self._factor.product(x, self._bias)


def quicken(model: nn.Module) -> None:
    """Replace every linear layer of `model`, which must be on its device already."""
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is nn.Linear:
                setattr(parent, name, FastLinear(child))


_pointwise: Any = getattr(getattr(torch.ops.mkldnn, "_linear_pointwise", None), "default", None)
_pointwise_binary: Any = getattr(getattr(torch.ops.mkldnn, "_linear_pointwise", None), "binary", None)
