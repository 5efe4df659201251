"""The whole method over one or more seeds, and the table of it: what `manage.py reproduce` runs and keeps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from micro import expectation, table
from micro.artefact import other_seeds, read_arms
from micro.engine_spec import LABEL
from micro.recipe import Recipe, one_thread, write_json
from micro.scale import Scale

REPORT = "reproduction.json"


def reproduce(
    scale: Scale, seeds: int, out: Path, device: str, *, controls: bool = True, workers: int = 1
) -> dict[str, Any]:
    """Run or resume seeds 1 to `seeds`, at most `workers` processes at a time; the report is written to `out` and
    returned."""
    out.mkdir(parents=True, exist_ok=True)
    _refuse_another_recipe(scale, out)
    one_thread()
    recipes = [
        Recipe(scale.with_seed(seed), out, controls=controls, device=device, workers=workers)
        for seed in range(1, seeds + 1)
    ]
    for number, recipe in enumerate(recipes):
        stages = [name for name in recipe.stages if name != "artefact"]
        recipe.run(stages, others=[] if number else recipes[1:])
    first = Recipe(scale, out, controls=controls, device=device)
    if "artefact" in first.stages:
        first.run(["artefact"])
    found = report(scale, out)
    write_json(out / REPORT, found)
    return found


class AnotherRecipe(ValueError):
    """The folder holds what another recipe made; mixing the two would measure neither."""


def _refuse_another_recipe(scale: Scale, out: Path) -> None:
    card, own = out / "scale.json", scale.as_json()
    if not card.exists():
        write_json(card, own)
    elif json.loads(card.read_text(encoding="utf-8")) != own:
        raise AnotherRecipe(
            f"{out} holds the work of another recipe (see {card}): give another --out, or remove that folder."
        )


def report(scale: Scale, out: Path) -> dict[str, Any]:
    seeds = {1: read_arms(out), **{n: read_arms(path) for n, path in other_seeds(out).items()}}
    rows = table.rows(list(seeds.values()))
    return {
        "label": LABEL,
        "scale": scale.as_json(),
        "seeds": list(seeds),
        "table": rows,
        "findings": [{"said": said, "holds": holds} for said, holds in table.findings(rows)],
        "expected": [
            {"said": said, "holds": holds} for said, holds in expectation.check(scale.name, rows, list(seeds))
        ],
        "solved": {arm["arm"]: arm["bits"]["pass_at_1"] for arm in seeds[1]},
    }
