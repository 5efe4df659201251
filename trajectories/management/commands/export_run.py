"""`manage.py export_run ID --format html -o run.html`: one run as a file."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError

from trajectories.exporters.formats import FORMATS
from trajectories.models import Run


class Command(BaseCommand):
    help = "Export one run. jsonl and html can be imported again, event by event, with import_traces."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", type=int, help="the run's number")
        parser.add_argument("--format", choices=sorted(FORMATS), default="jsonl", help="of the file (jsonl)")
        parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        run = Run.objects.select_related("problem").filter(pk=options["run"]).first()
        if run is None:
            raise CommandError(f"There is no run {options['run']}.")
        text = FORMATS[options["format"]].export(run)
        if options["output"] is None:
            sys.stdout.write(text)
            return
        try:
            options["output"].write_text(text, encoding="utf-8", newline="")
        except OSError as error:
            raise CommandError(f"{options['output']}: {error.strerror}") from None
        self.stdout.write(f"run {run.pk} written to {options['output']}, {len(text.encode()):,} bytes")
