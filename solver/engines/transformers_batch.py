"""Continuous batching: every step is one forward for all rows in flight, and rows come and go between steps.

New prompts are prefilled in groups, a bounded number of tokens per step, so that a long prompt does not hold
up the rows that are already answering. A finished group joins the running rows in the slab. Only the model
thread calls this.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from solver.engines.protocol import EngineRefused
from solver.engines.settings import LocalSettings
from solver.engines.transformers_bank import LoraBank
from solver.engines.transformers_grammar import Constraint, GrammarFailed, forbid
from solver.engines.transformers_prefix import PrefixCache, storable
from solver.engines.transformers_sampling import Sampler, pick
from solver.engines.transformers_slab import KvShape, Slab

_IDLE_PREFILL = 8  # with nobody waiting for the next token, a prefill step may be this much larger
_ROOM = 64  # columns a full slab grows by at least; admission has counted them
_SMALL_GROUP = 256  # tokens; below it padding costs less than another forward


@dataclass(eq=False)
class Row:
    """One request in flight. `emit` gets each token, or the failure that ended it; it must not block."""

    ids: list[int]
    adapter: str | None
    most_new: int
    sampler: Sampler
    stop_ids: frozenset[int]
    emit: Callable[[int | Exception], None]
    constraint: Constraint | None = None
    cancelled: bool = False
    out: list[int] = field(default_factory=list)
    reused: int = 0  # prompt tokens taken from the prefix cache
    complete_at: int | None = None  # tokens after which the grammar allows no more

    @property
    def done(self) -> bool:
        return (
            self.cancelled
            or self.complete_at is not None
            or len(self.out) >= self.most_new
            or bool(self.out and self.out[-1] in self.stop_ids)
        )

    @property
    def longest(self) -> int:
        return len(self.ids) + self.most_new

    def take(self, token: int) -> None:
        """Add the next token of the answer and tell who waits for it."""
        self.out.append(token)
        if self.constraint is not None:
            try:
                self.constraint.take(token)
            except GrammarFailed as failure:
                self.give_up(failure)
                return
            if self.constraint.complete:
                self.complete_at = len(self.out)
        self.emit(token)

    def give_up(self, failure: GrammarFailed) -> None:
        """End this row alone."""
        self.cancelled = True
        self.emit(EngineRefused(f"The answer could not be held to its grammar: {failure}; simplify it."))


@dataclass
class Counters:
    """Since the engine was opened."""

    steps: int = 0
    row_steps: int = 0  # divided by steps: the mean batch size
    prompt_tokens: int = 0
    reused_tokens: int = 0
    new_tokens: int = 0


class Batch:
    """The rows in flight and those waiting, and the step that moves them on."""

    def __init__(self, model: Any, bank: LoraBank, shape: KvShape, settings: LocalSettings) -> None:
        self._model = model
        self._bank = bank
        self._shape = shape
        self._settings = settings
        self.most_tokens = settings.kv_megabytes * 1_000_000 // shape.token_bytes
        self.prefix = PrefixCache(settings.prefix_megabytes * 1_000_000)
        self.waiting: deque[Row] = deque()
        self.filling: list[Row] = []
        self.running: list[Row] = []
        self._staging = Slab(shape, self.most_tokens)
        self._slab = Slab(shape, self.most_tokens)
        self.count = Counters()

    @property
    def busy(self) -> bool:
        return bool(self.waiting or self.filling or self.running)

    @property
    def kv_bytes(self) -> int:
        return (self._slab.tokens + self._staging.tokens) * self._shape.token_bytes

    @property
    def kv_most_bytes(self) -> int:
        return self.most_tokens * self._shape.token_bytes

    def rows(self) -> list[Row]:
        return [*self.waiting, *self.filling, *self.running]

    def uses(self, adapter: str) -> bool:
        return any(row.adapter == adapter for row in (*self.filling, *self.running))

    @torch.inference_mode()
    def step(self) -> None:
        """Admit, prefill a little, decode one token for every running row."""
        if not self.filling and self.waiting:
            self._admit()
        if self.filling:
            self._prefill()
        if self.running:
            self._decode()

    def reset(self) -> list[Row]:
        """Forget every row and its keys and values, after a failure in the middle of a step. Returns the
        rows.
        """
        rows = self.rows()
        self.waiting.clear()
        self.filling, self.running = [], []
        self._staging = Slab(self._shape, self.most_tokens)
        self._slab = Slab(self._shape, self.most_tokens)
        self.prefix.clear()
        self._bank.choice = None
        return rows

    def _admit(self) -> None:
        """Take waiting rows, first come first served, while batch and memory have room and padding stays
        cheap.
        """
        self.waiting = deque(row for row in self.waiting if not row.cancelled)
        group: list[Row] = []
        hits: list[torch.Tensor | None] = []
        work = 0
        while self.waiting and self._fits(group, self.waiting[0]):
            row = self.waiting[0]
            hit = self.prefix.find(row.adapter, row.ids)
            rest = len(row.ids) - (0 if hit is None else hit.shape[3])
            padded = (len(group) + 1) * max(
                rest, *(self._rest(r, h) for r, h in zip(group, hits, strict=True)), 0
            )
            if group and padded > _SMALL_GROUP and padded > 1.3 * (work + rest):
                break
            self.waiting.popleft()
            group.append(row)
            hits.append(hit)
            work += rest
        if group:
            self._stage(group, hits)

    @staticmethod
    def _rest(row: Row, hit: torch.Tensor | None) -> int:
        return len(row.ids) - (0 if hit is None else hit.shape[3])

    def _fits(self, group: Sequence[Row], row: Row) -> bool:
        rows = [*self.running, *group, row]
        if len(rows) > self._settings.max_batch:
            return False
        need = len(rows) * max(r.longest for r in rows)
        if self.running:  # the prompts lie beside the running rows until they have been computed
            need += (len(group) + 1) * max(len(r.ids) for r in (*group, row))
        return need <= self.most_tokens

    def _stage(self, group: list[Row], hits: list[torch.Tensor | None]) -> None:
        """Lay the prompts side by side, ending together, and fill in what the prefix cache knows."""
        order = sorted(range(len(group)), key=lambda index: group[index].adapter or "")
        rows = [group[index] for index in order]
        longest = max(len(row.ids) for row in rows)
        if self._slab.tokens + len(rows) * longest > self.most_tokens:
            self._slab.trim()
        self._staging = Slab(self._shape, self.most_tokens, len(rows), longest)
        self._staging.starts = [longest - len(row.ids) for row in rows]
        # The first column that must be computed; what a longer hit covers beyond it is computed again.
        first = longest - 1
        for index, row in zip(order, rows, strict=True):
            first = min(first, longest - self._rest(row, hits[index]))
        for place, index in enumerate(order):
            hit = hits[index]
            known = max(0, first - self._staging.starts[place])
            if hit is not None and known:
                self._staging.put(place, hit[:, :, :, :known])
            rows[place].reused = known
            self.count.prompt_tokens += len(rows[place].ids)
            self.count.reused_tokens += known
        self._staging.end = max(first, self._staging.begin)
        self.filling = rows

    def _prefill(self) -> None:
        """Advance the group by one chunk; at its end, sample the first tokens and join the running rows."""
        slab, rows = self._staging, self.filling
        if all(row.cancelled for row in rows):
            self.filling = []
            return
        total = max(start + len(row.ids) for start, row in zip(slab.starts, rows, strict=True))
        budget = self._settings.prefill_tokens * (1 if self.running else _IDLE_PREFILL)
        width = min(total - slab.end, max(16, budget // len(rows)))
        first = slab.end
        ids = torch.zeros(len(rows), width, dtype=torch.long)
        for place, (start, row) in enumerate(zip(slab.starts, rows, strict=True)):
            piece = row.ids[max(0, first - start) : max(0, first + width - start)]
            if piece:
                ids[place, width - len(piece) :] = torch.tensor(piece)
        self._bank.choice = self._bank.choose_long([row.adapter for row in rows])
        logits = self._forward(ids, slab, width)
        if slab.end < total:
            return
        self._remember(slab, rows)
        self._deliver(rows, logits)
        self.filling = []
        self._join(slab, rows)

    def _remember(self, slab: Slab, rows: Sequence[Row]) -> None:
        for place, row in enumerate(rows):
            if self._settings.prefix_megabytes and not self.prefix.knows(row.adapter, row.ids):
                self.prefix.add(row.adapter, row.ids, slab.copy(place, storable(row.ids)))

    def _join(self, slab: Slab, rows: Sequence[Row]) -> None:
        if self.running:
            staying = [place for place, row in enumerate(rows) if not row.done]
            self._slab.add(slab, staying, room=1)
            self.running.extend(rows[place] for place in staying)
            self._staging = Slab(self._shape, self.most_tokens)
        else:
            self._slab, self._staging = slab, Slab(self._shape, self.most_tokens)
            self.running = list(rows)
            self._retire()

    def _decode(self) -> None:
        self._retire()
        rows, slab = self.running, self._slab
        if not rows:
            return
        slab.reserve(max(1, min(_ROOM, max(row.longest for row in rows) - (slab.end - slab.begin))))
        ids = torch.tensor([[row.out[-1]] for row in rows])
        self._bank.choice = self._bank.choose([row.adapter for row in rows])
        self._deliver(rows, self._forward(ids, slab, 1))
        self.count.steps += 1
        self.count.row_steps += len(rows)
        self._retire()

    def _forward(self, ids: torch.Tensor, slab: Slab, width: int) -> torch.Tensor:
        """Logits of the last column, [rows, vocabulary]; ids [rows, width]."""
        out = self._model.model(
            input_ids=ids.to(self._shape.device),
            attention_mask=slab.mask(width),
            position_ids=slab.positions(width),
            past_key_values=slab,
            use_cache=True,
        )
        slab.advance(width)
        # Two dimensions: a batched product would copy the vocabulary's whole matrix once a row.
        logits: torch.Tensor = self._model.lm_head(out.last_hidden_state[:, -1].contiguous())
        return logits

    def _deliver(self, rows: Sequence[Row], logits: torch.Tensor) -> None:
        _constrain(rows, logits)
        tokens = pick(logits, [row.sampler for row in rows])
        self.count.new_tokens += len(rows)
        for row, token in zip(rows, tokens, strict=True):
            if not row.cancelled:
                row.take(token)

    def _retire(self) -> None:
        """Take out rows that are done; the last row moves into the gap, in the slab and in the list alike."""
        for place in reversed(range(len(self.running))):
            if self.running[place].done:
                self._slab.drop(place)
                last = self.running.pop()
                if place < len(self.running):
                    self.running[place] = last


def _constrain(rows: Sequence[Row], logits: torch.Tensor) -> None:
    """Take out, in the rows that have a grammar, what it does not allow next. In place."""
    places, allowed = [], []
    for place, row in enumerate(rows):
        if row.constraint is None or row.cancelled:
            continue
        try:
            allowed.append(row.constraint.allowed())
        except GrammarFailed as failure:
            row.give_up(failure)
        else:
            places.append(place)
    if places:
        forbid(logits, places, allowed)
