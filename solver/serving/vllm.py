"""How vLLM is started: its command line, its environment, and the names of its adapters.

The facts behind each argument were measured or read in vLLM 0.32: see docs/reference/engines.md.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from solver.engines.adapters import BadAdapter, read_adapter
from solver.engines.digests import adapter_digest
from solver.engines.protocol import EngineRefused
from solver.engines.settings import VllmSettings
from solver.engines.spec import BASE, DEFAULT, EngineSpec

# Lark grammars are the guidance backend's; without the second key a weak model fills JSON with blanks for ever.
STRUCTURED = {"backend": "guidance", "disable_any_whitespace": True}
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "HF_HOME", "SSL_CERT_FILE")
_PREFIXES = ("CUDA_", "NVIDIA_", "NCCL_", "VLLM_", "TORCH_", "TRITON_", "ROCM_", "HIP_")


def command(spec: EngineSpec) -> list[str]:
    """Always `-m`: the CPU build has no `vllm` command. Adapters are loaded over HTTP once it answers."""
    settings, parts = _settings(spec), urlsplit(spec.base_url or "")
    told: dict[str, object] = {
        "host": parts.hostname,
        "port": parts.port,
        "model": settings.model,
        "served-model-name": served_base(spec),
        "dtype": settings.dtype,
        "max-loras": settings.max_loras,
        "max-lora-rank": settings.max_lora_rank,
        "max-cpu-loras": max(settings.max_cpu_loras, settings.max_loras),
        "tensor-parallel-size": settings.tensor_parallel,
        "structured-outputs-config": json.dumps(STRUCTURED),
        "uvicorn-log-level": "warning",  # it is glanced at every second
    }
    if spec.context_tokens is not None:
        told["max-model-len"] = spec.context_tokens
    if not settings.cpu:
        told["gpu-memory-utilization"] = settings.gpu_memory
    pairs = [word for name, value in told.items() for word in (f"--{name}", str(value))]
    module = ("-m", "vllm.entrypoints.openai.api_server")
    return [settings.python, *module, *pairs, "--enable-lora", *settings.extra]


def environment(spec: EngineSpec, mine: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Only what a model server needs of the lab's environment: no key of the lab reaches it."""
    settings = _settings(spec)
    env = {name: value for name, value in mine.items() if name in _PASSED_ON or name.startswith(_PREFIXES)}
    env.update(VLLM_ALLOW_RUNTIME_LORA_UPDATING="1", VLLM_NO_USAGE_STATS="1", DO_NOT_TRACK="1")
    if Path(settings.model).is_dir():
        env["HF_HUB_OFFLINE"] = "1"
    if settings.gpus:
        env["CUDA_VISIBLE_DEVICES"] = ",".join(map(str, settings.gpus))
    if settings.cpu:
        env.update(
            VLLM_CPU_KVCACHE_SPACE=str(settings.cpu_kv_gigabytes),
            VLLM_CPU_OMP_THREADS_BIND="nobind",  # shared cores: pinning would put everybody on the same ones
            OMP_NUM_THREADS=str(settings.cpu_threads),
            OMP_WAIT_POLICY="PASSIVE",
        )
    return env


def check(spec: EngineSpec) -> None:
    """What can be known before it is started. Raises EngineRefused or BadAdapter."""
    settings = _settings(spec)
    if not os.access(settings.python, os.X_OK):
        raise EngineRefused(
            f"vllm.python of engine {spec.name!r} is not a program on this machine: {settings.python}; "
            "name the python of the environment that holds vLLM."
        )
    model = Path(settings.model)
    if model.is_absolute() and not (model / "config.json").is_file():
        raise EngineRefused(f"The model folder of engine {spec.name!r} holds no config.json: {model}.")
    for name, folder in spec.adapters.items():
        check_adapter(settings, name, Path(folder))


def check_adapter(settings: VllmSettings, name: str, folder: Path) -> None:
    """A name stands for one content for ever: vLLM caches keys and values by it. Raises BadAdapter."""
    found = read_adapter(name, folder, max_rank=settings.max_lora_rank)
    _, _, digest = name.partition("@")
    if not digest or not found.digest.startswith(digest):
        raise BadAdapter(
            f"The adapter {name!r} cannot be served: its weights are {found.digest[:12]} now; "
            "configure the engine again, so that they get a name of their own."
        )


def named_by_content(spec: EngineSpec) -> EngineSpec:
    """The same engine with its adapters called `name@digest12`, in `adapters` and in `models`. Raises BadAdapter."""
    new: dict[str, str] = {}
    for name, folder in spec.adapters.items():
        digest = adapter_digest(Path(folder))
        if digest is None:
            raise BadAdapter(f"The adapter {name!r} cannot be served: there are no weights in {folder}.")
        new[name] = f"{name.partition('@')[0]}@{digest[:12]}"
    structured = spec.capabilities.model_copy(update={"structured_output": True})
    return spec.model_copy(
        update={
            "adapters": {new[name]: folder for name, folder in spec.adapters.items()},
            "models": {role: new.get(model, model) for role, model in spec.models.items()},
            "capabilities": structured,
        }
    )


def served_base(spec: EngineSpec) -> str:
    """The name of the model without an adapter."""
    default = spec.models.get(DEFAULT, BASE)
    return BASE if default in spec.adapters else default


def _settings(spec: EngineSpec) -> VllmSettings:
    if spec.vllm is None:
        raise EngineRefused(f"The engine {spec.name!r} is not one that the lab starts; give it a vllm block.")
    return spec.vllm
