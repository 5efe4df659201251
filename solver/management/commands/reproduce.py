"""`manage.py reproduce`: the micro model's whole recipe, the table of it, and the ablation as a campaign to look at."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, BooleanOptionalAction
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from rich.console import Console
from rich.table import Table

from micro import table
from micro.crew import usual_workers
from micro.recipe import Recipe
from micro.reproduction import AnotherRecipe, reproduce
from micro.scale import SCALES
from solver.campaigns import lifecycle, reproduction
from solver.campaigns.local_workers import LocalWorkers
from solver.campaigns.models import Campaign
from trajectories.terminal_files import require_writable

CAMPAIGN_PROBLEMS = {"full": 60, "ci": 24, "smoke": 6}
THREADS = 16
LEAST_WIDTH = 150  # a table in a file or a narrow window is still one line a row
NOTE = (
    "Micro model, synthetic family: the numbers are about this family alone. The recipe's own table, on {n} held-out "
    "problems: {figures}. {file} holds all of it."
)


class Command(BaseCommand):
    help = (
        "Make the micro model from nothing (or go on where it stopped), and print the table of the method on it. Exit "
        "status 0 when the table is as expected at this scale, 1 when not, 2 on bad use."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--scale", choices=sorted(SCALES), default="ci", help="how large (ci)")
        parser.add_argument(
            "--seeds", type=int, default=1, help="seeds 1 to this number, one after another (1)"
        )
        parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="what computes (cpu)")
        parser.add_argument(
            "--workers", type=int, default=usual_workers(), help="processes at a time (one a core, at most 4)"
        )
        parser.add_argument("--out", type=Path, help="folder to work in (MCL_VAR/micro/SCALE)")
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the table as JSON")
        parser.add_argument(
            "--controls",
            action=BooleanOptionalAction,
            help="also the shared adapter, the adapters without the supervisor and constrained decoding (at full alone)",
        )
        parser.add_argument(
            "--no-campaign", action="store_true", help="do not repeat the ablation as runs of the lab"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        require_writable(options["json"])
        if not 1 <= options["seeds"] <= 20:
            raise CommandError("--seeds must be from 1 to 20.", returncode=2)
        if options["workers"] < 1:
            raise CommandError("--workers must be at least 1.", returncode=2)
        _require_device(options["device"])
        if not options["no_campaign"]:  # at the end its tables would be missed after an hour's work
            call_command("migrate", verbosity=0, interactive=False)
        scale = SCALES[options["scale"]]
        out: Path = options["out"] or settings.VAR_DIR / "micro" / scale.name
        try:
            found = reproduce(
                scale,
                options["seeds"],
                out,
                options["device"],
                controls=scale.name == "full" if options["controls"] is None else options["controls"],
                workers=options["workers"],
            )
        except AnotherRecipe as error:
            raise CommandError(str(error), returncode=2) from None
        except KeyboardInterrupt:
            self.stderr.write(f"Stopped; the same command goes on from what stands in {out}.")
            sys.exit(130)
        _print(found)
        if options["json"]:
            text = json.dumps(found, indent=1, ensure_ascii=False)
            options["json"].write_text(text + "\n", encoding="utf-8")
        if not options["no_campaign"]:
            self._campaign(Recipe(scale, out, device=options["device"]), found, out)
        unexpected = [expected["said"] for expected in found["expected"] if not expected["holds"]]
        for sentence in unexpected:
            self.stderr.write(f"not as expected: {sentence}")
        if unexpected:
            sys.exit(1)
        self.stdout.write(f"All {len(found['expected'])} expectations of scale {scale.name} hold.")

    def _campaign(self, recipe: Recipe, found: dict[str, Any], out: Path) -> None:
        rows = {row["arm"]: row["pass_at_1"] for row in found["table"]}
        figures = ", ".join(f"{name} {table.interval(rows[name])}" for name in table.ABLATION)
        note = NOTE.format(n=rows[table.BASE]["n"], figures=figures, file=out / "reproduction.json")
        campaign = reproduction.start(recipe, CAMPAIGN_PROBLEMS[recipe.scale.name], [note])
        self.stdout.write(f"The ablation as runs of the lab: campaign {campaign.pk} ...")
        if not _work(campaign):
            self.stderr.write(f"Stopped; go on with campaign {campaign.pk} in the browser.")
            sys.exit(130)
        same, total = reproduction.agreement(campaign, found["solved"])
        self.stdout.write(
            f"{same} of {total} runs came to the recipe's verdict. Charts and every run: /campaigns/{campaign.pk}/"
        )


def _require_device(device: str) -> None:
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise CommandError(
            "There is no CUDA device that torch can use here; take --device cpu.", returncode=2
        )


def _work(campaign: Campaign) -> bool:
    workers = LocalWorkers(campaign.pk, THREADS)
    workers.start()
    try:
        while not workers.wait(1.0):
            pass
    except KeyboardInterrupt:
        workers.stop()
        lifecycle.pause(campaign.pk)
        return False
    return True


def _print(found: dict[str, Any]) -> None:
    console = Console()
    console = Console(width=max(console.width, LEAST_WIDTH))
    count = found["table"][0]["pass_at_1"]["n"] if found["table"] else 0
    seeds = found["seeds"]
    told = "1 seed" if len(seeds) == 1 else f"{len(seeds)} seeds over one base"
    shown = Table(title=f"{found['label']}: {count} held-out problems, {told}; percentages", box=None)
    for number, heading in enumerate(table.COLUMNS):
        shown.add_column(heading, justify="right" if number else "left")
    for row in found["table"]:
        shown.add_row(*table.cells(row))
    console.print(shown)
    for finding in found["findings"]:
        console.print(f"{'yes' if finding['holds'] else 'NO '}  {finding['said']}", markup=False)
