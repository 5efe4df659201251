"""The one training loop of the recipe: fixed steps, fixed seeds, one thread, resumable to the bit."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micro.optimiser import MasterWeights, Rates, rate_factor
from micro.sequences import Sequences
from micro.tokenizer import END_OF_TEXT_ID

if TYPE_CHECKING:
    import torch

LOG_EVERY, TELL_EVERY = 25, 100


@dataclass(frozen=True)
class Plan:
    """`tokens_a_step` counts padding; `warm_up`, `cool_down` and `save_every` are in steps."""

    steps: int
    tokens_a_step: int
    rates: Rates
    warm_up: int
    cool_down: int
    seed: int
    save_every: int = 50

    def times(self, factor: int) -> Plan:
        """So many times the steps, the end cooling down in proportion."""
        return replace(self, steps=factor * self.steps, cool_down=factor * self.cool_down)


def learn(
    parameters: dict[str, torch.Tensor],
    loss_of: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    sequences: Sequences,
    plan: Plan,
    folder: Path,
    tell: Callable[[int, int], None] = lambda done, of: None,
) -> None:
    """Train `parameters` in place. A kill at any time loses the steps since the last checkpoint and nothing else:
    the order of batches depends on the plan alone, so the resumed run takes the very steps it would have taken.
    """
    folder.mkdir(parents=True, exist_ok=True)
    device = next(iter(parameters.values())).device
    weights = MasterWeights(parameters, plan.rates)
    done = _resume(folder / "checkpoint.pt", weights)
    batches = sequences.batches(plan.seed, plan.tokens_a_step)
    read = sum(int(sequences.lengths[next(batches)].sum()) for _ in range(done))
    progress = _Progress(folder / "metrics.jsonl", plan.steps, read)
    for step in range(done, plan.steps):
        batch = sequences.collate(next(batches), END_OF_TEXT_ID)
        loss = loss_of(batch.ids.to(device), batch.weighed.to(device))
        loss.backward()  # type: ignore[no-untyped-call]
        norm = weights.step(rate_factor(step, plan.steps, plan.warm_up, plan.cool_down))
        progress.took(step + 1, float(loss.detach()), norm, batch.tokens)
        if (step + 1) % TELL_EVERY == 0:
            tell(step + 1, plan.steps)
        if (step + 1) % plan.save_every == 0 or step + 1 == plan.steps:
            _save(folder / "checkpoint.pt", weights, step + 1)


def _resume(path: Path, weights: MasterWeights) -> int:
    import torch

    if not path.exists():
        return 0
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    weights.load_state_dict(state["weights"])
    return int(state["step"])


def _save(path: Path, weights: MasterWeights, step: int) -> None:
    import torch

    unfinished = path.with_suffix(".part")
    torch.save({"weights": weights.state_dict(), "step": step}, unfinished)
    unfinished.replace(path)


class _Progress:
    """One JSON line every `LOG_EVERY` steps. Tokens are of the whole run and leave padding out; seconds are of this
    process, so a resumed run starts again at zero."""

    def __init__(self, path: Path, steps: int, tokens: int) -> None:
        self._path, self._steps = path, steps
        self._losses: list[float] = []
        self._tokens = tokens
        self._wall, self._cpu = time.monotonic(), time.process_time()

    def took(self, step: int, loss: float, norm: float, tokens: int) -> None:
        self._losses.append(loss)
        self._tokens += tokens
        if step % LOG_EVERY and step != self._steps:
            return
        line = {
            "step": step,
            "steps": self._steps,
            "loss": round(sum(self._losses) / len(self._losses), 4),
            "grad_norm": round(norm, 3),
            "tokens": self._tokens,
            "wall_s": round(time.monotonic() - self._wall, 1),
            "cpu_s": round(time.process_time() - self._cpu, 1),
        }
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        self._losses.clear()
