"""`manage.py distill SPEC.yaml`: a distillation in the terminal, the same rows as from the browser.

With workers running it only starts and watches; without, it works itself. Stopped or killed, the same command goes on.
"""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.utils.timezone import now
from rich.console import Console
from rich.table import Table

from solver.campaigns import lifecycle as campaigns
from solver.campaigns.local_workers import LocalWorkers
from training.distillation import lifecycle, report
from training.distillation.harvest import harvest, imported_runs
from training.distillation.models import Distillation
from training.distillation.spec import DistillationSpec
from training.spec_text import BadJob, read_yaml
from trajectories.models import Worker
from trajectories.terminal_files import read_text

LOOK_S = 0.5
ALIVE = timedelta(seconds=30)


class Command(BaseCommand):
    help = "Distil training pairs from a teacher, or from imported trajectories, as a YAML file says. Exit status 2 on bad use."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("spec", type=Path, help="the YAML file; docs/how-to/distil.md describes it")
        parser.add_argument("--dry-run", action="store_true", help="say what would run, start nothing")
        parser.add_argument(
            "--new", action="store_true", help="start anew even if this spec has an unfinished job"
        )
        parser.add_argument(
            "--threads", type=int, default=4, help="runs at once when this command works itself (4)"
        )
        parser.add_argument(
            "--here", action="store_true", help="work in this process even if workers are running"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        spec = self._spec(options["spec"])
        here = options["here"] or not Worker.objects.filter(kind="infer", beat_at__gt=now() - ALIVE).exists()
        try:
            if options["dry_run"]:
                self._say(spec)
                return
            job = self._job(spec, options["new"], here)
        except BadJob as error:
            raise CommandError(_listed(options["spec"], error), returncode=2) from None
        self._work(job, options["threads"] if here else 0)
        _print(job)

    def _spec(self, path: Path) -> DistillationSpec:
        try:
            return read_yaml(DistillationSpec, read_text(path))
        except BadJob as error:
            raise CommandError(_listed(path, error), returncode=2) from None

    def _say(self, spec: DistillationSpec) -> None:
        made = lifecycle.planned(spec)
        if made is None:
            found = imported_runs(spec)
            passed = found.filter(verdict="AC").count()
            self.stdout.write(
                f"It would look at {found.count():,} imported trajectories, {passed:,} of which pass, and run nothing."
            )
            return
        self.stdout.write(f"{made.runs} runs, at most {made.most_calls:,} model calls")
        for warning in made.warnings:
            self.stdout.write(f"  note: {warning}")

    def _job(self, spec: DistillationSpec, anew: bool, here: bool) -> Distillation:
        """The job of exactly this spec that has not finished, gone on with, or a new one. A job on imported
        trajectories never finishes: there may be more of them next time."""
        known = Distillation.objects.filter(spec_digest=spec.digest())
        open_job = known.exclude(campaign__status="finished").order_by("-pk").first()
        if open_job is not None and not anew:
            self.stdout.write(f"Going on with distillation {open_job.pk}; --new starts another one.")
            if open_job.campaign_id is not None:
                campaigns.resume(open_job.campaign_id, publish_to_workers=not here)
            return open_job
        job = lifecycle.start(spec, created_by="terminal", publish_to_workers=not here)
        self.stdout.write(f"Distillation {job.pk} started: /distillation/{job.pk}/")
        return job

    def _work(self, job: Distillation, threads: int) -> None:
        workers = LocalWorkers(job.campaign_id, threads) if threads and job.campaign_id else None
        if workers:
            workers.start()
        try:
            while (workers and workers.alive()) or (not workers and report.undone(job)):
                harvest(job)
                time.sleep(LOOK_S)
        except KeyboardInterrupt:
            if workers:
                workers.stop()
            self.stderr.write(f"Stopped; the same command goes on with distillation {job.pk}.")
            sys.exit(130)
        while harvest(job):
            pass


def _listed(path: Path, error: BadJob) -> str:
    return "\n".join([f"{path} cannot be run:", *(f"  {fault}" for fault in error.faults)])


def _print(job: Distillation) -> None:
    found = report.build(job)
    table = Table(title=f"Distillation {job.pk}: {job.name}", box=None)
    for heading in (
        "Agent",
        "runs that gave a pair",
        "of",
        "95 %",
        "examples",
        "most often left out because",
    ):
        table.add_column(heading)
    for role in found.roles:
        why = role.why.most_common(1)
        table.add_row(
            *(role.role, str(role.runs), str(role.looked)),
            f"{role.rate.low:.0%} to {role.rate.high:.0%}",
            str(len(role.examples)),
            f"{why[0][0]} ({why[0][1]})" if why else "",
        )
    console = Console()
    console.print(table)
    for cell in found.cells:
        console.print(f"{cell.cell}: {cell.passed} of {cell.runs} runs passed all hidden tests")
    if found.spent:
        console.print(f"{found.spent['calls']:,.0f} calls, {found.spent['tokens']:,.0f} tokens")
