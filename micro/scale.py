"""The two sizes of the recipe. `full` is what ships; `ci` shows the same effect in minutes."""

from __future__ import annotations

from dataclasses import dataclass

from micro.learning import Plan
from micro.network import Shape
from micro.optimiser import Rates


@dataclass(frozen=True)
class Scale:
    """Every number that decides what the recipe makes. `pretraining_documents` is more than the steps can use once."""

    name: str
    shape: Shape
    tokenizer_documents: int
    pretraining_documents: int
    pretraining: Plan
    teacher_problems: int
    student_problems: int
    adapters: Plan
    rank: int
    evaluation_problems: int
    longest_sequence: int = 640

    @property
    def alpha(self) -> int:
        return 2 * self.rank


FULL = Scale(
    name="full",
    shape=Shape(hidden=256, layers=4, heads=4, kv_heads=2, feed_forward=768, vocabulary=1280),
    tokenizer_documents=20_000,
    pretraining_documents=60_000,
    pretraining=Plan(
        steps=1600,
        tokens_a_step=4096,
        rates=Rates(weights=3e-3, matrices=6e-3),
        warm_up=40,
        seed=1,
    ),
    teacher_problems=4000,
    student_problems=800,
    adapters=Plan(
        steps=240, tokens_a_step=3072, rates=Rates(weights=2e-3), warm_up=20, seed=2, save_every=50
    ),
    rank=16,
    evaluation_problems=400,
)

CI = Scale(
    name="ci",
    shape=Shape(hidden=128, layers=3, heads=2, kv_heads=1, feed_forward=384, vocabulary=1280),
    tokenizer_documents=4000,
    pretraining_documents=12_000,
    pretraining=Plan(
        steps=400,
        tokens_a_step=3072,
        rates=Rates(weights=3e-3, matrices=6e-3),
        warm_up=20,
        seed=1,
    ),
    teacher_problems=300,
    student_problems=150,
    adapters=Plan(steps=50, tokens_a_step=2048, rates=Rates(weights=3e-3), warm_up=5, seed=2, save_every=50),
    rank=8,
    evaluation_problems=60,
)

SCALES = {scale.name: scale for scale in (FULL, CI)}
