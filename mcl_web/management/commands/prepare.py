"""`manage.py prepare`: what a new lab needs beside its tables: the starter and micro problems. Safe to repeat."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand

from trajectories.importers import read_problems
from trajectories.problems import store_all

SHIPPED = ("starter/problems.jsonl", "micro/problems.jsonl")


class Command(BaseCommand):
    help = "Load the problems that ship with the lab. Problems already stored are left alone."

    def handle(self, *args: Any, verbosity: int, **options: Any) -> None:
        for name in SHIPPED:
            file = Path(settings.BASE_DIR) / name
            if not file.exists():
                continue
            report = read_problems(file, "normalised")
            stored = store_all(report.problems, report.faults, all_or_nothing=True)
            if stored.refused:
                raise ValueError(f"{name} is damaged: {stored.faults[0]}")
            if verbosity:
                counts = ", ".join(
                    f"{number} {outcome}" for outcome, number in stored.counts.items() if number
                )
                self.stdout.write(f"{name}: {counts}")
