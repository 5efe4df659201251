"""`manage.py evaluate SPEC.yaml`: a campaign in the terminal, the same rows and report as from the browser.

With workers running it only starts and watches; without, it works itself. Interrupted, killed or started twice, the next
call with the same file goes on where the campaign stands.
"""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.utils.timezone import now
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table

from solver.campaigns import charts, export, lifecycle, progress, report
from solver.campaigns.local_workers import LocalWorkers
from solver.campaigns.models import Campaign, CampaignStatus
from solver.campaigns.plan import Plan, plan
from solver.campaigns.spec import BadCampaign, CampaignSpec, read_yaml
from trajectories.models import Worker
from trajectories.terminal_files import read_text, require_writable

ALIVE = timedelta(seconds=30)
LOOK_S = 0.5


class Command(BaseCommand):
    help = "Run a campaign from a YAML file and print its report. Exit status 0 when every run was measured, 1 when not, 2 on bad use."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("spec", type=Path, help="the YAML file; docs/how-to/campaigns.md describes it")
        parser.add_argument("--dry-run", action="store_true", help="say what would run, start nothing")
        parser.add_argument(
            "--new", action="store_true", help="start anew even if this spec has an unfinished campaign"
        )
        parser.add_argument(
            "--threads", type=int, default=4, help="runs at once when this command works itself (4)"
        )
        parser.add_argument(
            "--here", action="store_true", help="work in this process even if workers are running"
        )
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        require_writable(options["json"])
        spec = self._spec(options["spec"])
        if not 1 <= options["threads"] <= 256:
            raise CommandError("--threads must be from 1 to 256.", returncode=2)
        if options["dry_run"]:
            self._say(_planned(spec))
            return
        here = options["here"] or not _workers_alive()
        campaign = self._campaign(spec, options["new"], here)
        self._work(campaign, options["threads"] if here else 0)
        campaign.refresh_from_db()
        found = report.build(campaign)
        _print(found)
        if options["json"]:
            text = json.dumps(export.report_dict(found), indent=1, ensure_ascii=False)
            options["json"].write_text(text + "\n", encoding="utf-8")
        if campaign.message:
            self.stderr.write(campaign.message)
        if campaign.status != CampaignStatus.FINISHED or any(cell.left_out for cell in found.cells):
            sys.exit(1)

    def _spec(self, path: Path) -> CampaignSpec:
        try:
            return read_yaml(read_text(path))
        except BadCampaign as error:
            raise CommandError(_listed(path, error), returncode=2) from None

    def _campaign(self, spec: CampaignSpec, anew: bool, here: bool) -> Campaign:
        """The unfinished campaign of exactly this spec, gone on with, or a new one."""
        unfinished = Campaign.objects.filter(spec_digest=spec.digest()).exclude(
            status=CampaignStatus.FINISHED
        )
        known = None if anew else unfinished.order_by("-pk").first()
        if known is not None:
            self.stdout.write(f"Going on with campaign {known.pk}; --new starts another one.")
            lifecycle.resume(known.pk, publish_to_workers=not here)
            return known
        try:
            campaign = lifecycle.start(spec, created_by="terminal", publish_to_workers=not here)
        except BadCampaign as error:
            raise CommandError(_listed(Path("the spec"), error), returncode=2) from None
        self.stdout.write(f"Campaign {campaign.pk} started: /campaigns/{campaign.pk}/")
        return campaign

    def _work(self, campaign: Campaign, threads: int) -> None:
        workers = LocalWorkers(campaign.pk, threads)
        workers.start()
        try:
            _watch(campaign, workers if threads else None)
        except KeyboardInterrupt:
            if threads:
                workers.stop()
            self.stderr.write(f"Stopped; the same command goes on with campaign {campaign.pk}.")
            sys.exit(130)

    def _say(self, made: Plan) -> None:
        spec = made.spec
        self.stdout.write(
            f"{made.runs} runs: {len(made.cells)} cells x {len(made.selection.chosen)} problems x {len(spec.seeds)} seeds; "
            f"at most {made.most_calls:,} model calls"
        )
        for source, count in made.sources:
            self.stdout.write(f"  {count} problems of {source}")
        for cell in made.cells:
            self.stdout.write(f"  cell {cell.name}: at most {cell.calls} calls a run")
        for warning in made.warnings:
            self.stdout.write(f"  note: {warning}")


def _planned(spec: CampaignSpec) -> Plan:
    try:
        return plan(spec)
    except BadCampaign as error:
        raise CommandError(_listed(Path("the spec"), error), returncode=2) from None


def _listed(path: Path, error: BadCampaign) -> str:
    return "\n".join([f"{path} cannot be run:", *(f"  {fault}" for fault in error.faults)])


def _workers_alive() -> bool:
    return Worker.objects.filter(kind="infer", beat_at__gt=now() - ALIVE).exists()


def _watch(campaign: Campaign, workers: LocalWorkers | None) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(campaign.name[:40])
        while not _over(campaign, workers):
            _show(bar, task, campaign)
            time.sleep(LOOK_S)
        _show(bar, task, campaign)


def _over(campaign: Campaign, workers: LocalWorkers | None) -> bool:
    if workers is not None and workers.alive():
        return False
    campaign.refresh_from_db(fields=["status"])
    return campaign.status != CampaignStatus.RUNNING or workers is not None


def _show(bar: Bar, task: TaskID, campaign: Campaign) -> None:
    found = progress.read(campaign)
    minutes = "" if found.eta.seconds is None else f", about {found.eta.seconds / 60:.0f} min left"
    said = f"{campaign.name[:40]}: {found.solved} solved, {found.running} running{minutes}"
    bar.update(task, total=found.places, completed=found.settled, description=said)


def _print(found: report.Report) -> None:
    console = Console()
    table = Table(title=f"Campaign {found.campaign.pk}: {found.campaign.name}", box=None)
    table.add_column("Cell", ratio=1)
    for heading in (
        "n",
        "pass@1, 95 %",
        "first program",
        "after debugging",
        "format failures",
        "calls",
        "tokens",
        "p",
    ):
        table.add_column(heading, justify="right", no_wrap=heading == "pass@1, 95 %")
    against = {row.cell.pk: row for row in found.against}
    for cell in found.cells:
        row = against.get(cell.cell.pk)
        table.add_row(
            *(cell.cell.name, str(cell.problems), charts.words(cell.pass_at_1)),
            *(f"{cell.first_try.value:.1%}", f"{cell.repaired.value:.1%}"),
            str(cell.format_failures),
            *(f"{cell.calls.value:.1f}", f"{cell.tokens.value:,.0f}"),
            f"{row.comparison.test.p:.3f}" if row else "",
        )
    console.print(table)
    for note in found.notes:
        console.print(f"note: {note}", markup=False)
