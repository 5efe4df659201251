"""The sizes of the recipe: `full` is what ships, `ci` shows the same effect in minutes, `smoke` goes through the stages
after the base in about a minute, on the base that ships."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from micro.learning import Plan
from micro.network import Shape
from micro.optimiser import Rates
from micro.problem import MAX_TRANSFORMS


@dataclass(frozen=True)
class Scale:
    """Every number that decides what the recipe makes. `pretraining_documents` is more than the steps can use once.

    Another `seed` shares the base and draws everything after it anew: the problems of teacher and student, the adapters.
    """

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
    seed: int = 1
    longest_chain: int = MAX_TRANSFORMS  # transforms of the longest problem, in training and evaluation
    shipped_base: bool = False  # begin with the base that ships instead of training one

    @property
    def alpha(self) -> int:
        return 2 * self.rank

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def series(self, name: str) -> str:
        """The name of a random series of this seed."""
        return name if self.seed == 1 else f"{name}, seed {self.seed}"

    def with_seed(self, seed: int) -> Scale:
        apart = 100 * (seed - self.seed)
        return replace(
            self,
            seed=seed,
            adapters=replace(self.adapters, seed=self.adapters.seed + apart),
        )


FULL = Scale(
    name="full",
    shape=Shape(hidden=256, layers=6, heads=4, kv_heads=2, feed_forward=384, vocabulary=1280),
    tokenizer_documents=20_000,
    pretraining_documents=150_000,
    pretraining=Plan(
        steps=4000,
        tokens_a_step=4096,
        rates=Rates(weights=3e-3, matrices=5e-3),
        warm_up=40,
        cool_down=1900,
        seed=1,
    ),
    teacher_problems=4000,
    student_problems=800,
    adapters=Plan(
        steps=300,
        tokens_a_step=3072,
        rates=Rates(weights=2e-3),
        warm_up=20,
        cool_down=300,
        seed=2,
        save_every=50,
    ),
    rank=16,
    evaluation_problems=400,
)

CI = Scale(
    name="ci",
    shape=Shape(hidden=128, layers=4, heads=2, kv_heads=1, feed_forward=256, vocabulary=1024),
    tokenizer_documents=4000,
    pretraining_documents=20_000,
    pretraining=Plan(
        steps=900,
        tokens_a_step=2048,
        rates=Rates(weights=4e-3, matrices=8e-3),
        warm_up=20,
        cool_down=450,
        seed=1,
    ),
    teacher_problems=600,
    student_problems=160,
    adapters=Plan(
        steps=120,
        tokens_a_step=1536,
        rates=Rates(weights=3e-3),
        warm_up=5,
        cool_down=120,
        seed=2,
        save_every=50,
    ),
    rank=16,
    evaluation_problems=80,
    longest_chain=1,
)

SMOKE = replace(
    FULL,
    name="smoke",
    shipped_base=True,
    teacher_problems=80,
    student_problems=24,
    adapters=Plan(steps=20, tokens_a_step=2048, rates=Rates(weights=4e-3), warm_up=3, cool_down=20, seed=2),
    rank=8,
    evaluation_problems=32,
)

SCALES = {scale.name: scale for scale in (FULL, CI, SMOKE)}
