"""The reproduction's adapters in the lab itself: the ablation as a campaign of real runs on the first held-out problems.

The recipe measures every arm on all held-out problems with the lab's strategy and judge, but without rows. Here the same
weights answer as an engine of the lab, so that charts, paired tests and every single run can be looked at; `agreement`
says whether both ways came to the same verdicts.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from micro import engine_spec
from micro.evaluation import evaluation_records
from micro.recipe import Recipe
from solver import engine_book
from solver.campaigns import lifecycle
from solver.campaigns.models import Campaign, CampaignRun, SlotState
from solver.campaigns.presets import ADAPTER_STEPS, STEP_LABELS
from solver.campaigns.spec import read_data
from solver.engines.spec import EngineSpec
from solver.models import Engine
from trajectories.agents import AGENTS
from trajectories.importers.normalised import convert
from trajectories.importers.row import Row
from trajectories.problems import store

AT_ONCE = 16
# The arms of the recipe's table that the cells of the campaign repeat, in the order of `ADAPTER_STEPS`.
ARMS = dict(zip(STEP_LABELS, ("base", "+ retrieval", "R+D", "R+D+P", "all four"), strict=True))


def start(recipe: Recipe, problems: int, notes: list[str]) -> Campaign:
    """A campaign on the first `problems` of the evaluation. `notes` are shown above its report."""
    records = evaluation_records(problems, recipe.scale.longest_chain)
    stored = [store(convert(Row(record)))[0] for record in records]
    engine = configure(recipe)
    spec = read_data(
        {
            "name": f"Micro reproduction, scale {recipe.scale.name}",
            "problems": {"ids": [problem.external_id for problem in stored]},
            "strategies": [{"name": "mapcoder", "params": engine_book.usual_params(engine)}],
            "models": [
                {"engine": engine.name, "adapters": adapters, "label": label}
                for adapters, label in zip(ADAPTER_STEPS, STEP_LABELS, strict=True)
            ],
            "at_once": AT_ONCE,
        }
    )
    campaign = lifecycle.start(spec, created_by="reproduce", publish_to_workers=False)
    campaign.warnings = [*notes, *campaign.warnings]
    campaign.save(update_fields=["warnings"])
    return campaign


def configure(recipe: Recipe) -> EngineSpec:
    """The reproduced weights as an engine of this lab, beside the shipped one; made anew, it replaces the former."""
    name = f"micro-{recipe.scale.name}"
    adapters = {agent: (recipe.adapters / agent).resolve() for agent in AGENTS}
    label = f"{engine_spec.LABEL}; reproduced at scale {recipe.scale.name}"
    entry = engine_spec.entry(name, label, recipe.base.resolve(), adapters)
    spec = EngineSpec.parse(entry, Path.cwd())
    data = spec.model_dump(mode="json", exclude_defaults=True)
    Engine.objects.update_or_create(name=name, defaults={"spec": data})
    return spec


def agreement(campaign: Campaign, solved: Mapping[str, str]) -> tuple[int, int]:
    """Of how many measured runs (second) the verdict is the recipe's (first). `solved`: arm -> one bit a problem."""
    slots = CampaignRun.objects.filter(campaign=campaign, state=SlotState.MEASURED)
    same = total = 0
    for cell, external_id, verdict in slots.values_list(
        "cell__name", "entry__problem__external_id", "run__verdict"
    ):
        bits = solved[ARMS[cell]]
        total += 1
        same += (bits[number_of(external_id) - 1] == "1") == (verdict == "AC")
    return same, total


def number_of(external_id: str) -> int:
    return int(external_id.rpartition("-")[2])
