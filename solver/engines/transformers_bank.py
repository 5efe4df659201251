"""All LoRA adapters of one model side by side, so that rows of different adapters share every forward pass.

For each adapted linear layer the A matrices of all adapters are stacked along the rank, and the B matrices
likewise with the scale folded in. One pair of matrix products computes every adapter's contribution; a mask
keeps, for each row of the batch, the segment of its own adapter. For a layer with K adapters of rank r:

    y = base(x) + ((x A^T) * mask) B^T      A [K r, inputs], B [outputs, K r], mask [rows, 1, K r]

Exact: a masked product is zero. The cost grows with K r, which for four adapters of rank 32 is 7 % of a 7B
layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from safetensors.torch import load_file
from torch import nn

from solver.engines.adapters import AdapterFiles, BadAdapter
from solver.engines.transformers_linear import Factor, FastLinear


@dataclass(frozen=True, slots=True)
class Segment:
    """Where an adapter lies along the stacked rank."""

    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Mixed:
    """Rows of different adapters: mask [rows, 1, total rank]."""

    mask: torch.Tensor


@dataclass(frozen=True, slots=True)
class Grouped:
    """Neighbouring rows of one adapter each: (first row, end row, adapter). For long inputs, where a mask
    over the whole rank would cost more than a few smaller products.
    """

    groups: tuple[tuple[int, int, str], ...]


Choice = str | Mixed | Grouped | None  # a single adapter by name


@dataclass(frozen=True, slots=True)
class Pair:
    """An adapter's, or all adapters', two factors of one layer: A [rank, inputs], B [outputs, rank]."""

    a: Factor
    b: Factor

    @classmethod
    def of(cls, a: torch.Tensor, b: torch.Tensor) -> Pair:
        return cls(Factor(a.contiguous()), Factor(b.contiguous()))

    def added(self, x: torch.Tensor, y: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """y + ((x A^T) * mask) B^T; y may be overwritten."""
        inner = self.a.product(x)
        return self.b.added(inner if mask is None else inner.mul_(mask), y)


class BankLinear(nn.Module):
    """A linear layer with every adapter's factors; which of them take part is chosen per forward by the bank."""

    def __init__(self, base: FastLinear, bank: LoraBank) -> None:
        super().__init__()
        self.base = base
        self._bank = [bank]  # in a list, so that torch does not walk into it
        self._factors: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}
        self._alone: dict[str, Pair] = {}
        self._together: Pair | None = None

    def add(self, name: str, a: torch.Tensor, b: torch.Tensor) -> None:
        """An adapter's factors, the scale folded into b."""
        base = self.base
        a, b = a.to(base.device, base.dtype), b.to(base.device, base.dtype)
        self._factors[name] = (a, b)
        self._alone[name] = Pair.of(a, b)

    def remove(self, name: str) -> None:
        self._factors.pop(name, None)
        self._alone.pop(name, None)

    def stack(self, names: Sequence[str], widths: Sequence[int]) -> None:
        """Rebuild the stacked factors; an adapter without this layer, or of lower rank here, is padded with
        zeros.
        """
        base = self.base
        a, b = [], []
        for name, width in zip(names, widths, strict=True):
            own = self._factors.get(name)
            rank = 0 if own is None else own[0].shape[0]
            if own is not None:
                a.append(own[0])
                b.append(own[1])
            if rank < width:
                a.append(torch.zeros(width - rank, base.in_features, dtype=base.dtype, device=base.device))
                b.append(torch.zeros(base.out_features, width - rank, dtype=base.dtype, device=base.device))
        self._together = Pair.of(torch.cat(a), torch.cat(b, dim=1)) if a else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:  # x [rows, tokens, inputs]
        y: torch.Tensor = self.base(x)
        choice = self._bank[0].choice
        if choice is None or self._together is None:
            return y
        if isinstance(choice, Mixed):
            return self._together.added(x, y, choice.mask)
        if isinstance(choice, str):
            own = self._alone.get(choice)
            return y if own is None else own.added(x, y)
        for first, end, name in choice.groups:
            own = self._alone.get(name)
            if own is not None:
                y[first:end] = own.added(x[first:end], y[first:end])
        return y


