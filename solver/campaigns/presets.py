"""Campaigns one starts often, as specs to begin from. Each is a function of the engine at hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# R, D, P, C in the order in which the paper adds its adapters (MapCoder-Lite, section 5.3).
ADAPTER_STEPS: tuple[Any, ...] = (
    "none",
    ["retrieval"],
    ["retrieval", "debugging"],
    ["retrieval", "debugging", "planning"],
    "all",
)
STEP_LABELS = ("none", "R", "R+D", "R+D+P", "all four")


@dataclass(frozen=True, slots=True)
class Preset:
    key: str
    title: str
    summary: str
    make: Callable[[str], dict[str, Any]]

    def data(self, engine: str) -> dict[str, Any]:
        return {
            "name": self.title,
            "problems": {"limit": 60, "sample_seed": 1},
            "models": [{"engine": engine}],
            **self.make(engine),
        }


# Training and constrained decoding both mend formats; each is measured without and with the other.
DECODING = (
    ("none", False, "base"),
    ("none", True, "base, constrained"),
    ("all", False, "adapters"),
    ("all", True, "adapters, constrained"),
)


def adapter_models(engine: str) -> list[dict[str, Any]]:
    return [
        {"engine": engine, "adapters": adapters, "label": label}
        for adapters, label in zip(ADAPTER_STEPS, STEP_LABELS, strict=True)
    ]


PRESETS = (
    Preset(
        "versus-direct",
        "MapCoder against one call",
        "Does the team of agents earn its tokens? Direct prompting is the first column.",
        lambda engine: {"strategies": [{"name": "direct"}, {"name": "mapcoder"}]},
    ),
    Preset(
        "ablation",
        "Adapters one by one",
        "The paper's ablation: no adapter, then retrieval, debugging, planning and coding added in turn.",
        lambda engine: {"strategies": [{"name": "mapcoder"}], "models": adapter_models(engine)},
    ),
    Preset(
        "decoding",
        "Adapters against constrained decoding",
        "Base and adapters, each decoded freely and held to the answer grammars: what does training give beyond form?",
        lambda engine: {
            "strategies": [{"name": "mapcoder"}],
            "models": [
                {"engine": engine, "adapters": adapters, "constrained": constrained, "label": label}
                for adapters, constrained, label in DECODING
            ],
        },
    ),
    Preset(
        "profiles",
        "Lab against upstream",
        "The mended control flow beside the published one, call by call as released.",
        lambda engine: {
            "strategies": [
                {"name": "mapcoder", "params": {"profile": profile}, "label": profile}
                for profile in ("upstream", "lab")
            ]
        },
    ),
    Preset(
        "all-strategies",
        "Every strategy",
        "One column a strategy on the same problems.",
        lambda engine: {
            "strategies": [
                {"name": name}
                for name in (
                    "direct",
                    "cot",
                    "self_planning",
                    "analogical",
                    "reflexion",
                    "codesim",
                    "mapcoder",
                )
            ]
        },
    ),
    Preset(
        "pass-at-5",
        "pass@5",
        "Five independent runs of each problem. The engine must sample: a temperature above 0.",
        lambda engine: {"strategies": [{"name": "direct"}, {"name": "mapcoder"}], "seeds": [0, 1, 2, 3, 4]},
    ),
)
BY_KEY = {preset.key: preset for preset in PRESETS}
