"""What differs between a branch and its parent, as the recorder reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from solver.engines.protocol import Sampling
from trajectories.models import Run

Kind = Literal["edit", "feedback", "models", "engine", "again"]
DRAW_STRIDE = 1_000_003  # a prime far above any step number: draws of one change never share a step's seed


@dataclass(frozen=True, slots=True)
class Change:
    """What differs at step `at`.

    `edit`: the answer is `text`, nobody is asked. `feedback`: the agent is asked again with `text` added to its prompt.
    `models`: from there on the roles in `models` are served by these models. `engine`: that step alone is answered by
    another engine, named in `engine`, which may also be asked with a `feedback`. `again`: nothing but the draw.
    `temperature` and `draw` serve repeated replays: with the parent's greedy decoding every replay of an edit would be
    the same one.
    """

    at: int
    kind: Kind
    text: str = ""
    models: Mapping[str, str] = field(default_factory=dict)
    temperature: float | None = None
    draw: int = 0
    actor: str = ""
    engine: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "at": self.at,
            "kind": self.kind,
            "text": self.text,
            "models": dict(self.models),
            "temperature": self.temperature,
            "draw": self.draw,
            "actor": self.actor,
            "engine": self.engine,
        }

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Change:
        """Of a file, which may say anything. Raises ValueError with the first thing that is wrong."""
        try:
            cls(**data)  # knows which fields there are
            change = _FORM.validate_json(json.dumps(data), strict=True)
        except TypeError as error:
            raise ValueError(str(error)) from None
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
        if not 0 < change.at < 2**31:
            raise ValueError("at: no step has this number")
        return change

    @classmethod
    def of(cls, run: Run) -> Change | None:
        """The change that made this run, None where it is nobody's branch."""
        return cls(**run.branch) if run.branch else None

    def feedback_for(self, step: int) -> str:
        return self.text if self.kind == "feedback" and step == self.at else ""

    def edit_for(self, step: int) -> str | None:
        return self.text if self.kind == "edit" and step == self.at else None

    @property
    def drawn(self) -> tuple[float | None, int]:
        """What tells one replay of this change from another."""
        return self.temperature, self.draw

    @property
    def needs_text(self) -> bool:
        return self.kind in ("edit", "feedback")

    def guest_at(self, step: int) -> bool:
        """Whether another engine than the run's own answers this step."""
        return bool(self.engine) and step == self.at

    def model_for(self, step: int, role: str) -> str | None:
        return self.models.get(role) if step >= self.at else None

    def sampling_for(self, step: int, usual: Sampling) -> Sampling:
        """The parent's decoding before the step; from there on this draw's."""
        if step < self.at:
            return usual
        temperature = usual.temperature if self.temperature is None else self.temperature
        seed = None if usual.seed is None else usual.seed + self.draw * DRAW_STRIDE
        return replace(usual, temperature=temperature, seed=seed)


_FORM = TypeAdapter(Change)
