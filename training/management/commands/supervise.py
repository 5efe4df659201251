"""`manage.py supervise SPEC.yaml`: a supervision in the terminal, the same rows as from the browser.

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

from solver import runs
from solver.tasks import worker_name
from training.spec_text import BadJob, read_yaml
from training.supervision import lifecycle, report
from training.supervision.models import Supervision, SupervisionCase, SupervisionStatus
from training.supervision.spec import SupervisionSpec
from training.supervision.work import work
from trajectories.models import Run, Worker
from trajectories.terminal_files import read_text

LOOK_S = 0.5
ALIVE = timedelta(seconds=30)


class Command(BaseCommand):
    help = "Supervise failed runs as a YAML file says. Exit status 2 on bad use, 1 if the job had to pause."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("spec", type=Path, help="the YAML file; docs/how-to/distil.md describes it")
        parser.add_argument("--dry-run", action="store_true", help="say what would be supervised")
        parser.add_argument("--new", action="store_true", help="start anew even if this spec has an open job")
        parser.add_argument(
            "--here", action="store_true", help="work in this process even if workers are running"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["spec"]
        try:
            spec = read_yaml(SupervisionSpec, read_text(path))
            if options["dry_run"]:
                self._say(spec)
                return
            job = self._job(spec, options["new"])
        except BadJob as error:
            lines = [f"{path} cannot be run:", *(f"  {fault}" for fault in error.faults)]
            raise CommandError("\n".join(lines), returncode=2) from None
        here = options["here"] or not Worker.objects.filter(kind="infer", beat_at__gt=now() - ALIVE).exists()
        try:
            _follow(job, here)
        except KeyboardInterrupt:
            self.stderr.write(f"Stopped; the same command goes on with supervision {job.pk}.")
            sys.exit(130)
        _print(job)
        if job.status == SupervisionStatus.PAUSED:
            raise CommandError(f"The job is paused: {job.message}", returncode=1)

    def _say(self, spec: SupervisionSpec) -> None:
        found = len(lifecycle.check(spec))
        calls = found * spec.votes
        self.stdout.write(
            f"{found} failed runs, {calls:,} votes, at most {found * spec.rounds * spec.draws:,} revisions"
        )

    def _job(self, spec: SupervisionSpec, anew: bool) -> Supervision:
        known = Supervision.objects.filter(spec_digest=spec.digest()).exclude(status="finished").first()
        if known is not None and not anew:
            self.stdout.write(f"Going on with supervision {known.pk}; --new starts another one.")
            lifecycle.resume(known.pk)
            return known
        job = lifecycle.start(spec, created_by="terminal")
        self.stdout.write(f"Supervision {job.pk} started: /supervision/{job.pk}/")
        return job


def _follow(job: Supervision, here: bool) -> None:
    """Until the job has ended or paused; `here`: also do what workers would."""
    while job.status == SupervisionStatus.RUNNING:
        done = _work(job) if here else False
        if not done:
            time.sleep(LOOK_S)
        job.refresh_from_db()


def _work(job: Supervision) -> bool:
    """Ready cases, and the branches they wait for; True if anything was done."""
    done = [work(pk, worker_name(), publish_to_workers=False) for pk in lifecycle.workable(job.pk)]
    mine = SupervisionCase.objects.filter(supervision=job).values("branch")
    branches = list(Run.objects.filter(pk__in=mine).claimable().values_list("pk", flat=True))
    return any([*done, *[runs.execute(pk, worker_name()) for pk in branches]])


def _print(job: Supervision) -> None:
    found = report.build(job)
    table = Table(title=f"Supervision {job.pk}: {job.name}", box=None)
    for heading in ("Agent", "blamed first", "revised", "passed", "95 %", "examples"):
        table.add_column(heading)
    for one in found.agents:
        interval = f"{one.rate.low:.0%} to {one.rate.high:.0%}" if one.tried else ""
        numbers = (one.blamed, one.tried, one.passed)
        table.add_row(one.agent, *map(str, numbers), interval, str(one.examples))
    console = Console()
    console.print(table)
    console.print(f"{found.corrected.hits} of {found.corrected.n} decided runs corrected")
    if found.calibration is not None:
        score = found.calibration.brier
        console.print(f"Brier score of its confidence {score.value:.3f} [{score.low:.3f}, {score.high:.3f}]")
