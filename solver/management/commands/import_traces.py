"""`manage.py import_traces FILE`: trajectories of other systems as runs, their programs judged here as well."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError

from solver.judge import JudgeError
from solver.runs import JUDGE_PROFILES
from solver.trace_import import Imported, Options, Outcome, import_traces
from trajectories.terminal_files import require_writable
from trajectories.traces import FORMATS, read_traces
from trajectories.verdicts import WORD

SHOWN = 20


class Command(BaseCommand):
    help = "Import trajectories. The same one twice is stored once, so an import that was cut short is begun again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, nargs="+", help="file, folder or zip archive")
        names = [known.name for known in FORMATS]
        parser.add_argument("--format", choices=names, help="default: recognised from the content")
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would happen, store and judge nothing"
        )
        parser.add_argument("--limit", type=int, help="stop after this many trajectories of each path")
        parser.add_argument(
            "--problem", default="", help="the problem of every trajectory, where files do not say"
        )
        parser.add_argument("--language", default="python", help="of programs whose file does not say")
        parser.add_argument("--no-judge", action="store_true", help="keep the recorded verdicts alone")
        parser.add_argument(
            "--all-tests", action="store_true", help="judge on after the first test that fails"
        )
        parser.add_argument(
            "--judge-profile",
            default="strict",
            choices=JUDGE_PROFILES,
            help="rules of the judge: docs/judge.md",
        )
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        require_writable(options["json"])
        chosen = Options(
            judge=not options["no_judge"],
            all_tests=options["all_tests"],
            judge_profile=options["judge_profile"],
            language=options["language"],
            problem=options["problem"],
            created_by="terminal",
            dry_run=options["dry_run"],
        )
        reports = {}
        for path in options["path"]:
            read = read_traces(path, options["format"], limit=options["limit"])
            try:
                report = import_traces(read.found, chosen, read.faults)
            except JudgeError as error:
                raise CommandError(
                    f"{error} What was read until then is stored; go on with --no-judge."
                ) from None
            self._say(path, report)
            reports[str(path)] = report.to_dict()
        if options["json"]:
            options["json"].write_text(json.dumps(reports, indent=1) + "\n", encoding="utf-8")
        if any(report["faults"] and not sum(report["counts"].values()) for report in reports.values()):
            raise CommandError("Nothing could be imported; the report above says where and how to mend it.")

    def _say(self, path: Path, report: Imported) -> None:
        counts = (
            ", ".join(f"{report.counts[one]} {one.value}" for one in Outcome if report.counts[one])
            or "nothing"
        )
        would = "would import" if report.dry_run else "imported"
        self.stdout.write(f"{path}: {would} {counts}; {len(report.faults)} refused")
        if report.by_strategy:
            self.stdout.write(f"  {', '.join(f'{name} {n}' for name, n in report.by_strategy.most_common())}")
        self._verdicts(report)
        for why, n in report.unjudged.most_common():
            self.stdout.write(f"  {n} not judged here: {why}")
        if report.missing:
            some = ", ".join(name for name, _ in report.missing.most_common(5))
            self.stdout.write(
                f"  {len(report.missing)} problems are not in the lab ({some}{' ...' if len(report.missing) > 5 else ''}); "
                "import them first, with manage.py import_problems FILE, then run this again"
            )
        for fault in report.faults[:SHOWN]:
            self.stdout.write(f"  {fault}")
        if len(report.faults) > SHOWN:
            self.stdout.write(f"  ... and {len(report.faults) - SHOWN} more; --json FILE writes all of them")

    def _verdicts(self, report: Imported) -> None:
        same, compared = report.agreements
        judged = report.verdicts.total()
        if not judged:
            return
        agree = f", of which {same} agree with the recorded verdict"
        if compared < judged:
            agree = f"; {compared} of them with a recorded verdict, of which {same} agree" if compared else ""
        self.stdout.write(f"  judged here: {judged}{agree}")
        for (solved, ours), n in sorted(report.verdicts.items(), key=str):
            said = {True: "solved", False: "not solved", None: "no verdict"}[solved]
            self.stdout.write(f"    recorded {said:<10} here {WORD[ours]:<14} {n}")
