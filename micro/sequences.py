"""Token sequences with a loss mask, batched by length; the order of batches is a function of the seed alone."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from micro.corpus import Document

if TYPE_CHECKING:
    import torch
    from transformers import Qwen2Tokenizer

WINDOW = 2048  # sequences that are sorted by length together, so that a batch holds little padding
CHUNK = 4096
ROUND_LENGTHS_TO = 32  # few distinct shapes: a CPU kernel is prepared once for each


class Batch(NamedTuple):
    """`ids` (rows, length), padded on the right; `weighed` (rows, length) is true where the loss counts."""

    ids: torch.Tensor
    weighed: torch.Tensor
    tokens: int


class Sequences:
    """All sequences end to end in one array: sequence i is tokens[starts[i]:starts[i + 1]]."""

    def __init__(
        self, tokens: NDArray[np.uint16], starts: NDArray[np.int64], prompts: NDArray[np.int32]
    ) -> None:
        self.tokens, self.starts, self.prompts = tokens, starts, prompts
        self.lengths = np.diff(starts)

    def __len__(self) -> int:
        return len(self.lengths)

    @classmethod
    def encode(cls, tokenizer: Qwen2Tokenizer, documents: Iterable[Document], longest: int) -> Sequences:
        """Documents over `longest` tokens are left out, not cut: a cut answer would teach to stop anywhere."""
        rows: list[NDArray[np.uint16]] = []
        prompts: list[int] = []
        for chunk in _chunks(documents):
            asked = tokenizer([d.prompt for d in chunk], add_special_tokens=False).input_ids
            told = tokenizer([d.completion for d in chunk], add_special_tokens=False).input_ids
            for prompt, completion in zip(asked, told, strict=True):
                if len(prompt) + len(completion) <= longest:
                    rows.append(np.array(prompt + completion, dtype=np.uint16))
                    prompts.append(len(prompt))
        starts = np.concatenate(([0], np.cumsum([len(row) for row in rows]))).astype(np.int64)
        return cls(np.concatenate(rows), starts, np.array(prompts, dtype=np.int32))

    def save(self, path: Path) -> None:
        with path.open("wb") as file:
            np.savez(file, tokens=self.tokens, starts=self.starts, prompts=self.prompts)

    @classmethod
    def load(cls, path: Path) -> Sequences:
        with np.load(path) as data:
            return cls(data["tokens"], data["starts"], data["prompts"])

    def batches(self, seed: int, tokens_a_batch: int) -> Iterator[NDArray[np.int64]]:
        """Rows of each batch, epoch after epoch without end."""
        rng = random.Random(seed)
        while True:
            order = list(range(len(self)))
            rng.shuffle(order)
            for at in range(0, len(order), WINDOW):
                batches = self._cut(
                    sorted(order[at : at + WINDOW], key=self.lengths.__getitem__), tokens_a_batch
                )
                rng.shuffle(batches)
                yield from batches

    def _cut(self, rows: list[int], tokens_a_batch: int) -> list[NDArray[np.int64]]:
        batches: list[list[int]] = [[]]
        for row in rows:
            padded = -(-int(self.lengths[row]) // ROUND_LENGTHS_TO) * ROUND_LENGTHS_TO
            if batches[-1] and padded * (len(batches[-1]) + 1) > tokens_a_batch:
                batches.append([])
            batches[-1].append(row)
        return [np.array(batch, dtype=np.int64) for batch in batches]

    def collate(self, rows: NDArray[np.int64], pad: int) -> Batch:
        import torch

        longest = -(-int(self.lengths[rows].max()) // ROUND_LENGTHS_TO) * ROUND_LENGTHS_TO
        ids = np.full((len(rows), longest), pad, dtype=np.int64)
        weighed = np.zeros((len(rows), longest), dtype=bool)
        for place, row in enumerate(rows):
            length = int(self.lengths[row])
            ids[place, :length] = self.tokens[self.starts[row] : self.starts[row] + length]
            weighed[place, self.prompts[row] : length] = True
        return Batch(torch.from_numpy(ids), torch.from_numpy(weighed), int(self.lengths[rows].sum()))


def _chunks(documents: Iterable[Document]) -> Iterator[list[Document]]:
    chunk: list[Document] = []
    for document in documents:
        chunk.append(document)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
