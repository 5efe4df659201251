"""Weights in this process as an engine: one base model, an adapter per role, all requests in one batch.

The caller's thread tokenizes, decodes, looks for stop strings and asks whether to cancel; the model thread
only computes. Models are `base` and the names of the loaded adapters.
"""

from __future__ import annotations

import os
import queue
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM
from transformers.utils import logging as transformers_logging

from solver.engines.adapters import AdapterFiles, BadAdapter, read_adapter
from solver.engines.base_model import BadBase, BaseFiles, read_base
from solver.engines.protocol import (
    Cancelled,
    ChatReply,
    ChatRequest,
    ContextOverflow,
    EngineInfo,
    EngineRefused,
    EngineUnreachable,
)
from solver.engines.settings import LocalSettings
from solver.engines.spec import BASE, EngineSpec
from solver.engines.transformers_answer import Answer, Origin
from solver.engines.transformers_bank import LoraBank
from solver.engines.transformers_batch import Batch, Row
from solver.engines.transformers_grammar import GrammarBook
from solver.engines.transformers_linear import quicken
from solver.engines.transformers_sampling import Sampler
from solver.engines.transformers_slab import KvShape
from solver.engines.transformers_text import Codec, TextStream
from solver.engines.transformers_thread import ModelThread

_POLL_S = 0.05
_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


class UnknownAdapter(EngineRefused):
    """The request names an adapter that is not loaded."""


