"""The devices of this host, found without torch: the CPU always, GPUs where the driver's own tool lists them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.utils.timezone import now

from training.models import Device

# What training a LoRA reaches of a card's dense bf16 rate: half of what the maker's data sheet says is rarely reached.
REACHED = 0.4
_BF16_TERAFLOPS = {
    "H200": 989,
    "H100": 989,
    "A100": 312,
    "L40": 181,
    "4090": 165,
    "3090": 71,
    "A10": 125,
    "T4": 65,
}
_UNKNOWN_CARD = 50


@dataclass(frozen=True, slots=True)
class Found:
    name: str
    title: str
    memory_bytes: int
    flops: float


def host() -> str:
    return socket.gethostname()


def find() -> list[Found]:
    return [*_cards(), _cpu()]


def refresh() -> None:
    """Write down what this host has; a device that is leased keeps its lease."""
    for found in find():
        Device.objects.update_or_create(
            host=host(),
            name=found.name,
            defaults={
                "title": found.title,
                "memory_bytes": found.memory_bytes,
                "flops": found.flops,
                "seen_at": now(),
            },
        )


def _cards() -> list[Found]:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    asked = [tool, "--query-gpu=index,name,memory.total", "--format=csv,noheader,nounits"]
    try:
        told = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=10).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return [_card(line) for line in told.splitlines() if line.count(",") == 2]


def _card(line: str) -> Found:
    number, name, megabytes = (part.strip() for part in line.split(","))
    rate = next((rate for key, rate in _BF16_TERAFLOPS.items() if key in name), _UNKNOWN_CARD)
    return Found(f"cuda:{number}", name, int(megabytes) * 2**20, REACHED * rate * 1e12)


def _cpu() -> Found:
    return Found("cpu", f"{os.cpu_count() or 1} CPU cores", _memory(), cpu_flops() * threads())


def threads() -> int:
    """One core is left to the web server and the judge."""
    return max(1, (os.cpu_count() or 2) - 1)


def _memory() -> int:
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemTotal"):
            return int(line.split()[1]) * 1024
    return 0


@cache
def cpu_flops() -> float:
    """Single-precision operations a second of one thread, by a matrix product of 0.1 s."""
    import numpy as np

    side = 512
    left = np.ones((side, side), dtype=np.float32)
    began, rounds = time.thread_time(), 0
    while time.thread_time() - began < 0.05:
        left @ left
        rounds += 1
    return REACHED * 2 * side**3 * rounds / (time.thread_time() - began)
