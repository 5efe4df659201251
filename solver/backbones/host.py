"""What this machine has: free memory, cores, memory bandwidth as measured, GPUs as their driver reports them."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

from solver.backbones.estimate import Gpu, Host

_PROBE_BYTES = 128 * 1024**2
_MIB = 1024**2


def this_host() -> Host:
    return Host(free_memory(), os.cpu_count() or 1, bandwidth(), gpus())


def free_memory() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def bandwidth() -> float:
    """Bytes a second that one core reads, the best of three: copying reads and writes each byte once."""
    source = bytearray(_PROBE_BYTES)
    best = min(_copy_s(source) for _ in range(3))
    return 2 * _PROBE_BYTES / best


def _copy_s(source: bytearray) -> float:
    began = time.perf_counter()
    bytes(source)
    return time.perf_counter() - began


def gpus() -> tuple[Gpu, ...]:
    """Empty where there is no NVIDIA driver. torch is not asked: it would take seconds and memory of the GPU."""
    if shutil.which("nvidia-smi") is None:
        return ()
    query = ["nvidia-smi", "--query-gpu=name,memory.total,memory.free", "--format=csv,noheader,nounits"]
    try:
        told = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    rows = [line.split(",") for line in told.splitlines() if line.count(",") == 2]
    return tuple(Gpu(name.strip(), int(total) * _MIB, int(free) * _MIB) for name, total, free in rows)
