"""The parts of an engine's description: deadlines, sampling, what a server understands, how this machine is used."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Strict(BaseModel):
    # hide_input_in_errors: a key pasted into the wrong field must not travel on in an error message.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Timeouts(Strict):
    """Seconds. `total_s` bounds a whole call with its retries, not the wait for a free slot before it."""

    connect_s: float = Field(default=5.0, gt=0)
    first_token_s: float = Field(default=120.0, gt=0)
    between_tokens_s: float = Field(default=60.0, gt=0)
    total_s: float = Field(default=600.0, gt=0)


class SamplingDefaults(Strict):
    temperature: float = Field(default=0.0, ge=0, le=5)
    top_p: float = Field(default=0.95, gt=0, le=1)
    max_tokens: int = Field(default=4096, gt=0)
    seed: int | None = None


class Capabilities(Strict):
    """What an OpenAI-compatible server understands; "test connection" measures it (see `probe`)."""

    stream_usage: bool = True
    seed: bool = True
    structured_output: bool = False
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"


class LocalSettings(Strict):
    """How the in-process engine uses this machine."""

    device: str = Field(default="auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$")
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    threads: int | None = Field(default=None, ge=1)
    max_batch: int = Field(default=16, ge=1, le=1024)
    max_rank: int = Field(default=64, ge=1, le=512)
    kv_megabytes: int = Field(default=1024, ge=1)
    prefix_megabytes: int = Field(default=128, ge=0)
    prefill_tokens: int = Field(default=512, ge=16)


class VllmSettings(Strict):
    """How the lab starts vLLM for an engine: in vLLM's own environment, whose `python` is named here.

    `max_lora_rank` and `max_loras` are vLLM's 16 and 1 unless told: the published adapters have rank 32, and with one
    adapter in a batch four roles would take turns.
    """

    python: str
    model: str  # a folder with safetensors, or the name of a hub model that this machine has or may download
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    max_loras: int = Field(default=4, ge=1, le=64)
    max_lora_rank: Literal[1, 8, 16, 32, 64, 128, 256, 320, 512] = 32
    max_cpu_loras: int = Field(default=16, ge=1, le=1024)
    tensor_parallel: int = Field(default=1, ge=1, le=64)
    gpu_memory: float = Field(default=0.9, gt=0, le=1)  # share of each GPU's memory
    gpus: tuple[Annotated[int, Field(ge=0)], ...] = ()  # which GPUs it sees; none named: all
    cpu: bool = False  # vLLM's CPU build: for tests and demonstrations
    cpu_kv_gigabytes: int = Field(default=2, ge=1)
    cpu_threads: int = Field(default=1, ge=1)
    start_within_s: float = Field(default=900.0, gt=0)
    extra: tuple[str, ...] = ()  # further arguments, as vLLM spells them

    def resolved(self, root: Path) -> VllmSettings:
        """A model that is no folder under `root` is the name of a hub model."""
        model = root / self.model
        return self.model_copy(
            update={
                "python": str(root / self.python) if "/" in self.python else self.python,
                "model": str(model) if model.is_dir() else self.model,
            }
        )
