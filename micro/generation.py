"""Greedy answers for many prompts at once: the recipe's own engine, batched over problems in flight.

It answers the same requests as the lab's engines. Weights are fp32 here, so that a row's answer does not depend on
its neighbours in the batch.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from micro import tokenizer
from micro.network import CONTEXT
from micro.tokenizer import END_OF_TEXT_ID, TURN_END_ID, chat
from solver.engines.protocol import ChatReply, ChatRequest, ContextOverflow, EngineInfo, FinishReason, Usage

if TYPE_CHECKING:
    import torch

BASE = "base"
LONGEST_ANSWER = 320
ROWS = 64


class Generator:
    """The base and any number of adapters by name. Not for use from several threads."""

    def __init__(self, base: Path, tokenizer_folder: Path, adapters: Mapping[str, Path]) -> None:
        import torch
        from peft import PeftModel
        from transformers import Qwen2ForCausalLM

        self._tokenizer = tokenizer.load(tokenizer_folder)
        model = Qwen2ForCausalLM.from_pretrained(base, dtype=torch.float32)
        for name, folder in adapters.items():
            if isinstance(model, PeftModel):
                model.load_adapter(folder, adapter_name=name)
            else:
                model = PeftModel.from_pretrained(model, folder, adapter_name=name)
        self._model = model.eval()
        self.adapters = frozenset(adapters)
        self.tokens = 0
        self.seconds = 0.0
        self._answers: dict[tuple[str, str], tuple[str, int, int, bool]] = {}

    def answer(self, model: str, prompts: Sequence[str]) -> list[tuple[str, int, int, bool]]:
        """For each prompt: text, prompt tokens, answer tokens, and whether the answer came to its end."""
        if model != BASE and model not in self.adapters:
            raise KeyError(f"no adapter {model!r}; there are: {', '.join(sorted(self.adapters))}")
        new = [p for p in dict.fromkeys(prompts) if (model, p) not in self._answers]
        if new:
            self._select(model)
            by_length = sorted(new, key=len)
            for at in range(0, len(by_length), ROWS):
                rows = by_length[at : at + ROWS]
                for prompt, row in zip(rows, self._decode(rows), strict=True):
                    self._answers[model, prompt] = row
        return [self._answers[model, prompt] for prompt in prompts]

    def _select(self, model: str) -> None:
        if not self.adapters:
            return
        if model == BASE:
            self._model.disable_adapter_layers()
        else:
            self._model.enable_adapter_layers()
            self._model.set_adapter(model)

    def _decode(self, prompts: Sequence[str]) -> list[tuple[str, int, int, bool]]:
        import torch

        started = time.monotonic()
        encoded = self._tokenizer([chat(p) for p in prompts], return_tensors="pt", padding=True)
        width = encoded.input_ids.shape[1]
        if width + LONGEST_ANSWER > CONTEXT:
            raise ContextOverflow(f"a prompt of {width} tokens leaves no room for the answer in {CONTEXT}")
        with torch.inference_mode():
            produced = self._model.generate(
                input_ids=encoded.input_ids,
                attention_mask=encoded.attention_mask,
                max_new_tokens=LONGEST_ANSWER,
                do_sample=False,
                eos_token_id=[TURN_END_ID, END_OF_TEXT_ID],
                pad_token_id=END_OF_TEXT_ID,
            )[:, width:]
        rows = [self._cut(row) for row in produced]
        self.tokens += sum(length for _, length, _ in rows)
        self.seconds += time.monotonic() - started
        asked = encoded.attention_mask.sum(dim=1).tolist()
        return [
            (text, prompt, length, ended) for (text, length, ended), prompt in zip(rows, asked, strict=True)
        ]

    def _cut(self, row: torch.Tensor) -> tuple[str, int, bool]:
        ids = row.tolist()
        ends = [at for at, token in enumerate(ids) if token in (TURN_END_ID, END_OF_TEXT_ID)]
        length = ends[0] if ends else len(ids)
        return self._tokenizer.decode(ids[:length]), length, bool(ends)


class Lockstep:
    """A `ChatModel` for a known number of callers: it answers when every one of them waits.

    So each batch holds exactly the next call of every problem in flight, and what is in a batch depends on the
    problems alone, not on timing. A caller that ends must call `leave`.
    """

    def __init__(self, generator: Generator, callers: int) -> None:
        self._generator = generator
        self._callers = callers
        self._waiting: list[_Call] = []
        self._changed = threading.Condition()

    def chat(
        self,
        request: ChatRequest,
        *,
        on_delta: Callable[[str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> ChatReply:
        call = _Call(request)
        with self._changed:
            self._waiting.append(call)
            self._answer_if_all_wait()
            while call.reply is None and call.error is None:
                self._changed.wait()
        if call.error is not None:
            raise call.error
        assert call.reply is not None
        return call.reply

    def leave(self) -> None:
        with self._changed:
            self._callers -= 1
            self._answer_if_all_wait()

    def _answer_if_all_wait(self) -> None:
        if not self._waiting or len(self._waiting) < self._callers:
            return
        waiting, self._waiting = self._waiting, []
        by_model: dict[str, list[_Call]] = {}
        for call in waiting:
            by_model.setdefault(call.request.model, []).append(call)
        for model in sorted(by_model):
            self._answer(model, by_model[model])
        self._changed.notify_all()

    def _answer(self, model: str, calls: list[_Call]) -> None:
        try:
            rows = self._generator.answer(model, [call.request.messages[-1].content for call in calls])
        except Exception as error:  # noqa: BLE001  # handed to every caller: none of them may wait for ever
            for call in calls:
                call.error = error
            return
        for call, (text, asked, told, ended) in zip(calls, rows, strict=True):
            reason = FinishReason.STOP if ended else FinishReason.LENGTH
            call.reply = ChatReply(text, reason, Usage(asked, told), model, seconds=0.0)

    def info(self) -> EngineInfo:
        models = (BASE, *sorted(self._generator.adapters))
        return EngineInfo("micro", "recipe", "micro model, synthetic family", False, models, adapters=True)

    def close(self) -> None:
        """Nothing is held beyond memory."""


class _Call:
    def __init__(self, request: ChatRequest) -> None:
        self.request = request
        self.reply: ChatReply | None = None
        self.error: Exception | None = None
