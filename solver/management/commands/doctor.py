"""`manage.py doctor`: what works on this machine, what does not, and how to mend it."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand
from rich.console import Console
from rich.table import Table

from solver import doctor
from trajectories.figures import Bar, figures
from trajectories.terminal_files import require_writable


class Command(BaseCommand):
    help = "Probe database, broker, workers, judge, languages, engines and disk. Exit status 1 if something needed fails."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--json",
            nargs="?",
            const="-",
            metavar="FILE",
            help="write the findings as JSON (default: print them)",
        )
        parser.add_argument("--no-engines", action="store_true", help="leave out probes of other machines")

    def handle(self, *args: Any, **options: Any) -> None:
        require_writable(options["json"])
        findings = doctor.collect(engines=not options["no_engines"])
        if options["json"]:
            _write(findings, options["json"])
        else:
            _print(findings)
        if any(finding.needed and not finding.ok for finding in findings):
            sys.exit(1)


def _print(findings: list[doctor.Finding]) -> None:
    table = Table(box=None, pad_edge=False)
    for column in ("", "area", "probe", "finding", "how to mend"):
        table.add_column(column, overflow="fold")
    for finding in findings:
        mark = "[green]ok[/]" if finding.ok else "[red]FAIL[/]" if finding.needed else "[yellow]off[/]"
        table.add_row(mark, finding.area, finding.name, finding.detail, "" if finding.ok else finding.mend)
    Console().print(table)


def _write(findings: list[doctor.Finding], target: str) -> None:
    failing = sum(finding.needed and not finding.ok for finding in findings)
    bar = Bar(
        "needed probes that fail", failing, "probes", 0, "max", sum(finding.needed for finding in findings)
    )
    text = json.dumps(figures("doctor", [bar], [finding.to_dict() for finding in findings]), indent=1) + "\n"
    if target == "-":
        sys.stdout.write(text)
    else:
        Path(target).write_text(text, encoding="utf-8")