class LoraBank:
    """Loads, unloads and selects adapters. Used by the model thread only."""

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._layers: dict[str, BankLinear] = {}
        self._segments: dict[str, Segment] = {}
        self.choice: Choice = None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._segments)

    def load(self, adapter: AdapterFiles) -> None:
        """Add `adapter`; nothing is changed when it does not fit. Raises BadAdapter."""
        places = {module: self._place(adapter, module) for module in adapter.factors}
        for module, factor in adapter.factors.items():
            base = places[module]
            if (base.in_features, base.out_features) != (factor.inputs, factor.outputs):
                raise BadAdapter(
                    f"The adapter {adapter.name!r} does not fit this base: {module} takes {base.in_features} to "
                    f"{base.out_features} numbers, the adapter {factor.inputs} to {factor.outputs}; "
                    "use the base it was trained on."
                )
        tensors = load_file(str(adapter.weights))
        for module, factor in adapter.factors.items():
            a = tensors[f"base_model.model.{module}.lora_A.weight"]
            b = tensors[f"base_model.model.{module}.lora_B.weight"].float() * factor.scale
            self._layer(module).add(adapter.name, a, b)
        self._restack({**self._widths(), adapter.name: adapter.rank})

    def unload(self, name: str) -> None:
        for layer in self._layers.values():
            layer.remove(name)
        self._restack({other: width for other, width in self._widths().items() if other != name})

    def choose(self, adapters: Sequence[str | None]) -> Choice:
        """What the next forward does for rows with these adapters (None: the base alone), one token each."""
        if all(name is None for name in adapters):
            return None
        if len(set(adapters)) == 1 and adapters[0] is not None:
            return adapters[0]
        weight = next(self._model.parameters())
        total = max(segment.end for segment in self._segments.values())
        mask = torch.zeros(len(adapters), 1, total, dtype=weight.dtype)
        for row, name in enumerate(adapters):
            if name is not None:
                segment = self._segments[name]
                mask[row, 0, segment.begin : segment.end] = 1
        return Mixed(mask.to(weight.device))

    def choose_long(self, adapters: Sequence[str | None]) -> Choice:
        """As `choose`, for rows of many tokens; equal adapters must stand side by side."""
        if len(set(adapters)) == 1:
            return self.choose(adapters)
        groups: list[tuple[int, int, str]] = []
        first = 0
        for row in range(1, len(adapters) + 1):
            if row == len(adapters) or adapters[row] != adapters[first]:
                name = adapters[first]
                if name is not None:
                    groups.append((first, row, name))
                first = row
        return Grouped(tuple(groups))

    def _widths(self) -> dict[str, int]:
        return {name: segment.end - segment.begin for name, segment in self._segments.items()}

    def _restack(self, widths: dict[str, int]) -> None:
        for layer in self._layers.values():
            layer.stack(list(widths), list(widths.values()))
        begin = 0
        self._segments = {}
        for name, width in widths.items():
            self._segments[name] = Segment(begin, begin + width)
            begin += width

    def _place(self, adapter: AdapterFiles, module: str) -> FastLinear:
        try:
            found = self._model.get_submodule(module)
        except AttributeError:
            found = None
        base = found.base if isinstance(found, BankLinear) else found
        if not isinstance(base, FastLinear):
            raise BadAdapter(
                f"The adapter {adapter.name!r} does not fit this base: there is no linear layer {module[:100]}; "
                "use the base it was trained on."
            )
        return base

    def _layer(self, module: str) -> BankLinear:
        """The bank's own layer at `module`, put in place of the plain one when an adapter first needs it."""
        layer = self._layers.get(module)
        if layer is None:
            parent_name, _, leaf = module.rpartition(".")
            parent = self._model.get_submodule(parent_name)
            base = getattr(parent, leaf)
            layer = BankLinear(base, self)
            # Adapters loaded earlier have no part in this layer.
            widths = self._widths()
            layer.stack(list(widths), list(widths.values()))
            setattr(parent, leaf, layer)
            self._layers[module] = layer
        return layer
