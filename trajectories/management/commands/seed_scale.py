"""`manage.py seed_scale`: a hundred thousand invented runs, to see how the pages bear it. Never among real runs."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from trajectories import scale
from trajectories.models import Run


class Command(BaseCommand):
    help = "Fill an empty lab with invented runs and events, in bulk, for measurements."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--runs", type=int, default=100_000, help="how many runs (100,000)")
        parser.add_argument("--events", type=int, default=20, help="events a run (20)")
        parser.add_argument(
            "--long", type=int, nargs="*", default=[], help="also runs of so many steps each, e.g. 300 20000"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if Run.objects.exclude(engine_name=scale.ENGINE).exists():
            raise CommandError(
                "This lab holds real runs; invented ones would mix with them. Set MCL_VAR to an empty folder first."
            )
        if options["runs"] < 0 or options["events"] < scale.LEAST_EVENTS:
            raise CommandError(
                f"A run has at least {scale.LEAST_EVENTS} events, and there are none below 0 runs."
            )
        made = scale.fill(options["runs"], options["events"], self.stdout.write)
        for steps in options["long"]:
            run = scale.long_run(steps)
            self.stdout.write(f"run {run.pk} has {steps} steps")
        self.stdout.write(
            f"{made.runs} runs, {made.events} events, {made.steps} steps in {made.seconds:.0f} s"
        )
