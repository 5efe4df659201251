"""What serving a backbone takes and how fast it can be on this host at best, before a byte of it is loaded. Pure.

Memory is counted, speed is bounded: every generated token reads all weights once, so a single stream cannot be faster
than the memory's bandwidth over the weights' bytes. Batches share that reading, which is why they pay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

GIB = 1024**3
RANK, ROLES = 32, 4
RESERVE = 0.10  # of the memory: activations, the process itself
USABLE_TOKENS_PER_S = 2.0  # below this a problem of a dozen calls takes an hour or more
# Memory bandwidth by the makers' data sheets, bytes a second; a GPU that is not listed gets no speed estimate.
BANDWIDTH = {
    "H200": 4.8e12,
    "H100": 3.35e12,
    "A100": 2.0e12,
    "L40S": 0.864e12,
    "L4": 0.3e12,
    "A10": 0.6e12,
    "RTX 4090": 1.008e12,
    "RTX 3090": 0.936e12,
}


@dataclass(frozen=True, slots=True)
class Gpu:
    name: str
    total_bytes: int
    free_bytes: int

    @property
    def bandwidth(self) -> float | None:
        return next((rate for name, rate in BANDWIDTH.items() if name in self.name), None)


@dataclass(frozen=True, slots=True)
class Host:
    """`cpu_bandwidth` is measured, bytes a second."""

    free_bytes: int
    cores: int
    cpu_bandwidth: float
    gpus: tuple[Gpu, ...] = ()


@dataclass(frozen=True, slots=True)
class Needs:
    """Bytes; `kv_per_token` for every token of every request in flight."""

    parameters: int
    weights: int
    adapters: int  # four adapters of rank 32 on every linear layer
    kv_per_token: int

    def memory(self, tokens: int) -> int:
        return int((self.weights + self.adapters + tokens * self.kv_per_token) * (1 + RESERVE))


@dataclass(frozen=True, slots=True)
class Verdict:
    """`fits` False: it cannot be loaded. `quick` False: it can, and would be too slow to work with."""

    device: str
    fits: bool
    needed: int
    there: int
    tokens_per_s: float | None

    @property
    def quick(self) -> bool:
        return self.tokens_per_s is None or self.tokens_per_s >= USABLE_TOKENS_PER_S

    @property
    def sentence(self) -> str:
        told = f"{self.device}: needs {self.needed / GIB:.1f} GiB of {self.there / GIB:.1f} GiB"
        if not self.fits:
            return f"{told}; it does not fit."
        if self.tokens_per_s is None:
            return f"{told}; its speed is not estimated for this device."
        told += f"; at best {self.tokens_per_s:.1f} tokens a second in one stream"
        return f"{told}." if self.quick else f"{told}, too slow to work with."


def needs(config: Mapping[str, Any], parameters: int, *, bytes_each: int) -> Needs:
    """From the model's config. `parameters` are those of its files; `bytes_each` of the type it is served in."""
    hidden, layers = int(config["hidden_size"]), int(config["num_hidden_layers"])
    heads = int(config["num_attention_heads"])
    kv_heads = int(config.get("num_key_value_heads") or heads)
    head = int(config.get("head_dim") or hidden // heads)
    feed = int(config["intermediate_size"])
    q, kv = heads * head, kv_heads * head
    # q, k, v, o and gate, up, down: a rank-r pair of matrices on a linear of a x b has r (a + b) numbers
    sides = (hidden + q) + 2 * (hidden + kv) + (q + hidden) + 3 * (hidden + feed)
    adapters = ROLES * RANK * sides * layers * bytes_each
    return Needs(parameters, parameters * bytes_each, adapters, 2 * layers * kv * bytes_each)


def on_cpu(found: Needs, host: Host, tokens: int) -> Verdict:
    needed = found.memory(tokens)
    return Verdict(
        f"CPU with {host.cores} cores",
        needed <= host.free_bytes,
        needed,
        host.free_bytes,
        host.cpu_bandwidth / found.weights,
    )


def on_gpus(found: Needs, host: Host, tokens: int, tensor_parallel: int) -> Verdict:
    """Split over the first GPUs; the weakest decides. Splitting costs some of the speed, which is not counted."""
    chosen = host.gpus[:tensor_parallel]
    if len(chosen) < tensor_parallel:
        return Verdict(f"{tensor_parallel} GPUs", False, found.memory(tokens), 0, None)
    there = min(gpu.free_bytes for gpu in chosen) * tensor_parallel
    rates = [gpu.bandwidth for gpu in chosen]
    known = [rate for rate in rates if rate is not None]
    speed = min(known) * tensor_parallel / found.weights if len(known) == len(rates) else None
    name = chosen[0].name if tensor_parallel == 1 else f"{tensor_parallel} x {chosen[0].name}"
    needed = found.memory(tokens)
    return Verdict(name, needed <= there, needed, there, speed)
