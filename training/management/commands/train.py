"""manage.py train SPEC.yaml [--wait]: the same runs as the page starts, from a file."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError

from solver.tasks import worker_name
from training import launch, readiness, training_runs
from training.lora_spec import BadSpec, LoraSpec
from training.models import TrainingRun
from trajectories.terminal_files import read_text

LOOK_S = 1.0


class Command(BaseCommand):
    help = "Start one training run, or with `recipe: true` one a role, from a YAML file; the running lab trains it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("spec", help="YAML file, - for standard input")
        parser.add_argument("--check", action="store_true", help="say whether it is ready, start nothing")
        parser.add_argument("--wait", action="store_true", help="follow it to its end")
        parser.add_argument(
            "--here", action="store_true", help="train in this process's own child, without a lab running"
        )
        parser.add_argument("--request-id", default="", help="the same id again gives the same run")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            specs = training_runs.read(self._text(options["spec"]))
            if options["check"]:
                self._check(specs)
                return
            runs = self._start(specs, options)
        except BadSpec as error:
            raise CommandError("\n".join(str(fault) for fault in error.faults)) from None
        for run in runs:
            self.stdout.write(f"training run {run.pk}: {run.role} on {run.dataset}")
        if options["here"]:
            for run in runs:
                _train(run)
        if options["wait"] or options["here"]:
            self._follow(runs)

    @staticmethod
    def _text(name: str) -> str:
        return sys.stdin.read() if name == "-" else read_text(Path(name))

    def _check(self, specs: list[LoraSpec]) -> None:
        gates = [readiness.check(spec) for spec in specs]
        for gate in gates:
            self.stdout.write(f"{gate.spec.role} on {gate.spec.dataset}")
            for finding in gate.findings:
                self.stdout.write(f"  {finding.level:5}{finding.title}  {finding.detail}".rstrip())
        if any(not gate.open for gate in gates):
            raise CommandError("Not ready: see the lines that begin with no.")

    @staticmethod
    def _start(specs: list[LoraSpec], options: dict[str, Any]) -> list[TrainingRun]:
        publish = not options["here"]
        if len(specs) == 1:
            return [
                training_runs.start(specs[0], request_id=options["request_id"], publish_to_workers=publish)
            ]
        return training_runs.start_recipe(specs, request_id=options["request_id"], publish_to_workers=publish)

    def _follow(self, runs: list[TrainingRun]) -> None:
        told: dict[int, str] = {}
        while True:
            for run in runs:
                run.refresh_from_db()
                line = f"run {run.pk} {run.role}: {run.status}, step {run.step} of {run.steps}"
                if told.get(run.pk) != line:
                    self.stdout.write(line + (f" ({run.message})" if run.message else ""))
                    told[run.pk] = line
            if all(run.ended for run in runs):
                break
            time.sleep(LOOK_S)
        if any(run.status != "finished" for run in runs):
            raise CommandError("Not every run finished.")


def _train(run: TrainingRun) -> None:
    """To its end. A run whose trainer died is back in the queue, and no lab may be there to take it up."""
    while not run.ended:
        if not launch.execute(run.pk, worker_name()):
            time.sleep(LOOK_S)
        run.refresh_from_db()