class TransformersEngine:
    """One base model with its adapters. Safe to call from many threads at once."""

    def __init__(self, spec: EngineSpec) -> None:
        """Load the base and every adapter of `spec`. Raises BadBase or BadAdapter."""
        if spec.base is None:
            raise ValueError("TransformersEngine needs a spec of kind transformers")
        self.spec = spec
        self.base = read_base(Path(spec.base))
        self._codec = Codec(self.base)
        model, shape = _load(self.base, spec.local)
        self.context = min(spec.context_tokens or shape_limit(self.base), shape_limit(self.base))
        self._bank = LoraBank(model)
        self._grammars = GrammarBook(self._codec.tokenizer, model.config.vocab_size, self._codec.stop_ids)
        self._batch = Batch(model, self._bank, shape, spec.local)
        if self._batch.most_tokens < 1:
            raise BadBase(f"local.kv_megabytes of engine {spec.name!r} holds not a single token; raise it.")
        self._thread = ModelThread(spec.name, self._batch, _threads(spec.local, shape.device))
        self._adapters: dict[str, AdapterFiles] = {}
        self._names = threading.Lock()  # between looking a name up and handing its row over, it must not go
        self._loading = threading.Lock()
        try:
            for name, folder in spec.adapters.items():
                self.load_adapter(name, Path(folder))
        except BaseException:
            self.close()
            raise

    def chat(
        self,
        request: ChatRequest,
        *,
        on_delta: Callable[[str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> ChatReply:
        tokens: queue.SimpleQueue[int | Exception] = queue.SimpleQueue()
        answer = self.begin(request, tokens.put, on_delta)
        try:
            self._follow(answer, tokens, cancelled)
        finally:
            answer.leave()
        return answer.reply()

    def begin(
        self,
        request: ChatRequest,
        emit: Callable[[int | Exception], None],
        on_delta: Callable[[str], None] | None = None,
    ) -> Answer:
        """Put the request into the queue. `emit` gets, on the model thread, each token or the failure that ended
        the answer; whoever follows hands the tokens to the answer's `take`. Raises EngineError.
        """
        started = time.monotonic()
        ids = self._codec.encode(request.messages)
        self._check_room(len(ids), request.sampling.max_tokens)
        seed = secrets.randbits(32) if request.sampling.seed is None else request.sampling.seed
        row = Row(
            ids=ids,
            adapter=None if request.model == BASE else request.model,
            most_new=request.sampling.max_tokens,
            sampler=Sampler(request.sampling.temperature, request.sampling.top_p, seed),
            stop_ids=self._codec.stop_ids,
            emit=emit,
            constraint=None if request.grammar is None else self._grammars.constraint(request.grammar),
        )
        digest = self._submit(row)
        stream = TextStream(self._codec, request.sampling.stop)
        origin = Origin(request.model, seed, digest, self._codec.template_digest, started)
        return Answer(row, stream, origin, on_delta)

    def _submit(self, row: Row) -> str | None:
        """Hand the row to the model thread; returns its adapter's digest."""
        with self._names:
            adapter = None if row.adapter is None else self._adapters.get(row.adapter)
            if row.adapter is not None and adapter is None:
                known = ", ".join([BASE, *self._adapters])
                raise UnknownAdapter(
                    f"The engine {self.spec.name!r} has no adapter {row.adapter[:100]!r} loaded; it serves {known}."
                )
            self._thread.submit(row)
        return None if adapter is None else adapter.digest

    def _check_room(self, prompt: int, answer: int) -> None:
        if prompt + answer > self.context:
            raise ContextOverflow(
                f"The prompt of {prompt} tokens and max_tokens of {answer} do not fit the {self.context} tokens of "
                f"{self.spec.name!r}; lower max_tokens or shorten the prompt."
            )
        if prompt + answer > self._batch.most_tokens:
            raise ContextOverflow(
                f"{prompt + answer} tokens need more memory than local.kv_megabytes of {self.spec.name!r} allows "
                f"({self._batch.most_tokens} tokens); raise it or lower max_tokens."
            )

    def _follow(
        self,
        answer: Answer,
        tokens: queue.SimpleQueue[int | Exception],
        cancelled: Callable[[], bool] | None,
    ) -> None:
        ask_at = started = answer.origin.started
        while True:
            now = time.monotonic()
            if now >= ask_at:
                ask_at = now + _POLL_S
                if cancelled is not None and cancelled():
                    raise Cancelled(f"The call to {self.spec.name!r} was cancelled.")
                self._check_deadline(now - started)
            try:
                token = tokens.get(timeout=_POLL_S)
            except queue.Empty:
                continue
            if isinstance(token, Exception):
                raise token
            if answer.take(token):
                return

    def _check_deadline(self, spent: float) -> None:
        total = self.spec.timeouts.total_s
        if spent > total:
            raise EngineUnreachable(
                f"The engine {self.spec.name!r} did not finish within {total:g} s, waiting for its turn included; "
                "raise timeouts.total_s, lower max_tokens or start fewer runs at once."
            )

    def load_adapter(self, name: str, folder: Path) -> str:
        """Serve the adapter in `folder` as `name`, while others answer; returns its digest. Raises
        BadAdapter.

        A name stands for one content: loading the same again does nothing, another content is refused.
        """
        adapter = read_adapter(name, folder, max_rank=self.spec.local.max_rank)
        if adapter.base_fingerprint not in (None, self.base.fingerprint):
            raise BadAdapter(
                f"The adapter {name!r} was trained on another base than {self.base.folder.name!r}; "
                "use the base it was trained on."
            )
        with self._loading:
            known = self._adapters.get(name)
            if (known is not None and known.digest != adapter.digest) or name == BASE:
                raise BadAdapter(
                    f"The name {name!r} already stands for other weights; give the adapter a name of its own."
                )
            if known is None:
                self._thread.command(lambda: self._bank.load(adapter)).result()
                with self._names:
                    self._adapters[name] = adapter
        return adapter.digest

    def unload_adapter(self, name: str) -> bool:
        """Stop serving `name`, after the requests that use it have ended. False when it is not loaded."""
        with self._loading:
            with self._names:
                if self._adapters.pop(name, None) is None:
                    return False
            while not self._thread.command(lambda: self._unload_unused(name)).result():
                time.sleep(_POLL_S)
        return True

    def _unload_unused(self, name: str) -> bool:
        if any(row.adapter == name and not row.cancelled for row in self._batch.rows()):
            return False
        if self._batch.uses(name):  # cancelled rows leave with the next step
            return False
        self._bank.unload(name)
        self._batch.prefix.forget(name)
        return True

    def adapters(self) -> dict[str, str]:
        """Digest of each loaded adapter by name."""
        with self._names:
            return {name: adapter.digest for name, adapter in self._adapters.items()}

    def stats(self) -> dict[str, Any]:
        """What the engine page shows: queue, batch, prefix reuse."""
        batch = self._batch
        count = asdict(batch.count)
        mean = batch.count.row_steps / batch.count.steps if batch.count.steps else 0.0
        state = {"running": len(batch.running), "filling": len(batch.filling), "waiting": len(batch.waiting)}
        memory = {
            "kv_bytes": batch.kv_bytes,
            "kv_most_bytes": batch.kv_most_bytes,
            "prefix_bytes": batch.prefix.nbytes,
        }
        return {**count, **state, **memory, "mean_batch": round(mean, 2)}

    def info(self) -> EngineInfo:
        return EngineInfo(
            name=self.spec.name,
            kind=self.spec.kind.value,
            label=self.spec.title,
            simulated=self.spec.simulated,
            models=(BASE, *self.adapters()),
            streams=True,
            seeds=True,
            grammars=True,
            adapters=True,
        )

    @property
    def alive(self) -> bool:
        """Whether the model thread runs."""
        return self._thread.alive

    def close(self) -> None:
        self._thread.close()


def shape_limit(base: BaseFiles) -> int:
    return int(base.config.get("max_position_embeddings") or 2048)


def _load(base: BaseFiles, settings: LocalSettings) -> tuple[Any, KvShape]:
    device = torch.device(settings.device if settings.device != "auto" else _best_device())
    if device.type == "cuda" and not torch.cuda.is_available():
        raise BadBase("local.device names a CUDA device and there is none; use cpu or auto.")
    dtype = _DTYPES.get(settings.dtype, torch.bfloat16 if device.type == "cuda" else torch.float32)
    transformers_logging.disable_progress_bar()  # it writes to the console of whoever opened the engine
    model: Any = AutoModelForCausalLM.from_pretrained(
        str(base.folder),
        dtype=dtype,
        attn_implementation="sdpa",
        use_safetensors=True,
        local_files_only=True,
        trust_remote_code=False,
    )
    model.to(device).eval().requires_grad_(False)
    quicken(model)
    config = model.config
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return model, KvShape(config.num_hidden_layers, config.num_key_value_heads, size, dtype, device)


def _best_device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def _threads(settings: LocalSettings, device: torch.device) -> int | None:
    """All cores but one, which the web process and the judge need; the GPU engine needs no more than its
    default.
    """
    if settings.threads is not None or device.type != "cpu":
        return settings.threads
    return max(1, len(os.sched_getaffinity(0)) - 1)
