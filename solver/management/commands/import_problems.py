"""`manage.py import_problems FILE`: any supported format, idempotent, with a report of every row that was refused."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError

from trajectories.figures import Bar, figures
from trajectories.importers import FORMATS, read_problems
from trajectories.problems import Stored, store_all
from trajectories.terminal_files import require_writable


class Command(BaseCommand):
    help = "Import problems from a file or folder. The same problem twice is stored once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, nargs="+", help="file, folder or zip archive")
        parser.add_argument(
            "--format",
            choices=sorted(known.name for known in FORMATS),
            help="default: recognised from the content",
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, store nothing")
        parser.add_argument(
            "--all-or-nothing", action="store_true", help="store nothing if any row is refused"
        )
        parser.add_argument("--limit", type=int, help="stop after this many problems of each file")
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        require_writable(options["json"])
        reports = {}
        for path in options["path"]:
            report = read_problems(path, options["format"], limit=options["limit"])
            stored = store_all(
                report.problems,
                report.faults,
                dry_run=options["dry_run"],
                all_or_nothing=options["all_or_nothing"],
            )
            self._say(path, stored)
            reports[str(path)] = stored.to_dict()
        if options["json"]:
            refused = sum(len(report["faults"]) for report in reports.values())
            read = refused + sum(sum(report["counts"].values()) for report in reports.values())
            bar = Bar("rows refused", refused, "rows", 0, "max", read)
            rows = [{"file": file, **report} for file, report in reports.items()]
            text = json.dumps(figures("import_problems", [bar], rows), indent=1, ensure_ascii=False)
            options["json"].write_text(text + "\n", encoding="utf-8")
        if any(
            report["refused"] or (report["faults"] and not sum(report["counts"].values()))
            for report in reports.values()
        ):
            raise CommandError("Some files were refused; the report above says where and how to mend them.")

    def _say(self, path: Path, stored: Stored) -> None:
        counts = (
            ", ".join(f"{number} {outcome}" for outcome, number in stored.counts.items() if number)
            or "nothing"
        )
        prefix = (
            "would store" if stored.dry_run else "refused, would have stored" if stored.refused else "stored"
        )
        self.stdout.write(f"{path}: {prefix} {counts}; {len(stored.faults)} rows refused")
        for fault in stored.faults[:20]:
            self.stdout.write(f"  {fault}")
        if len(stored.faults) > 20:
            self.stdout.write(f"  ... and {len(stored.faults) - 20} more; --json FILE writes all of them")
