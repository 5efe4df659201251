"""From logits to the next token of each row."""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch

_SHORTLIST = 1024


class Sampler:
    """Temperature and nucleus sampling of one request from its own random numbers.

    The numbers come from Python's generator, so a seed gives the same choices on every device and beside any
    other rows.
    """

    def __init__(self, temperature: float, top_p: float, seed: int) -> None:
        self.temperature = temperature
        self.top_p = top_p
        self._random = random.Random(seed)

    @property
    def greedy(self) -> bool:
        return self.temperature <= 0

    def pick(self, logits: torch.Tensor) -> int:  # logits [vocabulary]
        scores = logits.float() / self.temperature
        total = torch.logsumexp(scores, 0)
        best, ids = scores.topk(min(_SHORTLIST, scores.shape[0]))
        mass = (best - total).exp().cumsum(0)
        if mass[-1] < self.top_p and len(ids) < len(scores):
            best, ids = scores.sort(descending=True)
            mass = (best - total).exp().cumsum(0)
        # The nucleus: the fewest tokens whose mass reaches top_p.
        possible = int(torch.isfinite(best).sum())  # a grammar leaves some at -inf
        count = min(int(torch.searchsorted(mass, self.top_p)) + 1, possible)
        drawn = self._random.random() * float(mass[count - 1])
        return int(ids[min(int(torch.searchsorted(mass, drawn, right=True)), count - 1)])


def pick(logits: torch.Tensor, samplers: Sequence[Sampler]) -> list[int]:
    """The next token of every row; logits [rows, vocabulary]."""
    chosen: list[int] = logits.float().argmax(-1).tolist()  # on bfloat16 it takes six times as long
    for row, sampler in enumerate(samplers):
        if not sampler.greedy:
            chosen[row] = sampler.pick(logits[row])
    return chosen
